//! Automation: cargo xtask kafka up|down, bench.

fn main() {}
