//! The lane by itself: a handler that copies bytes, and brokers that misbehave.

mod copying;
mod faults;
mod sharing;
