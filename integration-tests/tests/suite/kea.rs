//! `hostbook-dhcpd` against Kea: two servers with the same logical configuration hear the same messages.
//!
//! Every field and every option of every reply is compared. What differs is explained in
//! `docs/reference/dhcp-differences.md`, and each scenario says which explanations it needs: one that is
//! missing fails, and so does one that nothing needs.

use integration_tests::isolated::isolated;
use integration_tests::place::Place;

use compare::Verdict;
use judge::{fields, word};
use scenarios::scenarios;
use servers::Servers;
use talk::Talk;

pub(super) mod compare;
mod direct;
mod judge;
mod links;
mod odd;
mod relayed;
mod scenarios;
pub(super) mod servers;
mod talk;

/// At least as many scenarios are compared.
const LEAST: usize = 60;

#[test]
fn every_reply_is_that_of_kea_but_for_what_the_page_of_differences_explains() {
    isolated(|| {
        let scenarios = scenarios();
        assert!(scenarios.len() >= LEAST, "{} scenarios", scenarios.len());
        let place = Place::empty();
        let servers = Servers::start(&place, &scenarios);
        let mut verdict = Verdict::default();
        for (n, scenario) in (1..).zip(&scenarios) {
            let [ours, theirs] = [&servers.ours, &servers.kea].map(|server| {
                let mut talk = Talk::new(server, n);
                (scenario.act)(&mut talk);
                let said = talk.said.into_iter();
                said.map(|(ask, heard)| (ask, fields(heard.as_ref()))).collect::<Vec<_>>()
            });
            verdict.judge((scenario.name, scenario.differs), [&ours, &theirs], word);
        }
        verdict.end("dhcp-differences.md", &servers.kea.log());
    });
}
