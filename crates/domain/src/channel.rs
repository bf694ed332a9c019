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
        match name.as_ref() {
            "0" => return Ok(Self::EMAIL),
            "1" => return Ok(Self::SMS),
            "41" => return Ok(Self::IOS),
            "42" => return Ok(Self::ANDROID),
            _ => {}
        }
        let well_formed = name.len() <= 32
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if well_formed {
            Ok(Self(name))
        } else {
            Err(ChannelFault)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same channel, owning its name.
    pub fn into_owned(self) -> Channel<'static> {
        Channel(Cow::Owned(self.0.into_owned()))
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
