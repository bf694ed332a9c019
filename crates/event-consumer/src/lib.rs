//! What both event consumers do with a record: decode, bind, encode.
//!
//! The two binaries differ in their defaults alone: which topic they read, where their assignments
//! go, and how their lane paces itself.

mod answer;
mod assignment_id;
mod decisions;
mod handler;
mod observed;
mod process;
mod run;
mod settings;

pub use decisions::{DecisionCounts, Decisions};
pub use handler::{EventHandler, Outputs};
pub use process::main;
pub use run::EventConsumer;
pub use settings::{EventConsumerSettings, Formats, Side};
