//! A scenario: what one or several clients say, one message after the other.

use integration_tests::message::Ask;

use super::servers::Site;
use super::talk::Talk;

/// A scenario.
pub(super) struct Scenario {
    /// What it shows.
    pub(super) name: &'static str,
    /// What its networks are like.
    pub(super) site: Site,
    /// Words of the page of differences that explain what differs in it; all of them are needed.
    pub(super) differs: &'static [&'static str],
    /// What is said.
    pub(super) act: fn(&mut Talk<'_>),
}

impl Scenario {
    /// One in which nothing differs.
    pub(super) const fn new(name: &'static str, act: fn(&mut Talk<'_>)) -> Scenario {
        Scenario { name, site: Site::Pools, differs: &[], act }
    }

    /// In which this differs.
    pub(super) const fn differs(self, differs: &'static [&'static str]) -> Scenario {
        Scenario { differs, ..self }
    }

    /// In networks of this kind.
    pub(super) const fn at(self, site: Site) -> Scenario {
        Scenario { site, ..self }
    }
}

/// All of them.
pub(super) fn scenarios() -> Vec<Scenario> {
    use super::{direct, links, odd, relayed};
    let all = [direct::reserved(), direct::leased(), relayed::relayed(), links::links(), odd::odd()];
    all.into_iter().flatten().collect()
}

/// What dhclient asks for.
const TYPICAL: [u8; 13] = [1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42];

/// `ask` with the list of options that an ordinary client wants.
pub(super) fn typical(ask: Ask) -> Ask {
    ask.option(55, &TYPICAL)
}

/// The same list, for [`Talk::join`].
pub(super) const WANTS: &[(u8, &[u8])] = &[(55, &TYPICAL)];
