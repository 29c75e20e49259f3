//! The rounds: every server gets the same clients in turn, and its processor time is looked at.

use std::time::Duration;

use super::load::{Client, Until};
use super::servers::{ALL, Kind, Running, Site};
use crate::bench::figures::Figures;
use crate::bench::report::Table;
use crate::bench::runs::Runs;
use crate::generate::Plan;
use crate::place::Place;

/// Exchanges of each server in each round with a pool: all together they fit into it.
const POOL_EXCHANGES: usize = 5_000;
/// How much longer than usual a round with a pool may take: some servers wait for the disk at each lease.
const POOL_TIMES: u32 = 3;
/// Above so many hosts dnsmasq does not answer within minutes.
const DNSMASQ_HOSTS: usize = 20_000;

const POOL_INVENTORY: &str = r#"
[site]
nameservers = ["ns1.example.net"]
[zone."n0.example.net"]
[network.n0]
zone = "n0.example.net"
ipv4 = "10.0.0.0/16"
gateway = "10.0.255.254"
dns = ["10.0.255.253"]
pool = ["10.0.1.0-10.0.250.255"]
lease = "12h"
probe = false
"#;

/// A server and what was measured of it.
struct Subject {
    running: Running,
    start: Duration,
    /// Microseconds of processor time per exchange.
    cost: Figures,
    exchanges: u64,
    lost: u64,
    wrong: Option<String>,
}

/// Exchanges of known machines.
///
/// # Panics
/// A server does not start, or cannot be asked.
pub fn reservations(plan: Plan, runs: Runs) -> Table {
    let place = Place::empty();
    plan.write(&place.inventory()).unwrap();
    let site = Site::reservations(plan);
    let clients = site.clients();
    let left_out = |kind: Kind| kind == Kind::Dnsmasq && plan.hosts > DNSMASQ_HOSTS;
    let mut subjects = start(&place, &site, clients[0], runs, left_out);
    for _ in 0..runs.rounds {
        for subject in &mut subjects {
            subject.round(&clients, site.pools.len(), Until::time(runs.each));
        }
    }
    let about = format!(
        "{} hosts; each exchange is a known machine's DISCOVER, OFFER, REQUEST and ACK through a relay agent, its \
         address compared with the inventory's. {} rounds of {:.1} s each.",
        plan.hosts,
        runs.rounds,
        runs.each.as_secs_f64()
    );
    table(format!("DHCP, {} reservations", plan.hosts), about, &subjects)
}

/// Exchanges of strangers, who get addresses of a pool.
///
/// # Panics
/// A server does not start, or cannot be asked.
pub fn pool(runs: Runs) -> Table {
    let place = Place::empty();
    place.save("site.toml", POOL_INVENTORY);
    let site = Site::pool();
    let stranger = |number: u32| {
        let [a, b, c, d] = number.to_be_bytes();
        Client { mac: [2, 7, a, b, c, d], agent: 0, address: None }
    };
    let mut subjects = start(&place, &site, stranger(u32::MAX), runs, |_| false);
    for round in 0..runs.rounds {
        let first = round * POOL_EXCHANGES;
        let clients: Vec<Client> =
            (first..first + POOL_EXCHANGES).map(|number| stranger(u32::try_from(number).unwrap())).collect();
        for subject in &mut subjects {
            subject.round(&clients, 1, Until { time: runs.each * POOL_TIMES, exchanges: POOL_EXCHANGES });
        }
    }
    let about = format!(
        "Strangers get addresses of a pool, through a relay agent: at most {POOL_EXCHANGES} of them in each of {} rounds, none \
         of whom may get another's. hostbook syncs each lease to the disk before its ACK, and dnsmasq may; Kea and ISC \
         dhcpd as Debian sets them up: Kea writes and does not sync.",
        runs.rounds
    );
    table("DHCP, leases of a pool".to_owned(), about, &subjects)
}

fn start(
    place: &Place,
    site: &Site,
    client: Client,
    runs: Runs,
    left_out: impl Fn(Kind) -> bool,
) -> Vec<Subject> {
    let kinds = ALL.into_iter().filter(|kind| kind.is_here() && !left_out(*kind));
    let kinds = kinds.filter(|kind| !runs.only_ours || matches!(kind, Kind::Hostbook | Kind::Echo));
    kinds
        .map(|kind| {
            let running = kind.start(place.path(), site, client);
            let start = running.server.processor_time();
            Subject { running, start, cost: Figures::default(), exchanges: 0, lost: 0, wrong: None }
        })
        .collect()
}

impl Subject {
    fn round(&mut self, clients: &[Client], agents: usize, until: Until) {
        let before = self.running.server.processor_time();
        let tally = self.running.load(clients, agents, |load| load.run(until).unwrap());
        let used = self.running.server.processor_time() - before;
        self.cost.0.push(used.as_secs_f64() * 1e6 / tally.exchanges.max(1) as f64);
        self.exchanges += tally.exchanges;
        self.lost += tally.lost;
        if let Some(wrong) = tally.first_wrong {
            self.wrong.get_or_insert(format!("{} wrong, first: {wrong}", tally.wrong));
        }
    }
}

fn table(title: String, about: String, subjects: &[Subject]) -> Table {
    let columns = [
        "server",
        "exchanges per core second",
        "µs per exchange",
        "hostbook is … times",
        "core s to start",
        "RSS MiB",
        "exchanges",
        "lost",
        "wrong",
    ];
    let mut table = Table::new(title, about, &columns);
    for subject in subjects {
        table.row([
            subject.running.kind.name().to_owned(),
            format!("{:.0}", 1e6 / subject.cost.median()),
            subject.cost.to_string(),
            subject.cost.over(&subjects[0].cost).to_string(),
            format!("{:.2}", subject.start.as_secs_f64()),
            format!("{:.0}", subject.running.server.resident_mebibytes()),
            subject.exchanges.to_string(),
            subject.lost.to_string(),
            subject.wrong.clone().unwrap_or_else(|| "0".to_owned()),
        ]);
    }
    table
}
