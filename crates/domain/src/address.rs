use std::fmt;

use crate::{Channel, Event};

/// Where to send to, well formed for its channel. Borrows from the event.
///
/// Never has a carriage return, a line feed, a NUL or any other control character in it, so that
/// no delivery service can be made to write a header or a field that the producer smuggled in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address<'a>(&'a str);

/// The field of an event that an address is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressField {
    /// `email`.
    Email,
    /// `mobilePhone`.
    MobilePhone,
    /// `registrationToken`.
    RegistrationToken,
    /// `mobileApp`, which goes with a registration token.
    MobileApp,
    /// `externalId`.
    ExternalId,
}

/// Why an event has no address for a channel. Names the field, never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// The field is absent or empty.
    #[error("{}", missing(*.0))]
    Missing(AddressField),
    /// No channel was wished for and no field could tell which to take.
    #[error("no channel, `email`, `mobilePhone` or `registrationToken` is given")]
    NoChannel,
    /// The field is there, but not of the form its channel needs.
    #[error("{}", malformed(*.0))]
    Malformed(AddressField),
}

impl AddressFault {
    /// What is wrong, in words for a person.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Missing(field) => missing(field),
            Self::NoChannel => "no channel, `email`, `mobilePhone` or `registrationToken` is given",
            Self::Malformed(field) => malformed(field),
        }
    }
}

const fn missing(field: AddressField) -> &'static str {
    match field {
        AddressField::Email => "`email` is not given",
        AddressField::MobilePhone => "`mobilePhone` is not given",
        AddressField::RegistrationToken => "`registrationToken` is not given",
        AddressField::MobileApp => "`mobileApp` is not given",
        AddressField::ExternalId => "`externalId` is not given",
    }
}

const fn malformed(field: AddressField) -> &'static str {
    match field {
        AddressField::Email => "`email` is no e-mail address",
        AddressField::MobilePhone => "`mobilePhone` is no E.164 number",
        AddressField::RegistrationToken => {
            "`registrationToken` is blank or has a control character"
        }
        AddressField::MobileApp => "`mobileApp` has a control character",
        AddressField::ExternalId => "`externalId` is blank or has a control character",
    }
}

impl<'a> Address<'a> {
    /// The address that `event` has for `channel`.
    ///
    /// # Errors
    /// [`AddressFault::Missing`] or [`AddressFault::Malformed`] with the field in question.
    pub fn of(event: &'a Event<'_>, channel: &Channel<'_>) -> Result<Self, AddressFault> {
        let (field, value) = match channel.as_str() {
            "email" => (AddressField::Email, &event.email),
            "sms" | "whatsapp" | "voice" => (AddressField::MobilePhone, &event.mobile_phone),
            "ios" | "android" | "webpush" | "line" => {
                (AddressField::RegistrationToken, &event.registration_token)
            }
            _ => (AddressField::ExternalId, &event.external_id),
        };
        let Some(text) = value.as_deref().filter(|text| !text.is_empty()) else {
            return Err(AddressFault::Missing(field));
        };
        let well_formed = match field {
            AddressField::Email => is_addr_spec(text),
            AddressField::MobilePhone => is_e164(text),
            AddressField::RegistrationToken
            | AddressField::MobileApp
            | AddressField::ExternalId => is_opaque(text),
        };
        if !well_formed {
            return Err(AddressFault::Malformed(field));
        }
        let app_is_broken = field == AddressField::RegistrationToken
            && event.mobile_app.as_deref().is_some_and(|app| app.chars().any(char::is_control));
        if app_is_broken {
            return Err(AddressFault::Malformed(AddressField::MobileApp));
        }
        Ok(Self(text))
    }

    /// The text.
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// An address belongs in no log line.
impl fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(<redacted>)")
    }
}

/// The channel an event is for: the one it wishes for, else the first it has an address for.
///
/// A registration token does not say what made it. One of 64 or more hexadecimal digits is what
/// Apple hands out and means `ios`; anything else means `android`. A producer whose Apple
/// applications use another token has to name the channel.
///
/// # Errors
/// [`AddressFault::NoChannel`] where nothing tells.
pub(crate) fn channel_of<'a>(event: &'a Event<'_>) -> Result<Channel<'a>, AddressFault> {
    let given = |field: &'a Option<std::borrow::Cow<'_, str>>| {
        field.as_deref().filter(|text| !text.is_empty())
    };
    if let Some(wished) = &event.channel {
        Ok(wished.borrowed())
    } else if given(&event.email).is_some() {
        Ok(Channel::EMAIL)
    } else if given(&event.mobile_phone).is_some() {
        Ok(Channel::SMS)
    } else if let Some(token) = given(&event.registration_token) {
        Ok(if is_apple_token(token) { Channel::IOS } else { Channel::ANDROID })
    } else {
        Err(AddressFault::NoChannel)
    }
}

fn is_apple_token(token: &str) -> bool {
    token.len() >= 64
        && token.len().is_multiple_of(2)
        && token.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The longest local part and the longest address that SMTP carries, in bytes.
const LOCAL_PART_BYTES_MAX: usize = 64;
const ADDRESS_BYTES_MAX: usize = 254;
const LABEL_CHARACTERS_MAX: usize = 63;

/// The addr-spec of RFC 5322 with the UTF-8 of RFC 6532, without comments, folding white space,
/// control characters and obsolete forms.
fn is_addr_spec(text: &str) -> bool {
    if text.len() > ADDRESS_BYTES_MAX {
        return false;
    }
    // The last one: a quoted local part may have another, a domain may not.
    let Some((local_part, domain)) = text.rsplit_once('@') else {
        return false;
    };
    local_part.len() <= LOCAL_PART_BYTES_MAX
        && (is_dot_atom(local_part) || is_quoted_string(local_part))
        && (is_domain_name(domain) || is_domain_literal(domain))
}

fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

fn is_domain_name(text: &str) -> bool {
    is_dot_atom(text) && text.split('.').all(|label| label.chars().count() <= LABEL_CHARACTERS_MAX)
}

fn is_atom_character(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(character)
        || is_utf8_non_ascii(character)
}

/// RFC 6532 lets every character beyond ASCII pass; the C1 controls are no less controls there.
fn is_utf8_non_ascii(character: char) -> bool {
    !character.is_ascii() && !character.is_control()
}

fn is_quoted_string(text: &str) -> bool {
    let Some(content) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut characters = content.chars();
    while let Some(character) = characters.next() {
        let well_formed = match character {
            '"' => false,
            '\\' => characters.next().is_some_and(|quoted| matches!(quoted, ' '..='~')),
            other => matches!(other, ' '..='~') || is_utf8_non_ascii(other),
        };
        if !well_formed {
            return false;
        }
    }
    true
}

fn is_domain_literal(text: &str) -> bool {
    let Some(content) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return false;
    };
    let is_literal_character = |character: char| {
        matches!(character, '!'..='Z' | '^'..='~') || is_utf8_non_ascii(character)
    };
    !content.is_empty() && content.chars().all(is_literal_character)
}

/// `+`, then 2 to 15 digits of which the first is not 0.
fn is_e164(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else {
        return false;
    };
    (2..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A text only the delivery service understands.
fn is_opaque(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
