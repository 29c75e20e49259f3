//! Queries and exchanges go on without a pause while 200 edits land: nothing is lost, each answer is of one
//! generation that may be in service at that moment and never of an older one than the answer before,
//! and each edit is seen in both daemons.

mod askers;
mod edits;
mod world;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{RwLock, RwLockReadGuard};

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};

use edits::Editor;
use world::World;

const EDITS: usize = 200;
const SERVER: &str = "10.20.0.2";
const SERVER_V6: &str = "2001:db8:20::2";
/// Two addresses of the machine that asks; each speaks for other machines as a relay agent.
const ASKER: &str = "10.20.0.3";
const EDITOR: &str = "10.20.0.4";

/// What has been in service, and what may be now.
struct History {
    /// One per edit; one that breaks the inventory leaves the world as it was.
    worlds: RwLock<Vec<World>>,
    /// The world that both daemons surely serve, or a later one.
    confirmed: AtomicUsize,
    /// The world that a daemon may serve already.
    begun: AtomicUsize,
    /// The last edit has been seen.
    over: AtomicBool,
}

impl History {
    fn worlds(&self) -> RwLockReadGuard<'_, Vec<World>> {
        self.worlds.read().unwrap()
    }

    /// To be called before the first octet of the next world is written.
    fn begin(&self, world: World) {
        self.worlds.write().unwrap().push(world);
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    fn confirm(&self) {
        self.confirmed.store(self.begun.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

/// Ends the askers however the editor ends.
struct Over<'a>(&'a History);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

#[test]
fn nothing_is_lost_and_no_answer_is_wrong_or_mixed_while_200_edits_land() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.20.0.2/16", "2001:db8:20::2/64"]);
        let client = lan.attach("client", "52:54:00:ff:00:01");
        for address in [&format!("{ASKER}/16"), &format!("{EDITOR}/16"), "2001:db8:20::3/64"] {
            client.add_address(address);
        }
        // On a slow machine there are more connections in a minute than a client has ports.
        client.sh("echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse || true");
        let place = Place::empty();
        let first = World::first();
        first.write(&place);
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        let dnsd = Launch::dnsd(&place).args(&["--listen", SERVER, "--listen", SERVER_V6]).start();
        let pids = [dhcpd.pid(), dnsd.pid()];
        let history = History {
            worlds: RwLock::new(vec![first]),
            confirmed: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        };
        client.on(|| ask_while_editing(&history, &place, &dhcpd, &dnsd));
        assert_eq!([pid(&dhcpd), pid(&dnsd)], pids, "a daemon was restarted");
    });
}

fn ask_while_editing(history: &History, place: &Place, dhcpd: &Daemon, dnsd: &Daemon) {
    std::thread::scope(|scope| {
        let askers = [
            scope.spawn(|| askers::dns_by_udp(history, SERVER)),
            scope.spawn(|| askers::dns_by_udp(history, SERVER_V6)),
            scope.spawn(|| askers::dns_by_tcp(history, SERVER)),
            scope.spawn(|| askers::dhcp(history, ASKER, SERVER)),
        ];
        let over = Over(history);
        let mut editor = Editor::new(history, place, dhcpd, dnsd);
        for number in 1..=EDITS {
            editor.edit(number);
            // What an asker found wrong ends the test at once.
            if askers.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                break;
            }
        }
        drop(over);
        let counts: Vec<u64> = askers.into_iter().map(|asker| asker.join().unwrap()).collect();
        println!("answers checked during {EDITS} edits (UDP, UDP over IPv6, TCP, DHCP): {counts:?}");
        assert!(counts.iter().all(|count| *count > EDITS as u64), "{counts:?}");
    });
}

fn pid(daemon: &Daemon) -> u32 {
    u32::try_from(daemon.status()["pid"].as_u64().unwrap()).unwrap()
}
