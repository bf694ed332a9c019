//! What an event says: who, what, by which channel.

use domain::{LaneKind, Timestamp};
use serde_json::{Map, Value, json};

use super::case::Case;
use super::random::Random;

/// An event before it is written in some form.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// The id its producer knows it by.
    pub(super) id: String,
    /// Whether the producer says it, where the form does not ask for one.
    pub(super) is_named: bool,
    /// Its type.
    pub(super) event_type: &'static str,
    /// The other fields, by their names in JSON, but for `ctx`.
    pub(super) fields: Map<String, Value>,
    /// The data for the template.
    pub(super) ctx: Value,
}

const HOUR_MS: i64 = 3_600_000;
const FIRST_NAMES: [&str; 12] = [
    "Ada", "Amélie", "Bo", "Chloé", "Daniel", "Émile", "Grace", "Inès", "John", "Léa", "Mary",
    "Zoë",
];
const LAST_NAMES: [&str; 10] = [
    "Bernard", "Dubois", "Fischer", "Hopper", "Laurent", "Lovelace", "Moreau", "O'Brien", "Smith",
    "Wu",
];
const GOODS: [(&str, u64); 8] = [
    ("Walnut desk lamp", 8900),
    ("Linen sheets, queen", 12900),
    ("Enamel kettle", 4950),
    ("Wool throw, moss", 6400),
    ("Oak bookshelf", 24900),
    ("Stoneware bowl, set of 4", 3800),
    ("Beeswax candles", 1450),
    ("Cast iron pan \"No. 8\"", 7200),
];
const LANGUAGES: [&str; 7] = ["en", "en-GB", "en-US", "fr", "fr-CA", "fr-FR", "de"];

/// The channels a type has templates for.
const RT_TYPES: [(&str, &[&str]); 6] = [
    ("order.placed", &["email"]),
    ("order.shipped", &["email", "sms"]),
    ("account.password-reset", &["email"]),
    ("account.sign-in-code", &["sms"]),
    ("parcel.arriving", &["ios", "android"]),
    ("payment.failed", &["email"]),
];
const BATCH_TYPES: [(&str, &[&str]); 4] = [
    ("invoice.issued", &["email"]),
    ("appointment.reminder", &["sms"]),
    ("order.shipped", &["email", "sms"]),
    ("payment.failed", &["email"]),
];
/// Types that a team forgot to write a template for, or mistyped.
const UNKNOWN_TYPES: [&str; 4] =
    ["order.shiped", "order.returned", "loyalty.points-expiring", "review.invited"];

impl Subject {
    /// Event `number`.
    pub(super) fn new(
        number: usize,
        lane: LaneKind,
        case: Case,
        now: Timestamp,
        random: &mut Random,
    ) -> Self {
        let (known_type, channels) = match lane {
            LaneKind::Rt => random.pick(&RT_TYPES),
            LaneKind::Batch => random.pick(&BATCH_TYPES),
        };
        let channel = random.pick(channels);
        let event_type =
            if case == Case::UnknownType { random.pick(&UNKNOWN_TYPES) } else { known_type };
        let first = random.pick(&FIRST_NAMES);
        let last = random.pick(&LAST_NAMES);
        let mut subject = Self {
            id: format!("demo-{number:07}"),
            is_named: random.chance(70),
            event_type,
            fields: Map::new(),
            ctx: ctx(known_type, number, first, last, random),
        };
        subject.describe(number, now, random);
        subject.address(channel, number, case, random);
        match case {
            Case::Scheduled => subject.set("scheduled", moment(now, 24 * HOUR_MS)),
            Case::Expired => subject.set("expiration", moment(now, -HOUR_MS)),
            Case::VariableMissing => subject.ctx = json!({ "note": "the order is not in here" }),
            Case::CtxInvalid => subject.ctx = json!(["no", "object"]),
            Case::Sound
            | Case::UnknownType
            | Case::Malformed
            | Case::AddressMissing
            | Case::AddressInvalid => {
                if random.chance(10) {
                    subject.set("expiration", moment(now, 24 * HOUR_MS));
                }
            }
        }
        subject
    }

    fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.fields.insert(field.into(), value.into());
    }

    fn describe(&mut self, number: usize, now: Timestamp, random: &mut Random) {
        self.set("language", random.pick(&LANGUAGES));
        self.set("occurredAt", moment(now, 0));
        if random.chance(50) {
            self.set("externalId", format!("C-{:06}", 100_000 + number));
            self.set("origin", random.pick(&["shop", "billing", "crm"]));
        }
        if random.chance(20) {
            self.set("tenant", random.pick(&["larkspur-uk", "larkspur-fr"]));
            self.set("country", random.pick(&["GB", "FR"]));
        }
    }

    /// The address of `channel`, and only that one, so that the channel can be left to be derived.
    fn address(&mut self, channel: &'static str, number: usize, case: Case, random: &mut Random) {
        let wished = !matches!(channel, "email" | "sms") || random.chance(50);
        if wished || matches!(case, Case::AddressMissing | Case::AddressInvalid) {
            self.set("channel", channel);
        }
        if case == Case::AddressMissing {
            return;
        }
        let broken = case == Case::AddressInvalid;
        match channel {
            "email" if broken => self.set("email", "ada@@example"),
            "sms" if broken => self.set("mobilePhone", "06 12 34 56 78"),
            _ if broken => self.set("registrationToken", "token\r\nX-Injected: yes"),
            "email" => self.set("email", format!("customer{number}@example.com")),
            "sms" => self.set("mobilePhone", format!("+3361{:07}", number % 10_000_000)),
            _ => {
                self.set("registrationToken", format!("{:016x}", random.below(u64::MAX)));
                self.set("mobileApp", "larkspur");
            }
        }
    }
}

fn moment(now: Timestamp, after_ms: i64) -> String {
    let at = now.plus_millis(after_ms).as_millis();
    jiff::Timestamp::from_millisecond(at).unwrap_or_default().to_string()
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The data that the templates of `event_type` ask for.
fn ctx(event_type: &str, number: usize, first: &str, last: &str, random: &mut Random) -> Value {
    let currency = random.pick(&["EUR", "GBP"]);
    let order = format!("L{:06}", 400_000 + number);
    let url = |path: &str| format!("https://larkspur.example/{path}/{order}");
    let customer = json!({ "firstName": first, "name": format!("{first} {last}") });
    match event_type {
        "order.placed" => {
            let lines: Vec<(u64, &str, u64)> = (0..=random.below(3))
                .map(|_| {
                    let (name, price) = random.pick(&GOODS);
                    (1 + random.below(3), name, price)
                })
                .collect();
            let total = lines.iter().map(|(quantity, _, price)| quantity * price).sum();
            let line = |(quantity, name, price): &(u64, &str, u64)| json!({ "quantity": quantity, "name": name, "price": money(*price) });
            let mut ctx = json!({ "customer": customer, "order": {
                "number": order, "currency": currency, "total": money(total),
                "lines": lines.iter().map(line).collect::<Vec<_>>(),
            }});
            if random.chance(20) {
                ctx["order"]["giftNote"] = json!("Joyeux anniversaire <3 & many more");
            }
            ctx
        }
        "order.shipped" => {
            let mut ctx = json!({ "customer": customer, "order": { "number": order }, "parcel": {
                "carrier": random.pick(&["DHL", "La Poste", "Royal Mail"]), "trackingUrl": url("track"),
            }});
            if random.chance(60) {
                ctx["parcel"]["expected"] = json!(random.pick(&["tomorrow", "on Friday"]));
            }
            ctx
        }
        "account.password-reset" => {
            let mut ctx = json!({ "customer": customer, "reset": { "url": url("reset"), "validMinutes": 30 } });
            if random.chance(50) {
                ctx["request"] = json!({ "city": random.pick(&["Bristol", "Lyon", "Genève"]) });
            }
            ctx
        }
        "account.sign-in-code" => json!({ "code": format!("{:06}", random.below(1_000_000)) }),
        "parcel.arriving" => json!({
            "driver": { "firstName": first },
            "parcel": { "stopsAway": 1 + random.below(8) },
            "order": { "number": order },
        }),
        "payment.failed" => json!({ "customer": customer, "payment": {
            "amount": money(random.below(50_000)), "currency": currency,
            "cardEnding": format!("{:04}", random.below(10_000)), "url": url("pay"), "retryOn": "2027-01-15",
        }}),
        "invoice.issued" => json!({ "customer": customer, "invoice": {
            "number": format!("2026-{number:06}"), "date": "2026-11-30", "due": "2026-12-31",
            "total": money(random.below(90_000)), "currency": currency,
            "directDebit": random.chance(40), "url": url("invoice"),
        }}),
        _ => json!({ "appointment": {
            "when": random.pick(&["tomorrow, 09:30", "demain, 14 h"]), "place": "14 Quay Street",
            "bring": random.pick(&[&["the old lamp"][..], &[]]), "url": url("appointment"),
        }}),
    }
}
