//! Leases from pools, on real packets: for real clients, over kills of the daemon, on a full disk.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::sh;
use nix::sys::signal::Signal;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);
/// The machine that speaks for the clients, as a relay agent does.
const AGENT: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 3);
const RESERVED: [u8; 6] = [0x52, 0x54, 0, 0xaa, 0, 0x11];
/// Kills of the ordinary run; more on request: `KILLS=1000`.
const KILLS: usize = 20;

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
contact = "hostmaster@lab.example.org"
[zone."lab.example.org"]
[network.lab]
zone = "lab.example.org"
ipv4 = "10.20.0.0/16"
pool = ["10.20.4.0-10.20.255.200"]
lease = "12h"
[host.ns1]
network = "lab"
ip = "10.20.0.2"
[host.web1]
network = "lab"
mac = "52:54:00:aa:00:11"
ip = "10.20.0.11"
"#;

struct Net {
    lan: Lan,
    place: Place,
}

impl Net {
    fn new(inventory: &str) -> Net {
        let lan = Lan::new("lan0", &["10.20.0.2/16"]);
        let place = Place::empty();
        place.save("inventory.toml", inventory);
        Net { lan, place }
    }

    fn start(&self) -> Daemon {
        Launch::dhcpd(&self.place).args(&["--interface", "lan0"]).start()
    }
}

/// Probes take time and prove nothing where all clients are made up.
fn without_probes() -> String {
    INVENTORY.replace("lease =", "probe = false\nlease =")
}

#[test]
fn udhcpc_dhclient_and_dhcpcd_lease_an_address_and_get_it_again_after_a_kill() {
    isolated(|| {
        let net = Net::new(INVENTORY);
        let mut daemon = net.start();
        let files = "-pf /run/tmp/dhclient.pid -lf /run/tmp/dhclient.leases";
        let clients = [
            (
                "m1",
                "02:00:00:00:00:01",
                "udhcpc -i eth0 -f -q -n -t 20 -T 2 -s /etc/udhcpc/default.script".to_owned(),
            ),
            ("m2", "02:00:00:00:00:02", format!("dhclient -4 -1 {files} eth0 >/run/tmp/dhclient.log 2>&1")),
            (
                "m3",
                "02:00:00:00:00:03",
                "dhcpcd -4 -1 --noarp -t 60 eth0 >/run/tmp/dhcpcd.log 2>&1".to_owned(),
            ),
        ];
        let mut had = BTreeMap::new();
        for (name, mac, client) in &clients {
            let machine = net.lan.attach(name, mac);
            machine.sh(client);
            had.insert(*name, (machine.addresses(), machine));
        }
        let addresses: Vec<&Vec<String>> = had.values().map(|(addresses, _)| addresses).collect();
        assert!(
            addresses.iter().all(|own| own.len() == 1 && own[0].starts_with("10.20.4.")),
            "{addresses:?}"
        );
        assert!(addresses[0] != addresses[1] && addresses[1] != addresses[2] && addresses[0] != addresses[2]);

        daemon.signal(Signal::SIGKILL);
        daemon.wait();
        let daemon = net.start();
        let status = daemon.status();
        assert_eq!(status["networks"][0]["pool"]["bound"], 3, "{status}");
        let (before, machine) = &had["m1"];
        machine.sh(&clients[0].2);
        assert_eq!(machine.addresses(), *before);
    });
}

#[test]
fn an_address_that_a_machine_uses_without_a_lease_is_left_alone() {
    isolated(|| {
        let net = Net::new(INVENTORY);
        let squatter = net.lan.attach("squatter", "02:00:00:00:09:09");
        squatter.sh("ip address add 10.20.4.0/16 dev eth0");
        let daemon = net.start();
        let machine = net.lan.attach("m1", "02:00:00:00:00:01");
        machine.sh("udhcpc -i eth0 -f -q -n -t 20 -T 2 -s /etc/udhcpc/default.script");
        assert_eq!(machine.addresses(), ["10.20.4.1/16"]);
        daemon.wait_log("a machine without a lease uses an address of the pool");
    });
}

/// Speaks for many clients at once.
struct Crowd {
    socket: UdpSocket,
    _machine: Machine,
    next_xid: u32,
}

/// A reply: type, hardware address, address.
type Reply = (u8, [u8; 6], Ipv4Addr);

impl Crowd {
    fn new(net: &Net) -> Crowd {
        let machine = net.lan.attach("agent", "02:00:00:00:0a:0a");
        machine.sh(&format!("ip address add {AGENT}/16 dev eth0"));
        let socket = machine.on(|| UdpSocket::bind((AGENT, 67)).unwrap());
        socket.connect(SocketAddr::from((SERVER, 67))).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        Crowd { socket, _machine: machine, next_xid: 0 }
    }

    fn send(&mut self, kind: u8, mac: [u8; 6], options: &[(u8, Ipv4Addr)]) {
        self.next_xid += 1;
        let mut message = vec![0; 236];
        message[..4].copy_from_slice(&[1, 1, 6, 1]);
        message[4..8].copy_from_slice(&self.next_xid.to_be_bytes());
        message[24..28].copy_from_slice(&AGENT.octets());
        message[28..34].copy_from_slice(&mac);
        message.extend([99, 130, 83, 99, 53, 1, kind]);
        for (code, address) in options {
            message.extend([*code, 4]);
            message.extend(address.octets());
        }
        message.push(255);
        // A daemon that was killed refuses; the client will ask again.
        let _ = self.socket.send(&message);
    }

    /// The next reply; `None` if nothing comes for a while.
    fn receive(&self) -> Option<Reply> {
        let mut buffer = [0; 2048];
        let length = loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => break length,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
                Err(_) => return None,
            }
        };
        let message = &buffer[..length];
        assert_eq!(message[240..242], [53, 1], "the type comes first");
        let address: [u8; 4] = message[16..20].try_into().unwrap();
        Some((message[242], message[28..34].try_into().unwrap(), address.into()))
    }

    /// Sends DISCOVERs for all, and REQUESTs for the offers; `acknowledged` says whether to go on.
    fn join(&mut self, macs: &[[u8; 6]], mut acknowledged: impl FnMut([u8; 6], Ipv4Addr) -> bool) {
        for mac in macs {
            self.send(1, *mac, &[]);
        }
        while let Some((kind, mac, address)) = self.receive() {
            match kind {
                2 => self.send(3, mac, &[(50, address), (54, SERVER)]),
                5 if !acknowledged(mac, address) => return,
                _ => {}
            }
        }
    }
}

fn mac(n: u32) -> [u8; 6] {
    let [a, b, c, d] = n.to_be_bytes();
    [2, 1, a, b, c, d]
}

/// What clients were promised: nobody else may be promised the same.
#[derive(Default)]
struct Promised {
    by_mac: BTreeMap<[u8; 6], Ipv4Addr>,
    by_address: BTreeMap<Ipv4Addr, [u8; 6]>,
}

impl Promised {
    fn note(&mut self, mac: [u8; 6], address: Ipv4Addr) {
        let before = self.by_mac.insert(mac, address);
        assert!(before.is_none_or(|before| before == address), "{mac:?} had {before:?} and got {address}");
        let holder = self.by_address.insert(address, mac);
        assert!(holder.is_none_or(|holder| holder == mac), "{address} is {holder:?}'s and went to {mac:?}");
    }

    /// Every client finds its lease again.
    fn check(&self, crowd: &mut Crowd) {
        let all: Vec<_> = self.by_mac.iter().map(|(mac, address)| (*mac, *address)).collect();
        for group in all.chunks(32) {
            let mut open: BTreeMap<_, _> = group.iter().copied().collect();
            for _try in 0..5 {
                for (mac, address) in &open {
                    crowd.send(3, *mac, &[(50, *address)]);
                }
                while !open.is_empty()
                    && let Some((kind, mac, address)) = crowd.receive()
                {
                    assert_ne!(kind, 6, "the lease of {mac:?} is lost");
                    if kind == 5 && open.get(&mac) == Some(&address) {
                        open.remove(&mac);
                    }
                }
            }
            assert!(open.is_empty(), "no answer for {open:?}");
        }
    }
}

#[test]
fn kills_under_load_lose_no_acknowledged_lease_and_give_no_address_twice() {
    isolated(|| {
        let kills = std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
        let net = Net::new(&without_probes());
        let mut crowd = Crowd::new(&net);
        let mut promised = Promised::default();
        let mut clients = 0;
        for kill in 0..kills {
            let mut daemon = net.start();
            // Before anything else can hide what was lost.
            promised.check(&mut crowd);
            let macs: Vec<_> = (clients..clients + 48).map(mac).collect();
            clients += 48;
            // Somewhere in the midst of it, each time elsewhere.
            let last = kill * 7 % 41;
            let mut count = 0;
            crowd.join(&macs, |mac, address| {
                promised.note(mac, address);
                count += 1;
                count <= last
            });
            daemon.signal(Signal::SIGKILL);
            daemon.wait();
            // What left before the kill was promised as well.
            while let Some((kind, mac, address)) = crowd.receive() {
                if kind == 5 {
                    promised.note(mac, address);
                }
            }
        }
        let _daemon = net.start();
        promised.check(&mut crowd);
        assert!(promised.by_mac.len() >= kills * 5, "{} leases", promised.by_mac.len());
    });
}

#[test]
fn on_a_full_disk_no_lease_is_given_reservations_go_on_and_it_heals_by_itself() {
    isolated(|| {
        let net = Net::new(&without_probes());
        let state = net.place.state("dhcpd");
        std::fs::create_dir_all(&state).unwrap();
        sh(&format!("mount -t tmpfs -o size=2m none {}", state.display()));
        // What else the daemon keeps is there already when the disk is filled.
        drop(net.start());
        std::fs::remove_file(state.join("leases.redb")).unwrap();
        let ballast = state.join("ballast");
        assert!(std::fs::write(&ballast, vec![1; 4 << 20]).is_err(), "the disk is full");
        let daemon = net.start();
        let status = daemon.wait_status("the problem", |status| {
            status["problems"].as_array().is_some_and(|problems| !problems.is_empty())
        });
        assert!(status["problems"].to_string().contains("no lease is given"), "{}", status["problems"]);

        let mut crowd = Crowd::new(&net);
        crowd.send(1, mac(1), &[]);
        assert_eq!(crowd.receive(), None, "a stranger");
        let mut reserved = None;
        crowd.join(&[RESERVED], |_, address| {
            reserved = Some(address);
            false
        });
        assert_eq!(reserved, Some(Ipv4Addr::new(10, 20, 0, 11)));

        std::fs::remove_file(&ballast).unwrap();
        daemon.wait_status("health", |status| status["problems"].as_array().is_some_and(Vec::is_empty));
        let mut leased = None;
        crowd.join(&[mac(1)], |_, address| {
            leased = Some(address);
            false
        });
        assert!(leased.is_some(), "it gives leases again");
    });
}

#[test]
fn leases_are_written_out_and_taken_in_as_json_lines() {
    isolated(|| {
        let net = Net::new(&without_probes());
        let daemon = net.start();
        let mut promised = Promised::default();
        let mut crowd = Crowd::new(&net);
        let macs: Vec<_> = (0..20).map(mac).collect();
        crowd.join(&macs, |mac, address| {
            promised.note(mac, address);
            true
        });
        assert_eq!(promised.by_mac.len(), 20);
        drop(daemon);
        let dhcpd = integration_tests::programs::directory().join("hostbook-dhcpd");
        let dhcpd = dhcpd.to_str().unwrap();
        let state = net.place.state("dhcpd");
        let lines = net.place.path().join("leases.jsonl");
        let (state, lines) = (state.to_str().unwrap(), lines.to_str().unwrap());
        sh(&format!("{dhcpd} --state {state} --export-leases > {lines}"));
        assert_eq!(std::fs::read_to_string(lines).unwrap().lines().count(), 20);
        std::fs::remove_file(format!("{state}/leases.redb")).unwrap();
        sh(&format!("{dhcpd} --state {state} --import-leases {lines}"));
        let _daemon = net.start();
        promised.check(&mut crowd);
    });
}
