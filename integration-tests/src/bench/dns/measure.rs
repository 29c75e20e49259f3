//! The rounds: every server gets the same load in turn, and its processor time is looked at.

use std::time::Duration;

use super::load::{Load, Tally, WINDOW};
use super::question::{Question, questions};
use super::servers::{ALL, CLIENT, Kind};
use super::zones::{self, Zones};
use crate::bench::figures::Figures;
use crate::bench::report::Table;
use crate::bench::runs::Runs;
use crate::bench::server::Server;
use crate::generate::Plan;
use crate::place::Place;

/// Most questions that are kept: so many that caches hold no more of them than of the inventory.
const QUESTIONS: usize = 400_000;

/// Above so many hosts dnsmasq does not start within the patience that there is.
const DNSMASQ_HOSTS: usize = 20_000;

/// A server and what was measured of it.
pub(super) struct Subject {
    pub(super) kind: Kind,
    server: Server,
    start: Duration,
    /// Microseconds of processor time per answer: the usual mixture, hits alone, misses alone.
    pub(super) mixed: Figures,
    pub(super) hits: Figures,
    pub(super) misses: Figures,
    pub(super) answers: u64,
    pub(super) lost: u64,
    pub(super) wrong: Option<String>,
}

/// DNS by UDP: processor time per answer of every server.
///
/// # Panics
/// A server does not start, or cannot be asked.
pub fn udp(plan: Plan, runs: Runs) -> Table {
    let place = Place::empty();
    plan.write(&place.inventory()).unwrap();
    let zones = zones::write(plan, &place.path().join("zones")).unwrap();
    let left_out = |kind: &Kind| *kind == Kind::Dnsmasq && plan.hosts > DNSMASQ_HOSTS;
    let kinds = ALL.into_iter().filter(|kind| kind.is_here() && !left_out(kind));
    let kinds = kinds.filter(|kind| !runs.only_ours || matches!(kind, Kind::Hostbook | Kind::Echo));
    let mut subjects: Vec<Subject> = kinds.map(|kind| Subject::start(kind, &place, plan, &zones)).collect();
    let sets = [900, 1000, 0].map(|hits| questions(plan, hits, QUESTIONS));
    for _ in 0..runs.rounds {
        for subject in &mut subjects {
            let [mixed, hits, misses] = sets.each_ref().map(|set| subject.measure(set, runs.each));
            subject.mixed.0.push(mixed);
            subject.hits.0.push(hits);
            subject.misses.0.push(misses);
        }
    }
    table(plan, runs, &subjects)
}

impl Subject {
    /// Starts it.
    pub(super) fn start(kind: Kind, place: &Place, plan: Plan, zones: &Zones) -> Subject {
        let server = kind.start(place.path(), plan, zones);
        let start = server.processor_time();
        Subject {
            kind,
            server,
            start,
            mixed: Figures::default(),
            hits: Figures::default(),
            misses: Figures::default(),
            answers: 0,
            lost: 0,
            wrong: None,
        }
    }

    /// Asks every question once, so that what is made for the first one is there.
    pub(super) fn warm(&mut self, questions: &[Question], each: Duration) {
        let mut load = Load::new(questions, CLIENT.parse().unwrap(), self.kind.address(), WINDOW).unwrap();
        let mut asked = 0;
        while asked < questions.len() as u64 {
            let tally = load.run(each).unwrap();
            self.note(questions, &tally);
            asked += tally.right + tally.wrong + tally.lost;
        }
    }

    /// Microseconds of processor time per right answer.
    pub(super) fn measure(&mut self, questions: &[Question], each: Duration) -> f64 {
        let source = CLIENT.parse().unwrap();
        let mut load = Load::new(questions, source, self.kind.address(), WINDOW).unwrap();
        if self.kind == Kind::Echo {
            load = load.unchecked();
        }
        load.run(each / 10).unwrap();
        let before = self.server.processor_time();
        let tally = load.run(each).unwrap();
        let used = self.server.processor_time() - before;
        self.note(questions, &tally);
        used.as_secs_f64() * 1e6 / tally.right.max(1) as f64
    }

    /// Processor time that it has used.
    pub(super) fn processor_time(&self) -> Duration {
        self.server.processor_time()
    }

    /// Counts what a load came to.
    pub(super) fn note(&mut self, questions: &[Question], tally: &Tally) {
        self.answers += tally.right;
        self.lost += tally.lost;
        if let Some((number, wrong)) = tally.first_wrong {
            let octets = &questions[number].octets;
            self.wrong.get_or_insert(format!("{} wrong, first: {wrong}, {octets:?}", tally.wrong));
        }
    }
}

fn table(plan: Plan, runs: Runs, subjects: &[Subject]) -> Table {
    let about = format!(
        "{} hosts (A, AAAA, two PTR), {} rounds of {:.1} s each; one worker each. `mixed`: 90 % names and addresses \
         that exist, 10 % NXDOMAIN. hostbook as it is installed (cookies, rate limit, metrics), asked from a network \
         of its inventory. `answers per core second` belongs to `mixed`; `hostbook is … times` compares round by \
         round.",
        plan.hosts,
        runs.rounds,
        runs.each.as_secs_f64()
    );
    let mut table = Table::new(
        "DNS by UDP",
        about,
        &[
            "server",
            "answers per core second",
            "µs mixed",
            "µs hit",
            "µs NXDOMAIN",
            "hostbook is … times (mixed)",
            "NXDOMAIN / hit",
            "core s to start",
            "RSS MiB",
            "answers",
            "lost",
            "wrong",
        ],
    );
    let ours = &subjects[0];
    for subject in subjects {
        table.row([
            subject.kind.name().to_owned(),
            format!("{:.0}", 1e6 / subject.mixed.median()),
            subject.mixed.to_string(),
            subject.hits.to_string(),
            subject.misses.to_string(),
            subject.mixed.over(&ours.mixed).to_string(),
            subject.misses.over(&subject.hits).to_string(),
            format!("{:.2}", subject.start.as_secs_f64()),
            format!("{:.0}", subject.server.resident_mebibytes()),
            subject.answers.to_string(),
            subject.lost.to_string(),
            subject.wrong.clone().unwrap_or_else(|| "0".to_owned()),
        ]);
    }
    table
}
