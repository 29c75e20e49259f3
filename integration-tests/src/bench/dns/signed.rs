//! Signed zones: the same records and signatures from ours, Knot and NSD, who have copies of what ours signs.

use std::path::Path;

use super::measure::Subject;
use super::question::{Question, questions, rtype};
use super::servers::Kind;
use super::zones::Zones;
use crate::bench::figures::Figures;
use crate::bench::report::Table;
use crate::bench::runs::Runs;
use crate::generate::Plan;
use crate::place::Place;
use crate::run::sh;

const QUESTIONS: usize = 400_000;
/// Names of one round that nobody has asked for.
const NEW: usize = 100_000;

/// Answers from signed zones by UDP: processor time of every server.
///
/// # Panics
/// A server does not start, or cannot be asked.
pub fn signed(plan: Plan, runs: Runs) -> Table {
    let place = Place::empty();
    plan.write(&place.inventory()).unwrap();
    let own = "]\ndnssec = true\nsecondaries = [\"10.0.0.0/8\"]\nttl =";
    place.save("site.toml", &plan.globals().replace("]\nttl =", own));
    let none = Zones { all: Vec::new(), records: 0 };
    let mut subjects = vec![Subject::start(Kind::Hostbook, &place, plan, &none)];
    let zones = copies(plan, place.path());
    let others = [Kind::Knot, Kind::Nsd].into_iter().filter(|kind| kind.is_here() && !runs.only_ours);
    subjects.extend(others.map(|kind| Subject::start(kind, &place, plan, &zones)));
    let [hits, misses] = [1000, 0].map(|hits| {
        let all = questions(plan, hits, QUESTIONS).into_iter();
        let forward = all.filter(|question| question.rtype != rtype::PTR);
        forward.map(Question::signed).collect::<Vec<_>>()
    });
    for subject in &mut subjects {
        subject.warm(&hits, runs.each);
        subject.warm(&misses, runs.each);
    }
    for round in 0..runs.rounds {
        let new: Vec<Question> = (0..NEW).map(|number| new(plan, round, number)).collect();
        for subject in &mut subjects {
            let figures = [&hits, &misses, &new].map(|set| subject.measure(set, runs.each));
            let places = [&mut subject.hits, &mut subject.misses, &mut subject.mixed];
            places.into_iter().zip(figures).for_each(|(place, figure)| place.0.push(figure));
        }
    }
    table(plan, runs, &subjects)
}

/// A question for a name that does not exist and that nobody has asked for.
fn new(plan: Plan, round: usize, number: usize) -> Question {
    let host = plan.host(number % plan.hosts);
    Question::new(&format!("new-{round}-{number}.{}.example.net", host.network), rtype::A, None).signed()
}

/// The signed zones as ours sends them, in master files.
fn copies(plan: Plan, place: &Path) -> Zones {
    let directory = place.join("zones");
    std::fs::create_dir_all(&directory).unwrap();
    let server = Kind::Hostbook.address().ip();
    let mut zones = Zones { all: Vec::new(), records: 0 };
    for network in 0..plan.networks() {
        let apex = format!("n{network}.example.net");
        let file = directory.join(format!("{apex}.zone"));
        sh(&format!("dig @{server} +noall +answer +onesoa {apex} AXFR >{}", file.display()));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("RRSIG") && text.contains("NSEC"), "{apex} is signed");
        zones.records += text.lines().count();
        zones.all.push((apex, file));
    }
    zones
}

fn table(plan: Plan, runs: Runs, subjects: &[Subject]) -> Table {
    let about = format!(
        "{} hosts in zones that hostbook signs while it serves them (ECDSA P-256); the others have copies of them, records, \
         NSEC chain and signatures, and sign nothing. {} rounds of {:.1} s each, by UDP, with DO. `hit`: names that exist, \
         each asked before, so that signatures are kept; `NXDOMAIN`: names that do not, each asked before; `new NXDOMAIN`: \
         names that nobody asked for, for which hostbook makes and signs gaps of their own (RFC 4470). It is looked \
         whether signatures are there, not whether they are good.",
        plan.hosts,
        runs.rounds,
        runs.each.as_secs_f64()
    );
    let columns = [
        "server",
        "µs hit",
        "hostbook is … times",
        "µs NXDOMAIN",
        "hostbook is … times",
        "µs new NXDOMAIN",
        "answers",
        "lost",
        "wrong",
    ];
    let mut table = Table::new("DNS by UDP, signed zones", about, &columns);
    let ours = &subjects[0];
    let over = |figures: &Figures, own: &Figures| figures.over(own).to_string();
    for subject in subjects {
        table.row([
            subject.kind.name().to_owned(),
            subject.hits.to_string(),
            over(&subject.hits, &ours.hits),
            subject.misses.to_string(),
            over(&subject.misses, &ours.misses),
            subject.mixed.to_string(),
            subject.answers.to_string(),
            subject.lost.to_string(),
            subject.wrong.clone().unwrap_or_else(|| "0".to_owned()),
        ]);
    }
    table
}
