//! Our answers against those of NSD and Knot, on the same random master files and the same random
//! questions. What differs is one of the differences that `docs/reference/dns-differences.md` explains,
//! or the test fails; and in a long run each of those is met, so that none is explained that is mended.
//!
//! `HOSTBOOK_TEST_QUESTIONS=100000` asks more than the usual 2,000.

mod judge;
mod peers;
pub(in crate::suite) mod queries;
mod zones;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use integration_tests::isolated::isolated;
use integration_tests::place::workspace;
use integration_tests::temp::TempDir;

use integration_tests::random::Random;
use judge::Said;
use peers::{ADDRESSES, Servers};
use queries::{Asker, Question};

/// Questions in an ordinary run.
const QUESTIONS: usize = 2_000;
/// Questions after which every difference has been met.
const ENOUGH: usize = 100_000;
/// Zones of one round.
const ZONES: usize = 40;
/// Questions of one round.
const PER_ROUND: usize = 5_000;

#[test]
fn every_answer_is_that_of_nsd_and_of_knot_or_a_known_difference() {
    isolated(|| {
        let questions = std::env::var("HOSTBOOK_TEST_QUESTIONS").ok().and_then(|text| text.parse().ok());
        let questions = questions.unwrap_or(QUESTIONS);
        let mut counts = BTreeMap::new();
        let mut failures = Vec::new();
        for round in 0..questions.div_ceil(PER_ROUND) {
            let left = questions - round * PER_ROUND;
            ask(round, left.min(PER_ROUND), &mut counts, &mut failures);
        }
        println!("{questions} questions, known differences: {counts:#?}");
        let explained = explained();
        let counted: BTreeSet<String> = counts.keys().cloned().collect();
        let unexplained: Vec<&String> = counted.difference(&explained).collect();
        assert!(unexplained.is_empty(), "not in the table of differences: {unexplained:?}");
        if questions >= ENOUGH {
            let gone: Vec<&String> = explained.difference(&counted).collect();
            assert!(gone.is_empty(), "in the table of differences, and not met: {gone:?}");
        }
        let shown = &failures[..failures.len().min(12)];
        assert!(failures.is_empty(), "{} unknown differences, such as\n{}", failures.len(), shown.join("\n"));
    });
}

/// What `docs/reference/dns-differences.md` explains: word and peer, as they are counted.
fn explained() -> BTreeSet<String> {
    let path = workspace().join("docs/reference/dns-differences.md");
    let text = fs::read_to_string(path).unwrap();
    let mut explained = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        for (peer, name) in [("nsd", "NSD"), ("knot", "Knot")] {
            if cells[2] == "both" || cells[2].contains(name) {
                explained.insert(format!("{} {peer}", cells[1].trim_matches('`')));
            }
        }
    }
    explained
}

fn ask(round: usize, questions: usize, counts: &mut BTreeMap<String, usize>, failures: &mut Vec<String>) {
    let mut random = Random::new(round as u64 + 1);
    let zones: Vec<_> = (0..ZONES).map(|number| zones::zone(&mut random, number)).collect();
    let place = TempDir::new("differential");
    let _servers = Servers::start(place.path(), &zones);
    let [ours, nsd, knot] = ADDRESSES.map(Asker::new);
    for _ in 0..questions {
        let question = Question::random(&mut random, &zones);
        if !question.is_sendable() {
            continue;
        }
        let said = Said::read(&ours.ask(&question));
        // What Knot alone does otherwise has to be as NSD says.
        let mut nsd_agrees = false;
        for (peer, asker) in [("nsd", &nsd), ("knot", &knot)] {
            let theirs = Said::read(&asker.ask(&question));
            if judge::same(&said, &theirs) {
                nsd_agrees |= peer == "nsd";
                continue;
            }
            let known = judge::known(&question, &said, &theirs, (peer, nsd_agrees), &zones);
            nsd_agrees |= peer == "nsd" && matches!(known, Some("additional" | "flags"));
            match known {
                Some(number) => *counts.entry(format!("{number} {peer}")).or_default() += 1,
                None => {
                    let what = format!("round {round}: {question:?}\nours {said:#?}\n{peer} {theirs:#?}");
                    failures.push(what);
                }
            }
        }
    }
}
