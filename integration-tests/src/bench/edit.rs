//! What an edit does to those who ask meanwhile: nothing is to be lost, and nobody is to wait for long.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::clock::of_process;
use super::daemons::{EDITS, edited_host, move_host};
use super::dhcp::load::{Client, Until};
use super::dhcp::servers as dhcp_servers;
use super::dns::load::{Load, WINDOW};
use super::dns::question::{Question, questions};
use super::dns::servers as dns_servers;
use super::dns::zones::Zones;
use super::figures::Figures;
use super::report::Table;
use crate::generate::{HOSTS_PER_FILE, Plan};
use crate::place::Place;

/// So long each edit is watched: a daemon waits for quiet, reads, and serves.
const WATCHED: Duration = Duration::from_millis(600);
/// An answer that takes longer is lost.
const LOST_AFTER: Duration = Duration::from_secs(2);
const QUESTIONS: usize = 100_000;

/// What was seen of a daemon while edits came.
#[derive(Default)]
struct Seen {
    /// Answers, one asked after the other, and those that did not come.
    alone: (u64, u64),
    /// The same, as many as the daemon bears.
    busy: (u64, u64),
    /// Milliseconds of processor time of the daemon from a question to its answer: the longest of each edit.
    pauses: Figures,
    /// The same by the clock of the wall.
    waits: Figures,
}

/// Losses and pauses of both daemons.
///
/// # Panics
/// A daemon does not start, or an answer is wrong.
pub fn edit(plan: Plan) -> Table {
    let place = Place::empty();
    plan.write(&place.inventory()).unwrap();
    let about = format!(
        "{} hosts in files of {HOSTS_PER_FILE}, {EDITS} edits that each move one host. A pause is what the daemon uses of \
         its core from a question to its answer (from the begin of an exchange to its end), one after the other: the \
         longest of each edit, their median, the least and the greatest. Then {EDITS} more edits while as many ask as \
         the daemon bears. Who is edited is not asked about; all other answers are checked.",
        plan.hosts
    );
    let columns = [
        "daemon",
        "longest pause, core ms",
        "the same by the clock",
        "answers, one at a time",
        "lost",
        "answers at full load",
        "lost at full load",
    ];
    let mut table = Table::new("While one host is edited", about, &columns);
    for (name, seen) in [("dnsd", dnsd(plan, &place)), ("dhcpd", dhcpd(plan, &place))] {
        table.row([
            name.to_owned(),
            seen.pauses.to_string(),
            seen.waits.to_string(),
            seen.alone.0.to_string(),
            seen.alone.1.to_string(),
            seen.busy.0.to_string(),
            seen.busy.1.to_string(),
        ]);
    }
    table
}

fn dnsd(plan: Plan, place: &Place) -> Seen {
    let none = Zones { all: Vec::new(), records: 0 };
    let kind = dns_servers::Kind::Hostbook;
    let server = kind.start(place.path(), plan, &none);
    let source = dns_servers::CLIENT.parse().unwrap();
    let edited: Vec<Question> = moved(plan).flat_map(|host| Question::about(&plan.host(host))).collect();
    let mut asked = questions(plan, 1000, QUESTIONS);
    asked.retain(|question| !edited.contains(question));
    let socket = UdpSocket::bind((dns_servers::CLIENT, 0)).unwrap();
    socket.connect(kind.address()).unwrap();
    socket.set_read_timeout(Some(LOST_AFTER)).unwrap();
    let (mut next, mut reply) = (0, [0; 1500]);
    let mut seen = Seen::default();
    seen.watch(plan, place, server.pid(), || {
        let question = &asked[next % asked.len()];
        next += 1;
        socket.send(&question.octets).unwrap();
        let Ok(octets) = socket.recv(&mut reply) else { return false };
        assert_eq!(question.check(&reply[..octets]), Ok(()), "{:?}", question.octets);
        true
    });
    seen.busy = while_edited(plan, place, |wanted| {
        let mut load = Load::new(&asked, source, kind.address(), WINDOW).unwrap();
        let tally = load.run(wanted).unwrap();
        assert_eq!(tally.wrong, 0, "{:?}", tally.first_wrong);
        (tally.right, tally.lost)
    });
    seen
}

fn dhcpd(plan: Plan, place: &Place) -> Seen {
    let site = dhcp_servers::Site::reservations(plan);
    let edited: Vec<_> = moved(plan).map(|host| Some(plan.host(host).ipv4)).collect();
    let clients: Vec<Client> =
        site.clients().into_iter().filter(|client| !edited.contains(&client.address)).collect();
    let running = dhcp_servers::Kind::Hostbook.start(place.path(), &site, clients[0]);
    let agents = site.pools.len();
    let mut seen = Seen::default();
    running.load(&clients, agents, |load| {
        seen.watch(plan, place, running.server.pid(), || {
            let tally = load.run(Until { time: LOST_AFTER * 2, exchanges: 1 }).unwrap();
            assert_eq!(tally.wrong, 0, "{:?}", tally.first_wrong);
            tally.exchanges == 1
        });
    });
    seen.busy = while_edited(plan, place, |wanted| {
        let tally = running.load(&clients, agents, |load| load.run(Until::time(wanted)).unwrap());
        assert_eq!(tally.wrong, 0, "{:?}", tally.first_wrong);
        (tally.exchanges, tally.lost)
    });
    seen
}

/// Numbers of the hosts that are moved.
fn moved(plan: Plan) -> impl Iterator<Item = usize> {
    (1..=EDITS).map(move |number| edited_host(plan, number))
}

/// Runs a load for as long as `EDITS` edits take, which come meanwhile.
fn while_edited<T>(plan: Plan, place: &Place, load: impl FnOnce(Duration) -> T) -> T {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=EDITS {
                std::thread::sleep(WATCHED);
                move_host(plan, place, number, EDITS);
            }
        });
        load(WATCHED * u32::try_from(EDITS + 2).unwrap())
    })
}

impl Seen {
    /// Edits, and asks one after the other meanwhile; `ask` says whether an answer came.
    fn watch(&mut self, plan: Plan, place: &Place, pid: u32, mut ask: impl FnMut() -> bool) {
        for number in 1..=EDITS {
            move_host(plan, place, number, 0);
            let start = Instant::now();
            let mut longest = (Duration::ZERO, Duration::ZERO);
            while start.elapsed() < WATCHED {
                // What the daemon does while nobody asks is no pause.
                let (asked, used) = (Instant::now(), of_process(pid).unwrap());
                let count = if ask() { &mut self.alone.0 } else { &mut self.alone.1 };
                *count += 1;
                let used = of_process(pid).unwrap() - used;
                longest = (longest.0.max(asked.elapsed()), longest.1.max(used));
            }
            self.waits.0.push(longest.0.as_secs_f64() * 1000.0);
            self.pauses.0.push(longest.1.as_secs_f64() * 1000.0);
        }
    }
}
