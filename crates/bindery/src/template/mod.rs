//! Templates: files, what they need of an event, and their publication.

mod analysis;
mod command;
mod file;
mod folder;
mod path;
mod publication;
mod published;
mod scope;

pub use command::{Arguments, run};
pub use file::{Content, Problem, TemplateSource, read};
pub use folder::{ReadFailure, embedded, read_all};
pub use publication::{Outcome, Publication, plan, publish};
pub use published::Published;
