//! The command line: demo, topics, template, send, broker.

use std::process::ExitCode;

fn main() -> ExitCode {
    bindery::main()
}
