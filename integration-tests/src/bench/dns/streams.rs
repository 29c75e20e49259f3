//! DNS by TCP and TLS with many questions on the way: processor time per answer.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;

use super::measure::Subject;
use super::question::{Question, questions};
use super::servers::{CERTIFICATE, CLIENT, KEY, Kind};
use super::stream;
use super::zones;
use crate::bench::report::Table;
use crate::bench::runs::Runs;
use crate::generate::Plan;
use crate::place::Place;
use crate::run::sh;

const QUESTIONS: usize = 400_000;
const CONNECTIONS: usize = 4;

/// Answers over connections: processor time of every server.
///
/// # Panics
/// A server does not start, or cannot be asked.
pub fn streams(plan: Plan, runs: Runs) -> Table {
    let place = Place::empty();
    plan.write(&place.inventory()).unwrap();
    certify(place.path());
    let zones = zones::write(plan, &place.path().join("zones")).unwrap();
    let kinds = [Kind::Hostbook, Kind::Knot, Kind::Nsd].into_iter();
    let kinds = kinds.filter(|kind| kind.is_here() && (!runs.only_ours || *kind == Kind::Hostbook));
    let mut subjects: Vec<Subject> = kinds.map(|kind| Subject::start(kind, &place, plan, &zones)).collect();
    let asked = questions(plan, 900, QUESTIONS);
    let tls = stream::trusting(&place.path().join(CERTIFICATE));
    for _ in 0..runs.rounds {
        for subject in &mut subjects {
            let figure = measure(subject, &asked, None, runs);
            subject.mixed.0.extend(figure);
            if subject.kind.speaks_tls() {
                let figure = measure(subject, &asked, Some(&tls), runs);
                subject.hits.0.extend(figure);
            }
        }
    }
    table(plan, runs, &subjects)
}

/// Makes a certificate for all servers, which vouches for itself.
fn certify(place: &Path) {
    let file = |name: &str| place.join(name).display().to_string();
    fs::write(place.join("openssl.cnf"), "[req]\ndistinguished_name = nothing\n[nothing]\n").unwrap();
    let names: Vec<String> =
        [Kind::Hostbook, Kind::Nsd].iter().map(|kind| format!("IP:{}", kind.address().ip())).collect();
    sh(&format!(
        "openssl req -config {} -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=bench \
         -addext basicConstraints=critical,CA:FALSE -addext subjectAltName={} -keyout {} -out {} 2>/dev/null",
        file("openssl.cnf"),
        names.join(","),
        file(KEY),
        file(CERTIFICATE)
    ));
}

/// Microseconds of processor time per right answer, over connections that are open; `None` if the server stops answering
/// on one before that.
fn measure(
    subject: &mut Subject,
    asked: &[Question],
    tls: Option<&Arc<ClientConfig>>,
    runs: Runs,
) -> Option<f64> {
    let mut server = subject.kind.address();
    if tls.is_some() {
        server.set_port(853);
    }
    let mut streams = Vec::new();
    for number in 0..CONNECTIONS {
        let mut stream = stream::open(CLIENT.parse().unwrap(), server, tls).unwrap();
        let first = number * asked.len() / CONNECTIONS;
        let warm = stream::run(&mut *stream, asked, first, runs.each / 10).unwrap();
        if warm.lost > 0 {
            subject.note(asked, &warm);
            return None;
        }
        streams.push((stream, first));
    }
    let before = subject.processor_time();
    let tallies: Vec<_> = std::thread::scope(|scope| {
        let clients: Vec<_> = streams
            .iter_mut()
            .map(|(stream, first)| {
                scope.spawn(|| stream::run(&mut **stream, asked, *first, runs.each).unwrap())
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let used = subject.processor_time() - before;
    tallies.iter().for_each(|tally| subject.note(asked, tally));
    let right: u64 = tallies.iter().map(|tally| tally.right).sum();
    Some(used.as_secs_f64() * 1e6 / right.max(1) as f64)
}

fn table(plan: Plan, runs: Runs, subjects: &[Subject]) -> Table {
    let about = format!(
        "{} hosts, 90 % names and addresses that exist, {} rounds of {:.1} s each; {CONNECTIONS} connections, each with 48 \
         questions on the way. A connection is opened and used before it is measured; a server that leaves questions of one unanswered for 20 s is \
         not measured there, and they count as lost. Debian's Knot (3.2) does not serve DNS over TLS.",
        plan.hosts,
        runs.rounds,
        runs.each.as_secs_f64()
    );
    let columns = [
        "server",
        "µs by TCP",
        "hostbook is … times",
        "µs by TLS",
        "hostbook is … times",
        "answers",
        "lost",
        "wrong",
    ];
    let mut table = Table::new("DNS by TCP and TLS, pipelined", about, &columns);
    let ours = &subjects[0];
    for subject in subjects {
        table.row([
            subject.kind.name().to_owned(),
            subject.mixed.to_string(),
            subject.mixed.over(&ours.mixed).to_string(),
            subject.hits.to_string(),
            subject.hits.over(&ours.hits).to_string(),
            subject.answers.to_string(),
            subject.lost.to_string(),
            subject.wrong.clone().unwrap_or_else(|| "0".to_owned()),
        ]);
    }
    table
}
