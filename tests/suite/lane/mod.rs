//! The lane by itself: a handler that copies bytes, and brokers that misbehave.

pub(crate) mod copying;
mod faults;
mod lag;
mod moving;
mod older;
mod security;
mod sharing;
