use std::borrow::Cow;

use super::*;
use crate::EventId;

fn event() -> Event<'static> {
    Event {
        id: EventId::new("1").unwrap(),
        event_type: Cow::Borrowed("order.shipped"),
        channel: None,
        email: None,
        mobile_phone: None,
        registration_token: None,
        mobile_app: None,
        external_id: None,
        origin: None,
        tenant: None,
        language: None,
        country: None,
        email_format: None,
        occurred_at: None,
        scheduled: None,
        expiration: None,
        ctx: b"".into(),
    }
}

#[track_caller]
fn check(channel: &str, address: &str, expected: Result<(), AddressFault>) {
    let value = Some(Cow::Borrowed(address));
    let event = Event {
        email: value.clone(),
        mobile_phone: value.clone(),
        registration_token: value.clone(),
        external_id: value,
        ..event()
    };
    let channel = Channel::new(channel).unwrap();
    let found = Address::of(&event, &channel);
    assert_eq!(found, expected.map(|()| Address(address)), "`{address}` for {channel}");
}

fn good(channel: &str, addresses: &[&str]) {
    for address in addresses {
        check(channel, address, Ok(()));
    }
}

fn bad(channel: &str, field: AddressField, addresses: &[&str]) {
    for address in addresses {
        check(channel, address, Err(AddressFault::Malformed(field)));
    }
}

#[test]
fn an_e_mail_address_is_an_addr_spec() {
    good(
        "email",
        &[
            "ada@example.com",
            "a@b",
            "ada.lovelace+orders@mail.example.co.uk",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "\"ada lovelace\"@example.com",
            "\"ada@home\"@example.com",
            r#""a\"b\\c"@example.com"#,
            "\"\"@example.com",
            "ada@[192.0.2.1]",
            "ada@[IPv6:2001:db8::1]",
            "用户@例子.广告",
            "élise@exämple.fr",
            "\"élise d\"@example.fr",
        ],
    );
}

#[test]
fn what_is_no_addr_spec_is_refused() {
    bad(
        "email",
        AddressField::Email,
        &[
            "ada",
            "@example.com",
            "ada@",
            "ada@@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "ada@example..com",
            "ada@.com",
            "ada@example.com.",
            "ada @example.com",
            " ada@example.com",
            "ada@example.com ",
            "ada@exam ple.com",
            "Ada <ada@example.com>",
            "ada@example.com,bob@example.com",
            "ada(comment)@example.com",
            "ada@example.com(comment)",
            "\"ada\"lovelace@example.com",
            "\"ada@example.com",
            "\"a\"b\"@example.com",
            "\"ada\\\"@example.com",
            "\"ad\\é\"@example.com",
            "ada@[]",
            "ada@[192.0.2.1",
            "ada@[19[2]",
            "ada@[a\\b]",
        ],
    );
}

#[test]
fn control_characters_pass_nowhere() {
    for control in ["\r", "\n", "\r\n", "\0", "\t", "\x7f", "\u{85}"] {
        let with = |text: &str| text.replace('#', control);
        for text in
            ["a#da@example.com", "ada@example.com#", "\"a#b\"@example.com", "\"a\\#b\"@e.fr"]
        {
            bad("email", AddressField::Email, &[&with(text)]);
        }
        bad("email", AddressField::Email, &[&with("a@[1#2]"), &with("a@b#.c")]);
        bad("sms", AddressField::MobilePhone, &[&with("+3361234#5678"), &with("+33612345678#")]);
        bad("android", AddressField::RegistrationToken, &[&with("tok#en"), &with("token#")]);
        bad("paper", AddressField::ExternalId, &[&with("cust#omer")]);
        let app = with("app#");
        let token = Some(Cow::Borrowed("token"));
        let pushed =
            Event { registration_token: token, mobile_app: Some(app.as_str().into()), ..event() };
        let found = Address::of(&pushed, &Channel::IOS);
        assert_eq!(found, Err(AddressFault::Malformed(AddressField::MobileApp)));
    }
}

#[test]
fn an_e_mail_address_keeps_to_the_lengths_of_smtp() {
    let local = |length: usize| format!("{}@example.com", "a".repeat(length));
    good("email", &[&local(64)]);
    bad("email", AddressField::Email, &[&local(65)]);
    let label = |length: usize| format!("a@{}.com", "b".repeat(length));
    good("email", &[&label(63)]);
    bad("email", AddressField::Email, &[&label(64)]);
    let whole = |length: usize| format!("a@{}", "b.".repeat(length)) + "c";
    assert_eq!(whole(125).len(), 253);
    good("email", &[&whole(125), &(whole(125) + "c")]);
    bad("email", AddressField::Email, &[&(whole(125) + "cc")]);
}

#[test]
fn a_phone_number_is_in_e164_form() {
    for channel in ["sms", "whatsapp", "voice"] {
        good(channel, &["+33612345678", "+12", "+123456789012345"]);
        bad(
            channel,
            AddressField::MobilePhone,
            &[
                "33612345678",
                "+",
                "+1",
                "+0612345678",
                "+1234567890123456",
                "+33 6 12 34 56 78",
                "+33-612345678",
                "0033612345678",
                "++33612345678",
                "+3361234567a",
                "+٣٣٦١٢٣",
            ],
        );
    }
}

#[test]
fn tokens_and_business_keys_are_anything_printable() {
    for channel in ["ios", "android", "webpush", "line"] {
        good(channel, &["t", "dGhpcw:APA91b_-"]);
        bad(channel, AddressField::RegistrationToken, &[" ", "\u{a0}"]);
    }
    for channel in ["paper", "in-store"] {
        good(channel, &["customer 42", "ключ"]);
        bad(channel, AddressField::ExternalId, &["   "]);
    }
}

#[test]
fn an_empty_address_is_a_missing_one() {
    check("email", "", Err(AddressFault::Missing(AddressField::Email)));
    check("sms", "", Err(AddressFault::Missing(AddressField::MobilePhone)));
    check("ios", "", Err(AddressFault::Missing(AddressField::RegistrationToken)));
    check("paper", "", Err(AddressFault::Missing(AddressField::ExternalId)));
}

#[track_caller]
fn check_channel(event: &Event<'_>, expected: Result<&str, AddressFault>) {
    let channel = channel_of(event);
    assert_eq!(channel.as_ref().map(Channel::as_str).map_err(|fault| *fault), expected);
}

#[test]
fn the_channel_is_the_wished_one_or_the_first_with_an_address() {
    let some = |text: &'static str| Some(Cow::Borrowed(text));
    let token = Event { registration_token: some("dGhpcw:APA91b_-"), ..event() };
    let apple = "0123456789abcdefABCDEF".repeat(3);
    let apple_token = Event { registration_token: Some(apple.as_str().into()), ..event() };
    let phone = Event { mobile_phone: some("+33612345678"), ..token.clone() };
    let email = Event { email: some("ada@example.com"), ..phone.clone() };
    let wished = Event { channel: Some(Channel::new("whatsapp").unwrap()), ..email.clone() };
    let blank = Event { email: some(""), mobile_phone: some(""), ..token.clone() };
    let key_only = Event { external_id: some("42"), ..event() };
    check_channel(&wished, Ok("whatsapp"));
    check_channel(&email, Ok("email"));
    check_channel(&phone, Ok("sms"));
    check_channel(&token, Ok("android"));
    check_channel(&apple_token, Ok("ios"));
    check_channel(&blank, Ok("android"));
    check_channel(&key_only, Err(AddressFault::NoChannel));
}

#[test]
fn an_address_does_not_print() {
    assert_eq!(format!("{:?}", Address("ada@example.com")), "Address(<redacted>)");
}
