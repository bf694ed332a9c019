//! The suite lives in the test target of this member.
