//! The suite: one binary, run on the embedded broker and on Apache Kafka.

mod broker;
mod command_line;
mod lane;
mod reading;
mod services;
