//! A small single-node broker speaking the Kafka protocol, for the demo and tests. Loopback only.
