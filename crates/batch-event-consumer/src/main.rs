//! Binds batch events.

fn main() {}
