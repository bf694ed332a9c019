//! `bindery` as a person or a script runs it: a process with arguments, a pipe, an exit code.

mod errors;
mod installation;
mod program;
mod sending;
mod templates;
mod topics;
