//! Strangers who ask for names that do not exist, and machines that nobody knows: what they cost, and whether those
//! who are known are still served.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::clock::{processor_time, resident_mebibytes};
use super::daemons::{DNS, Pair};
use super::dhcp::load::{Client, Until};
use super::dhcp::packet::{Say, write};
use super::dhcp::servers::{Kind, SERVER, Site};
use super::dns::load::Load;
use super::dns::question::{Question, questions, rtype};
use super::dns::servers::CLIENT;
use super::report::Table;
use super::runs::Runs;
use crate::generate::{Plan, mix};
use crate::place::Place;

/// Networks that strangers have.
const NETWORKS: u8 = 200;
/// Messages of a flood are sent in bursts of so many.
const BURST: usize = 64;

/// What floods do to memory, and to those who are known.
///
/// # Panics
/// A daemon does not start.
pub fn flood(plan: Plan, runs: Runs) -> Table {
    let columns = [
        "flood",
        "messages",
        "µs of the daemon each",
        "RSS MiB before",
        "RSS MiB after",
        "known: served",
        "lost",
    ];
    let seconds = runs.each.as_secs_f64() * 5.0;
    let about = format!(
        "{} hosts. For {seconds:.0} s as fast as one core can; meanwhile a known client asks as one does, one question \
         or exchange at a time. What is lost of it is what found the daemon's socket full.",
        plan.hosts
    );
    let mut table = Table::new("Floods", about, &columns);
    let wanted = runs.each * 5;
    let place = Place::empty();
    plan.write(&place.inventory()).unwrap();
    table.row(discovers(plan, &place, wanted));
    let pair = Pair::start(plan, place);
    let zone = plan.host(0).fqdn;
    let below = |number: u64| format!("x{:016x}.{zone}", mix(number));
    let outside = |number: u64| format!("x{:016x}.example.com", mix(number));
    table.row(names("random names below a host", &pair, wanted, &below));
    table.row(names("random names elsewhere", &pair, wanted, &outside));
    table
}

/// A flood of questions, from strangers of many networks.
fn names(what: &str, pair: &Pair, wanted: Duration, name: &(dyn Fn(u64) -> String + Sync)) -> Vec<String> {
    let known = questions(Plan { hosts: pair.plan.hosts, seed: 1 }, 1000, 4_000);
    let server: SocketAddr = DNS.parse().unwrap();
    let pid = pair.dnsd.pid();
    let (memory, before) = (resident_mebibytes(pid), processor_time(pid));
    let (sent, tally) = std::thread::scope(|scope| {
        let flooding = scope.spawn(|| {
            let sockets: Vec<UdpSocket> = (0..NETWORKS)
                .map(|network| UdpSocket::bind((Ipv4Addr::new(10, 200, network, 1), 0)).unwrap())
                .collect();
            flood_with(wanted, |number| {
                let mut octets = Question::new(&name(number), rtype::A, None).octets.to_vec();
                octets[..2].copy_from_slice(&mix(number).to_be_bytes()[..2]);
                let socket = &sockets[usize::try_from(mix(number) % u64::from(NETWORKS)).unwrap()];
                let _ = socket.send_to(&octets, server);
            })
        });
        let mut load = Load::new(&known, CLIENT.parse().unwrap(), server, 4).unwrap();
        let tally = load.run(wanted).unwrap();
        (flooding.join().unwrap(), tally)
    });
    assert_eq!(tally.wrong, 0, "{:?}", tally.first_wrong);
    row(
        what,
        sent,
        (processor_time(pid) - before, memory, resident_mebibytes(pid)),
        (tally.right, tally.lost),
    )
}

/// A flood of DISCOVERs of machines that nobody knows.
fn discovers(plan: Plan, place: &Place, wanted: Duration) -> Vec<String> {
    let site = Site::reservations(plan);
    let clients: Vec<Client> = site.clients();
    let running = Kind::Hostbook.start(place.path(), &site, clients[0]);
    let pid = running.server.pid();
    let (memory, before) = (resident_mebibytes(pid), processor_time(pid));
    let agent = Ipv4Addr::new(10, 0, 255, 254);
    let (sent, tally) = std::thread::scope(|scope| {
        let flooding = scope.spawn(|| {
            running.on(|| {
                let socket = UdpSocket::bind((agent, 0)).unwrap();
                flood_with(wanted, |number| {
                    let mut octets = [0; 400];
                    let [_, _, mac @ ..] = mix(number).to_be_bytes();
                    let id = u32::try_from(number & 0xffff_ffff).unwrap();
                    let length = write(
                        Say::Discover,
                        id,
                        [mac[0] & 0xfc | 2, mac[1], mac[2], mac[3], mac[4], mac[5]],
                        agent,
                        &mut octets,
                    );
                    let _ = socket.send_to(&octets[..length], (SERVER, 67));
                })
            })
        });
        let tally = running.load(&clients, site.pools.len(), |load| load.run(Until::time(wanted)).unwrap());
        (flooding.join().unwrap(), tally)
    });
    assert_eq!(tally.wrong, 0, "{:?}", tally.first_wrong);
    let after = resident_mebibytes(pid);
    row(
        "DISCOVERs of random machines",
        sent,
        (processor_time(pid) - before, memory, after),
        (tally.exchanges, tally.lost),
    )
}

/// Sends for as long as `wanted`; returns how many messages.
fn flood_with(wanted: Duration, send: impl Fn(u64)) -> u64 {
    let start = Instant::now();
    let mut number = 0;
    while start.elapsed() < wanted {
        for _ in 0..BURST {
            number += 1;
            send(number);
        }
    }
    number
}

fn row(
    what: &str,
    sent: u64,
    (used, before, after): (Duration, f64, f64),
    (served, lost): (u64, u64),
) -> Vec<String> {
    vec![
        what.to_owned(),
        sent.to_string(),
        format!("{:.2}", used.as_secs_f64() * 1e6 / (sent + served).max(1) as f64),
        format!("{before:.1}"),
        format!("{after:.1}"),
        served.to_string(),
        lost.to_string(),
    ]
}
