//! Collects delivery logs, folds facts into statuses, announces what was received.

fn main() {}
