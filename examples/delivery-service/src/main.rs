//! An example delivery service: reads assignments, renders, reports to delivery-log.

fn main() {}
