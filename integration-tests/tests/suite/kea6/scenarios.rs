//! A scenario: what one or several clients say, one message after the other.

use super::talk::Talk;

/// A scenario.
pub(super) struct Scenario {
    /// What it shows.
    pub(super) name: &'static str,
    /// Words of the page of differences that explain what differs in it; all of them are needed.
    pub(super) differs: &'static [&'static str],
    /// What is said.
    pub(super) act: fn(&mut Talk<'_>),
}

impl Scenario {
    /// One in which nothing differs.
    pub(super) const fn new(name: &'static str, act: fn(&mut Talk<'_>)) -> Scenario {
        Scenario { name, differs: &[], act }
    }

    /// In which this differs.
    pub(super) const fn differs(self, differs: &'static [&'static str]) -> Scenario {
        Scenario { differs, ..self }
    }
}

/// All of them.
pub(super) fn scenarios() -> Vec<Scenario> {
    [super::direct::reserved(), super::direct::leased(), super::relayed::relayed(), super::odd::odd()]
        .into_iter()
        .flatten()
        .collect()
}
