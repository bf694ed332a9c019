use std::borrow::Cow;
use std::fmt;

/// By what means a message reaches its recipient: `email`, `sms`, `ios`, …
///
/// An open set: any `[a-z][a-z0-9-]{0,31}` that a delivery service knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel<'a>(Cow<'a, str>);

/// A text that is no channel name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a channel is named by `[a-z][a-z0-9-]` and at most 32 characters")]
pub struct ChannelFault;

impl<'a> Channel<'a> {
    /// E-mail, addressed by `email`.
    pub const EMAIL: Channel<'static> = Channel(Cow::Borrowed("email"));
    /// Text message, addressed by `mobilePhone`.
    pub const SMS: Channel<'static> = Channel(Cow::Borrowed("sms"));
    /// Apple push, addressed by `registrationToken`.
    pub const IOS: Channel<'static> = Channel(Cow::Borrowed("ios"));
    /// Android push, addressed by `registrationToken`.
    pub const ANDROID: Channel<'static> = Channel(Cow::Borrowed("android"));

    /// Checks `name` and makes it a channel. The numbers 0, 1, 41 and 42 of the product this
    /// re-creates are read as email, sms, ios and android.
    pub fn new(name: impl Into<Cow<'a, str>>) -> Result<Self, ChannelFault> {
        let name = name.into();
        if let Some(known) = Self::known(&name) {
            return Ok(Self(Cow::Borrowed(known)));
        }
        let well_formed = name.len() <= 32
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if well_formed { Ok(Self(name)) } else { Err(ChannelFault) }
    }

    /// A name of our own for what is common, so that a hundred thousand templates share it.
    fn known(name: &str) -> Option<&'static str> {
        Some(match name {
            "email" | "0" => "email",
            "sms" | "1" => "sms",
            "ios" | "41" => "ios",
            "android" | "42" => "android",
            "webpush" => "webpush",
            "line" => "line",
            "whatsapp" => "whatsapp",
            "voice" => "voice",
            "paper" => "paper",
            _ => return None,
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same channel, owning its name.
    pub fn into_owned(self) -> Channel<'static> {
        Channel(Self::known(&self.0).map_or_else(|| Cow::Owned(self.0.into_owned()), Cow::Borrowed))
    }

    /// The same channel, borrowing from this one.
    pub fn borrowed(&self) -> Channel<'_> {
        Channel(Cow::Borrowed(&self.0))
    }
}

impl fmt::Display for Channel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Result<&str, ChannelFault>) {
        let channel = Channel::new(name);
        assert_eq!(channel.as_ref().map(Channel::as_str), expected.as_ref().copied());
        if let Ok(channel) = channel {
            assert_eq!(channel.borrowed().into_owned(), channel);
        }
    }

    #[test]
    fn a_channel_is_a_name_or_a_number_of_the_product() {
        check("email", Ok("email"));
        check("in-store2", Ok("in-store2"));
        check(&"a".repeat(32), Ok(&"a".repeat(32)));
        for (number, name) in [("0", "email"), ("1", "sms"), ("41", "ios"), ("42", "android")] {
            check(number, Ok(name));
        }
    }

    #[test]
    fn what_is_no_name_is_no_channel() {
        for name in ["", "2", "Email", "-a", "a_b", "a b", "é", &"a".repeat(33)] {
            check(name, Err(ChannelFault));
        }
    }
}
