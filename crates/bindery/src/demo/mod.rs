//! `bindery demo`.

mod case;
mod entry;
mod form;
mod ledger;
mod random;
mod subject;
mod traffic;
mod verdict;

pub use ledger::{FactWord, Ledger, Observation, Totals};
pub use traffic::{Expected, Outgoing, Traffic, number_of_key};
pub use verdict::Verdict;
