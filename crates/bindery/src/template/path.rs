//! Paths into `ctx`, and which of them are known to exist at some place of a template.

/// A path into `ctx`; the empty one is `ctx` itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DataPath(Vec<String>);

impl DataPath {
    /// This path and one name more; `None` for a name that the dotted form cannot carry.
    pub(super) fn with(mut self, name: &str) -> Option<Self> {
        if name.is_empty() || name.contains('.') {
            return None;
        }
        self.0.push(name.to_owned());
        Some(self)
    }

    /// The path without its last name.
    pub(super) fn parent(&self) -> Self {
        Self(self.0.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default())
    }

    /// `order.number`; `None` for `ctx` itself, which always exists.
    pub(super) fn dotted(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("."))
    }
}

/// Paths that exist for certain, because a condition around asked for them.
#[derive(Debug, Default)]
pub(super) struct Guards(Vec<DataPath>);

impl Guards {
    /// Adds `paths`; what it returns goes to [`Guards::leave`].
    #[must_use]
    pub(super) fn enter(&mut self, paths: Vec<DataPath>) -> usize {
        let before = self.0.len();
        self.0.extend(paths);
        before
    }

    /// Forgets what was added since.
    pub(super) fn leave(&mut self, before: usize) {
        self.0.truncate(before);
    }

    /// Whether `path` is provided for: it exists because it, or something below it, was asked for;
    /// or it lies below something that was asked for, so that the author knows it to be optional.
    pub(super) fn cover(&self, path: &DataPath) -> bool {
        self.0.iter().any(|guard| guard.0.starts_with(&path.0) || path.0.starts_with(&guard.0))
    }
}
