//! The names a template gives to things.

use std::collections::HashMap;

use super::path::DataPath;

/// What a name of the template's own stands for.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    /// A path into `ctx`.
    Data(DataPath),
    /// Anything else: a loop's element, a macro, a computed value.
    Other,
}

/// Nested scopes of names, innermost last.
#[derive(Debug, Default)]
pub(super) struct Scopes<'s>(Vec<HashMap<&'s str, Meaning>>);

impl<'s> Scopes<'s> {
    /// Opens a scope.
    pub(super) fn push(&mut self) {
        self.0.push(HashMap::new());
    }

    /// Closes the innermost scope and forgets its names.
    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    /// Closes the innermost scope; its names stay known outside, standing for anything.
    pub(super) fn pop_keeping_names(&mut self) {
        for name in self.0.pop().into_iter().flat_map(HashMap::into_keys) {
            self.assign(name, Meaning::Other);
        }
    }

    /// Gives `name` a meaning in the innermost scope.
    pub(super) fn assign(&mut self, name: &'s str, meaning: Meaning) {
        if let Some(innermost) = self.0.last_mut() {
            innermost.insert(name, meaning);
        }
    }

    /// What `name` stands for, if the template gave it a meaning.
    pub(super) fn meaning(&self, name: &str) -> Option<&Meaning> {
        self.0.iter().rev().find_map(|scope| scope.get(name))
    }
}
