//! Disks that are full, cannot be written, or fail: no lease is given that is not durable, everything else
//! goes on, status says what is wrong, and it heals by itself.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use integration_tests::dns;
use integration_tests::faults::{Fault, Faults};
use integration_tests::isolated::isolated;
use integration_tests::programs::{Daemon, Launch, program};
use integration_tests::run::{run, sh, wait_until};
use nix::errno::Errno;
use nix::sys::signal::Signal;

use super::Net;
use super::crowd::{Crowd, Promised, mac};
use super::tongue::{Family, Kind, Say};

const RESERVED: [u8; 6] = [0x52, 0x54, 0, 0xaa, 0, 0x11];
/// The address that the inventory gives it, and the one after an edit.
fn reserved(family: Family) -> [&'static str; 2] {
    match family {
        Family::V4 => ["10.20.0.11", "10.20.0.12"],
        Family::V6 => ["2001:db8:20::11", "2001:db8:20::12"],
    }
}

/// What a small disk has.
const SMALL: &str = "size=4m";

/// A server with clients that have leases, and a name server beside it.
struct Site {
    net: Net,
    daemon: Daemon,
    dnsd: Daemon,
    crowd: Crowd,
    promised: Promised,
    /// Clients that have leases.
    clients: u32,
}

/// A memory disk under the state directories.
fn small_disk(net: &Net) {
    let state = net.place.path().join("state");
    fs::create_dir_all(&state).unwrap();
    sh(&format!("mount -t tmpfs -o {SMALL} none {}", state.display()));
}

/// Takes what room is left.
fn fill(state: &Path) {
    let (ballast, mut octets) = (state.join("ballast"), vec![1; 1 << 20]);
    while octets.len() >= 512 {
        use std::io::Write;
        let mut file = fs::File::options().append(true).create(true).open(&ballast).unwrap();
        if file.write_all(&octets).is_err() {
            octets.truncate(octets.len() / 2);
        }
    }
}

impl Site {
    fn new(net: Net, under: &[String]) -> Site {
        let under: Vec<&str> = under.iter().map(String::as_str).collect();
        let daemon = Launch::dhcpd(&net.place).args(&["--interface", "lan0"]).under(&under).start();
        let dnsd = Launch::dnsd(&net.place).args(&["--listen", "127.0.0.1:5300"]).start();
        let crowd = Crowd::new(&net);
        let mut site = Site { net, daemon, dnsd, crowd, promised: Promised::default(), clients: 0 };
        site.gives_leases();
        site
    }

    /// Clients get leases; at once or, on a machine that is busy, after a while.
    fn gives_leases(&mut self) {
        wait_until("leases", || self.more_clients() > 0);
    }

    /// More clients ask; how many get a lease.
    fn more_clients(&mut self) -> usize {
        let macs: Vec<_> = (self.clients..self.clients + 32).map(mac).collect();
        self.clients += 32;
        let before = self.promised.by_mac.len();
        let promised = &mut self.promised;
        self.crowd.join(&macs, |mac, address| {
            promised.note(mac, address);
            true
        });
        self.promised.by_mac.len() - before
    }

    /// What must hold while leases cannot be written because of `why`.
    fn is_without_leases(&mut self, why: &str) {
        let status = self.daemon.wait_status("the problem", |status| {
            status["problems"].as_array().is_some_and(|problems| !problems.is_empty())
        });
        let problems = status["problems"].to_string();
        assert!(problems.contains("no lease is given") && problems.contains(why), "{problems}");
        assert_eq!(self.more_clients(), 0, "a lease without durability");
        // Reservations and the DNS go on, edits included.
        let [own, other] = reserved(self.net.family);
        let leased = |address: &str| address.parse::<IpAddr>().unwrap();
        assert_eq!(self.crowd.gets(RESERVED), leased(own));
        let asked = |daemon: &Daemon| daemon.status()["inventory"]["hash"].clone();
        let before = (asked(&self.daemon), asked(&self.dnsd));
        self.net.place.edit("inventory.toml", &format!("{own}\""), &format!("{other}\""));
        self.daemon.wait_status("the edit", |status| status["inventory"]["hash"] != before.0);
        self.dnsd.wait_status("the edit", |status| status["inventory"]["hash"] != before.1);
        assert_eq!(self.crowd.gets(RESERVED), leased(other));
        let mut asker = dns::Client::new(SocketAddr::from(([127, 0, 0, 1], 5300)));
        let (kind, word) = match self.net.family {
            Family::V4 => (RecordType::A, "a"),
            Family::V6 => (RecordType::AAAA, "aaaa"),
        };
        let answer = asker.ask("web1.lab.example.org.", kind);
        assert_eq!(answer.code, ResponseCode::NoError);
        assert_eq!(answer.records, [format!("web1.lab.example.org. {word} {other}")]);
        self.net.place.edit("inventory.toml", &format!("{other}\""), &format!("{own}\""));
    }

    /// What must hold after the disk is well again.
    fn heals(&mut self) {
        self.daemon.wait_status("health", |status| status["problems"].as_array().is_some_and(Vec::is_empty));
        self.gives_leases();
        self.promised.check(&mut self.crowd);
        // Nothing of it was in memory only.
        self.daemon.signal(Signal::SIGKILL);
        self.daemon.wait();
        self.daemon = self.net.start();
        self.promised.check(&mut self.crowd);
    }
}

fn fills_up(family: Family) {
    let net = Net::without_probes(family);
    small_disk(&net);
    let state = net.place.path().join("state");
    let mut site = Site::new(net, &[]);
    fill(&state);
    // Until the journal needs more room than its file has.
    let mut rounds = 0;
    while site.more_clients() > 0 {
        rounds += 1;
        assert!(rounds < 500, "the disk is never full");
    }
    site.is_without_leases("No space left on device");
    fs::remove_file(state.join("ballast")).unwrap();
    site.heals();
}

fn is_full_at_the_start(family: Family) {
    let net = Net::without_probes(family);
    small_disk(&net);
    let state = net.place.path().join("state");
    // What else the daemon keeps is there already when the disk is filled.
    drop(net.start());
    // That of DHCPv6 is made with the first lease.
    let made = fs::remove_file(net.place.state("dhcpd").join(family.journal())).is_ok();
    assert!(made || family == Family::V6);
    fill(&state);
    let daemon = net.start();
    let mut crowd = Crowd::new(&net);
    if !made {
        assert_eq!(crowd.lease(mac(1)), None, "a stranger");
    }
    daemon.wait_status("the problem", |status| status["problems"].to_string().contains("no lease is given"));
    // Not the one that has asked before, whose lease waits to be written.
    crowd.send(Say::Discover, mac(2));
    assert_eq!(crowd.receive(), None, "a stranger");
    assert_eq!(crowd.gets(RESERVED), reserved(family)[0].parse::<IpAddr>().unwrap());
    fs::remove_file(state.join("ballast")).unwrap();
    daemon.wait_status("health", |status| status["problems"].as_array().is_some_and(Vec::is_empty));
    // It gives leases again.
    crowd.gets(mac(1));
}

fn is_mounted_read_only(family: Family) {
    let net = Net::without_probes(family);
    small_disk(&net);
    let state = net.place.path().join("state");
    let mut site = Site::new(net, &[]);
    // No system mounts a disk read-only under files that are open for writing.
    site.daemon.signal(Signal::SIGTERM);
    site.daemon.wait();
    site.dnsd.signal(Signal::SIGTERM);
    site.dnsd.wait();
    sh(&format!("mount -o remount,ro {}", state.display()));
    site.daemon = site.net.start();
    site.dnsd = Launch::dnsd(&site.net.place).args(&["--listen", "127.0.0.1:5300"]).start();
    site.is_without_leases("Read-only file system");
    // A client that has a lease is not refused: it may be one of those that cannot be read.
    let (mac, address) = site.promised.by_mac.first_key_value().map(|(mac, at)| (*mac, *at)).unwrap();
    site.crowd.send(Say::Keep(address), mac);
    assert!(site.crowd.receive().is_none_or(|(kind, ..)| kind == Kind::Ack), "refused what it has");
    sh(&format!("mount -o remount,rw {}", state.display()));
    site.heals();
}

fn fails_and_heals(family: Family, fault: Fault, why: &str) {
    let net = Net::without_probes(family);
    let faults = Faults::new(net.place.path());
    let mut site = Site::new(net, &faults.under());
    faults.begin(fault);
    // Its first commit fails, and nothing of it leaves.
    assert_eq!(site.more_clients(), 0, "a lease without durability");
    site.is_without_leases(why);
    says_so_in_words(&site, why);
    faults.end();
    site.heals();
}

/// `hostbook status` tells the operator, who need not read JSON, and fails.
fn says_so_in_words(site: &Site, why: &str) {
    let mut command = program("hostbook");
    command.arg("status").arg("--control").arg(site.net.place.control("dhcpd"));
    let ran = run(command);
    assert!(ran.out.contains("no lease is given") && ran.out.contains(why), "{ran:?}");
    assert_eq!(ran.code(), 1);
}

/// The same for each family.
macro_rules! disks {
    ($($module:ident $family:ident)*) => {$(
        mod $module {
            use super::*;

            const FAMILY: Family = Family::$family;

            #[test]
            fn on_a_disk_that_fills_up_no_lease_is_given_all_else_goes_on_and_it_heals_by_itself() {
                isolated(|| fills_up(FAMILY));
            }

            #[test]
            fn on_a_disk_that_is_full_at_the_start_no_lease_is_given_and_it_heals_by_itself() {
                isolated(|| is_full_at_the_start(FAMILY));
            }

            #[test]
            fn on_a_disk_that_is_mounted_read_only_no_lease_is_given_until_it_is_mounted_for_writing() {
                isolated(|| is_mounted_read_only(FAMILY));
            }

            #[test]
            fn on_a_disk_that_cannot_be_written_no_lease_is_given_and_it_heals_by_itself() {
                isolated(|| fails_and_heals(FAMILY, Fault::Write(Errno::EIO as i32), "Input/output error"));
            }

            #[test]
            fn on_a_disk_that_cannot_make_durable_no_lease_is_given_and_it_heals_by_itself() {
                isolated(|| fails_and_heals(FAMILY, Fault::Sync(Errno::EIO as i32), "Input/output error"));
            }

            #[test]
            fn on_a_disk_that_turns_read_only_no_lease_is_given_and_it_heals_by_itself() {
                isolated(|| fails_and_heals(FAMILY, Fault::Write(Errno::EROFS as i32), "Read-only file system"));
            }
        }
    )*};
}

disks! {
    v4 V4
    v6 V6
}
