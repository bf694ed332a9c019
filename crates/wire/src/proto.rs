//! The generated code, which the tests hold ours against. No other crate sees it.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::all, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/bindery.v1.rs"));
