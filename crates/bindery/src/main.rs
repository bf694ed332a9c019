//! The command line: demo, topics, template, send, broker.

fn main() {}
