//! The command line: demo, topics, template, send, status, explain, lag, broker.

use std::process::ExitCode;

fn main() -> ExitCode {
    bindery::main()
}
