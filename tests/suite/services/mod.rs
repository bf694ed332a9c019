//! The services as an operator runs them: real processes, killed for real.

mod bad_input;
mod boot;
mod delivery;
mod drain;
mod exactness;
mod faults;
mod installation;
mod looking;
mod queries;
mod telemetry;
