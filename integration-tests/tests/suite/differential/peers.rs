//! The servers that answer the same zones: ours, NSD, Knot.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use integration_tests::programs::program;
use integration_tests::run::PATIENCE;

use super::queries::Question;
use super::zones::Zone;

/// Where ours, NSD and Knot listen.
pub(super) const ADDRESSES: [&str; 3] = ["127.0.0.11", "127.0.0.12", "127.0.0.13"];

/// Running servers; they end with the value.
pub(super) struct Servers(Vec<Child>);

impl Servers {
    /// Starts all three on `zones`, below `place`, and waits until they answer for the last zone.
    pub(super) fn start(place: &Path, zones: &[Zone]) -> Servers {
        for directory in ["inventory", "state", "nsd", "knot"] {
            fs::create_dir_all(place.join(directory)).unwrap();
        }
        let mut site = "[site]\nnameservers = [\"ns.elsewhere.example\"]\n".to_owned();
        for zone in zones {
            fs::write(place.join("inventory").join(format!("{}.zone", zone.apex)), &zone.text).unwrap();
            site.push_str(&format!("[zone.\"{0}\"]\nfile = \"{0}.zone\"\n", zone.apex));
        }
        fs::write(place.join("inventory/site.toml"), site).unwrap();
        let servers = Servers(vec![hostbook(place), nsd(place, zones), knot(place, zones)]);
        for address in ADDRESSES {
            for zone in zones {
                servers.wait_for(place, address, zone);
            }
        }
        servers
    }

    /// Waits until the server at `address` answers for `zone`.
    fn wait_for(&self, place: &Path, address: &str, zone: &Zone) {
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(address, &zone.apex) {
            if Instant::now() > deadline || is_refused(place, &zone.apex) {
                let logs = ["dnsd.log", "nsd.log", "knot.log"]
                    .map(|log| fs::read_to_string(place.join(log)).unwrap());
                panic!("{address} does not serve `{}`:\n{}\n{}", zone.apex, zone.text, logs.join("\n"));
            }
        }
    }
}

/// Whether a peer says that it will not serve `apex`.
fn is_refused(place: &Path, apex: &str) -> bool {
    let mark = format!("[{apex}.] failed to load");
    let nsd = fs::read_to_string(place.join("nsd.log")).unwrap();
    let knot = fs::read_to_string(place.join("knot.log")).unwrap();
    knot.contains(&mark) || nsd.contains(&format!("{apex}.zone")) && nsd.contains("error")
}

impl Drop for Servers {
    fn drop(&mut self) {
        for server in &mut self.0 {
            let _ = server.kill();
            let _ = server.wait();
        }
        // NSD's own processes go a moment after the one that was killed; the next round wants their address.
        let deadline = Instant::now() + PATIENCE;
        while ADDRESSES.iter().any(|address| UdpSocket::bind((*address, 53)).is_err()) {
            assert!(Instant::now() < deadline, "a server of the last round keeps its address");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn spawn(mut command: Command, log: &Path) -> Child {
    let log = fs::File::create(log).unwrap();
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn hostbook(place: &Path) -> Child {
    let mut command = program("hostbook-dnsd");
    command.arg("-i").arg(place.join("inventory")).arg("--state").arg(place.join("state"));
    command.args(["--listen", ADDRESSES[0], "--workers", "1", "--control"]).arg(place.join("dnsd.sock"));
    spawn(command, &place.join("dnsd.log"))
}

fn nsd(place: &Path, zones: &[Zone]) -> Child {
    let directory = place.join("nsd");
    let at = |name: &str| directory.join(name).display().to_string();
    let mut text = format!(
        "server:\n ip-address: {}\n server-count: 1\n username: \"\"\n zonesdir: \"\"\n database: \"\"\n \
         pidfile: {}\n xfrdfile: {}\n zonelistfile: {}\n xfrdir: {}\n minimal-responses: yes\n \
         rrl-ratelimit: 0\n refuse-any: no\n do-ip6: no\nremote-control:\n control-enable: no\n",
        ADDRESSES[1],
        at("nsd.pid"),
        at("xfrd.state"),
        at("zone.list"),
        directory.display(),
    );
    for zone in zones {
        let file = place.join("inventory").join(format!("{}.zone", zone.apex));
        text.push_str(&format!("zone:\n name: {}\n zonefile: {}\n", zone.apex, file.display()));
    }
    fs::write(directory.join("nsd.conf"), text).unwrap();
    let mut command = Command::new("nsd");
    command.arg("-d").arg("-c").arg(directory.join("nsd.conf"));
    spawn(command, &place.join("nsd.log"))
}

fn knot(place: &Path, zones: &[Zone]) -> Child {
    let directory = place.join("knot");
    let mut text = format!(
        "server:\n  listen: {}@53\n  rundir: {1}\n  udp-workers: 1\n  tcp-workers: 1\n  \
         background-workers: 1\nlog:\n  - target: stderr\n    any: info\ndatabase:\n  storage: {1}\n\
         template:\n  - id: default\n    storage: {2}\n    zonefile-sync: -1\n    zonefile-load: whole\n    \
         journal-content: none\nzone:\n",
        ADDRESSES[2],
        directory.display(),
        place.join("inventory").display(),
    );
    for zone in zones {
        text.push_str(&format!("  - domain: {0}\n    file: {0}.zone\n", zone.apex));
    }
    fs::write(directory.join("knot.conf"), text).unwrap();
    let mut command = Command::new("knotd");
    command.arg("-c").arg(directory.join("knot.conf"));
    spawn(command, &place.join("knot.log"))
}

/// Whether the server answers for the SOA record of `apex` with a record.
fn is_ready(server: &str, apex: &str) -> bool {
    let address: SocketAddr = format!("{server}:53").parse().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut reply = [0; 1500];
    let asked = socket.send_to(&Question::plain(apex, 6).octets(), address);
    asked.is_ok()
        && socket.recv(&mut reply).is_ok_and(|octets| octets > 12 && reply[3] & 15 == 0 && reply[7] == 1)
}
