//! The command line: demo, topics, template, send, broker.
//!
//! A library, so that tests and benchmarks can use its parts: the templates, the demo's traffic and
//! the demo's check.

mod broker;
mod cli;
mod completions;
mod config;
mod console;
pub mod demo;
mod manual;
#[cfg(test)]
mod reference;
mod send;
pub mod template;
mod topics;

pub use cli::main;
