//! The command line: demo, topics, template, send, status, explain, lag, broker.
//!
//! A library, so that tests and benchmarks can use its parts: the templates, the demo's traffic and
//! the demo's check.

mod broker;
mod cli;
mod completions;
mod config;
mod console;
pub mod demo;
mod event;
mod explain;
mod lag;
mod manual;
#[cfg(test)]
mod reference;
mod send;
mod status;
pub mod template;
mod topics;

pub use cli::main;
