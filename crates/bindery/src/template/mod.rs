//! Templates: files, what they need of an event, and their publication.

mod analysis;
mod check;
mod command;
mod effect;
mod file;
mod folder;
mod list;
mod path;
mod publication;
mod publish;
mod published;
mod scope;
mod show;
mod unpublish;

pub(crate) use command::{Command, run};
pub use file::{Content, Problem, TemplateSource, read};
pub use folder::{ReadFailure, embedded, read_all};
pub use publication::{Outcome, Publication, plan, publish};
pub use published::{Contents, Published};
