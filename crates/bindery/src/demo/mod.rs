//! `bindery demo`: the whole line at work, and a check of its own that everything came about once.

mod case;
mod command;
mod entry;
mod form;
mod further;
mod installation;
mod ledger;
mod observe;
mod progress;
mod random;
mod readers;
mod report;
mod senders;
mod services;
mod subject;
mod traffic;
mod verdict;

pub(crate) use command::{Arguments, run};
pub use entry::Shown;
pub use ledger::{FactWord, Ledger, Observation, Totals};
pub use traffic::{Expected, Outgoing, Traffic, number_of_key};
pub use verdict::Verdict;
