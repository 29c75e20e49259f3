//! `hostbook-dhcpd` against Kea: two servers with the same logical configuration hear the same messages.
//!
//! Every field and every option of every reply is compared. What differs is explained in
//! `docs/reference/dhcp-differences.md`, and each scenario says which explanations it needs: one that is
//! missing fails, and so does one that nothing needs.

use std::collections::BTreeSet;
use std::fs;

use integration_tests::isolated::isolated;
use integration_tests::place::{Place, workspace};

use judge::differences;
use scenarios::scenarios;
use servers::Servers;
use talk::Talk;

mod direct;
mod judge;
mod odd;
mod relayed;
mod scenarios;
mod servers;
mod talk;

/// At least as many scenarios are compared.
const LEAST: usize = 60;

/// The words that the page explains, in its table's first column.
fn explained() -> BTreeSet<String> {
    let page = fs::read_to_string(workspace().join("docs/reference/dhcp-differences.md")).unwrap();
    let words = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    words.map(|(word, _)| word.to_owned()).collect()
}

#[test]
fn every_reply_is_that_of_kea_but_for_what_the_page_of_differences_explains() {
    isolated(|| {
        let scenarios = scenarios();
        assert!(scenarios.len() >= LEAST, "{} scenarios", scenarios.len());
        let place = Place::empty();
        let servers = Servers::start(&place, &scenarios);
        let (mut needed, mut failures, mut messages) = (BTreeSet::new(), Vec::new(), 0);
        for (n, scenario) in (1..).zip(&scenarios) {
            let [ours, theirs] = [&servers.ours, &servers.kea].map(|server| {
                let mut talk = Talk::new(server, n);
                (scenario.act)(&mut talk);
                talk.said
            });
            messages += ours.len();
            let (found, unexplained) = differences(&ours, &theirs);
            let said: BTreeSet<&str> = scenario.differs.iter().copied().collect();
            for difference in unexplained {
                failures.push(format!("{}: {difference}", scenario.name));
            }
            if found != said {
                failures.push(format!("{}: differs by {found:?}, and says {said:?}", scenario.name));
            }
            needed.extend(found.into_iter().map(str::to_owned));
        }
        let explained = explained();
        for word in explained.symmetric_difference(&needed) {
            let where_ =
                if explained.contains(word) { "explained, and nothing needs it" } else { "not on the page" };
            failures.push(format!("`{word}` is {where_}"));
        }
        println!("{} scenarios, {messages} messages to each server", scenarios.len());
        assert!(failures.is_empty(), "{}\n{}", failures.join("\n"), servers.kea.log());
    });
}
