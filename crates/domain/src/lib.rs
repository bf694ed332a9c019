//! Events, templates, binding and status: types and rules, without IO.
