//! Binds real-time events.

fn main() {}
