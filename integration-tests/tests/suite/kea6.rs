//! `hostbook-dhcpd` against Kea for DHCPv6: two servers with the same logical configuration hear the same
//! messages.
//!
//! Relay agents, types, options, identity associations with their timers, lifetimes and states, and where
//! it is sent: all of every reply is compared. What differs is explained in
//! `docs/reference/dhcp6-differences.md`, and held to it both ways, as for DHCPv4.

use integration_tests::isolated::isolated;
use integration_tests::place::Place;

use super::kea::compare::Verdict;
use judge::{fields, word};
use scenarios::scenarios;
use site::start;
use talk::Talk;

mod direct;
mod judge;
mod odd;
mod relayed;
mod scenarios;
mod site;
mod talk;

/// At least as many scenarios are compared.
const LEAST: usize = 60;

#[test]
fn every_reply_is_that_of_kea_but_for_what_the_page_of_differences_explains() {
    isolated(|| {
        let scenarios = scenarios();
        assert!(scenarios.len() >= LEAST, "{} scenarios", scenarios.len());
        let place = Place::empty();
        let [ours, kea] = start(&place, scenarios.len());
        let mut verdict = Verdict::default();
        for (n, scenario) in (1..).zip(&scenarios) {
            let [said_to_ours, said_to_kea] = [&ours, &kea].map(|server| {
                let mut talk = Talk::new(server, n);
                (scenario.act)(&mut talk);
                let said = talk.said.into_iter();
                said.map(|(ask, heard)| (ask, fields(heard.as_ref()))).collect::<Vec<_>>()
            });
            verdict.judge((scenario.name, scenario.differs), [&said_to_ours, &said_to_kea], word);
        }
        verdict.end("dhcp6-differences.md", &kea.log());
    });
}
