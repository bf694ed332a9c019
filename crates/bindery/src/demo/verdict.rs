//! What the check found wrong.

/// How many findings are kept in words.
const TOLD_MAX: usize = 20;

/// What the check found wrong; all zero if nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Something that had to be there is not, or is not what it had to be.
    pub lost: u64,
    /// Something is there that had not to be: twice, or without a cause.
    pub duplicated: u64,
    /// A status that ran backwards.
    pub regressed: u64,
    /// The first of the findings, in words.
    pub findings: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.regressed == 0
    }

    pub(super) fn lost(&mut self, finding: &str) {
        self.lost += 1;
        self.tell("lost", finding);
    }

    pub(super) fn duplicated(&mut self, finding: &str) {
        self.duplicated += 1;
        self.tell("duplicated", finding);
    }

    pub(super) fn regressed(&mut self, times: u32, finding: &str) {
        self.regressed += u64::from(times);
        self.tell("regressed", finding);
    }

    fn tell(&mut self, class: &str, finding: &str) {
        if self.findings.len() < TOLD_MAX {
            self.findings.push(format!("{class}: {finding}"));
        }
    }
}
