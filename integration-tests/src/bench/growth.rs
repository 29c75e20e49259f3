//! How costs grow with the inventory: a table and a plot.

use std::time::Duration;

use super::clock::processor_time;
use super::daemons::Pair;
use super::dhcp::load::{Client, Until};
use super::dhcp::servers::{Kind, Site};
use super::dns::load::{Load, WINDOW};
use super::dns::question::questions;
use super::dns::servers::CLIENT;
use super::figures::Figures;
use super::plot::{Line, Plot};
use super::report::Table;
use super::runs::Runs;
use crate::generate::Plan;
use crate::place::Place;

/// Sizes of the inventory.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const QUESTIONS: usize = 400_000;

/// Cost per query, per exchange and per edit at every size up to that of `plan`, and the plot.
///
/// # Panics
/// A daemon does not start.
pub fn growth(most: usize, runs: Runs) -> (Table, String) {
    let columns = ["hosts", "µs per query", "µs per exchange", "ms per edit, dhcpd", "ms per edit, dnsd"];
    let about =
        "The same daemons on inventories of more and more hosts, in files of 100; every answer is checked.";
    let mut table = Table::new("Cost by number of hosts", about, &columns);
    let mut lines: Vec<Line> = columns[1..].iter().map(|name| Line::new(name)).collect();
    for hosts in SIZES.into_iter().filter(|hosts| *hosts <= most) {
        let plan = Plan { hosts, seed: 1 };
        let place = Place::empty();
        plan.write(&place.inventory()).unwrap();
        let exchange = exchanges(plan, &place, runs);
        let mut pair = Pair::start(plan, place);
        let query = queries(&pair, runs);
        let [dhcpd, dnsd] =
            pair.reload().map(|figures| Figures(figures.0.iter().map(|s| s * 1000.0).collect()));
        let figures = [query, exchange, dhcpd, dnsd];
        for (line, figures) in lines.iter_mut().zip(&figures) {
            line.points.push((hosts as f64, figures.median()));
        }
        table.row([hosts.to_string()].into_iter().chain(figures.iter().map(ToString::to_string)));
    }
    (table, Plot { title: "Cost by number of hosts", x: "hosts", y: "µs or ms of a core", lines }.svg())
}

fn queries(pair: &Pair, runs: Runs) -> Figures {
    let asked = questions(pair.plan, 900, QUESTIONS);
    let address = super::daemons::DNS.parse().unwrap();
    let mut load = Load::new(&asked, CLIENT.parse().unwrap(), address, WINDOW).unwrap();
    load.run(Duration::from_millis(100)).unwrap();
    let round = |_| {
        let before = processor_time(pair.dnsd.pid());
        let tally = load.run(runs.each).unwrap();
        assert_eq!((tally.wrong, tally.first_wrong), (0, None), "every answer is right");
        (processor_time(pair.dnsd.pid()) - before).as_secs_f64() * 1e6 / tally.right.max(1) as f64
    };
    Figures((0..runs.rounds).map(round).collect())
}

fn exchanges(plan: Plan, place: &Place, runs: Runs) -> Figures {
    let site = Site::reservations(plan);
    let clients: Vec<Client> = site.clients();
    let running = Kind::Hostbook.start(place.path(), &site, clients[0]);
    let round = |_| {
        let before = running.server.processor_time();
        let tally =
            running.load(&clients, site.pools.len(), |load| load.run(Until::time(runs.each)).unwrap());
        assert_eq!((tally.wrong, tally.first_wrong), (0, None), "every reply is right");
        (running.server.processor_time() - before).as_secs_f64() * 1e6 / tally.exchanges.max(1) as f64
    };
    Figures((0..runs.rounds).map(round).collect())
}
