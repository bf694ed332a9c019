//! Events, templates, binding and status: types and rules.
//!
//! This crate knows neither Kafka nor bytes. It has no IO, no clock, no async and no serde: whatever
//! happens here is a function of its arguments. `wire` turns bytes into these types and back; a
//! handler in `event-consumer` or `status-sync` puts them between two topics.

mod address;
mod assignment;
mod bind;
mod canary;
mod catalogue;
mod channel;
mod decision;
mod delivery;
mod event;
mod fact;
mod fold;
mod ids;
mod language;
mod losers;
mod meaning;
mod status;
mod template;
mod time;

pub use address::{Address, AddressFault, AddressField};
pub use assignment::Assignment;
pub use bind::{Situation, bind};
pub use catalogue::{Catalogue, CatalogueBuilder, Revision};
pub use channel::{Channel, ChannelFault};
pub use decision::{Binding, Decision, History, Hold, NotSupported, RejectionReason};
pub use delivery::{DeliveryLog, DeliveryReason, Outcome, OutcomeKind};
pub use event::{Context, ContextFault, Event};
pub use fact::{Fact, FactKind};
pub use fold::Folded;
pub use ids::{AssignmentId, Attempt, EventId, EventIdFault, LaneKind, SourcePosition};
pub use language::{LanguageTag, lookup};
pub use losers::{CANDIDATES_MAX, Candidate, Losers, Lost};
pub use meaning::{hold_reasons, meaning_of_reason};
pub use status::{EventStatus, Language, Status, StatusKey};
pub use template::{Canary, Lanes, RequiredPath, Template, TemplateState, TemplateVersion};
pub use time::Timestamp;
