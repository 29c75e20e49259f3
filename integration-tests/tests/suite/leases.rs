//! Leases from pools, on real packets: for real clients, over kills of the daemon, on bad disks.

use std::collections::BTreeMap;

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::sh;
use nix::sys::signal::Signal;

use crowd::{Crowd, Promised, mac};
use tongue::Family;

mod crowd;
mod disks;
mod kills;
mod tongue;

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

/// The same for IPv6.
const INVENTORY6: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
contact = "hostmaster@lab.example.org"
[zone."lab.example.org"]
[network.lab]
zone = "lab.example.org"
ipv6 = "2001:db8:20::/64"
pool = ["2001:db8:20::1:0-2001:db8:20::1:ffff"]
lease = "12h"
[host.ns1]
network = "lab"
ip = "2001:db8:20::2"
[host.web1]
network = "lab"
mac = "52:54:00:aa:00:11"
ip = "2001:db8:20::11"
"#;

struct Net {
    family: Family,
    lan: Lan,
    place: Place,
}

impl Net {
    fn new(inventory: &str) -> Net {
        Net::of(Family::V4, inventory)
    }

    /// A network without probes: they take time and prove nothing where all clients are made up.
    fn without_probes(family: Family) -> Net {
        match family {
            Family::V4 => Net::of(family, &without_probes()),
            Family::V6 => Net::of(family, INVENTORY6),
        }
    }

    fn of(family: Family, inventory: &str) -> Net {
        let lan = Lan::new("lan0", &[&format!("{}/{}", family.server(), family.prefix_len())]);
        let place = Place::empty();
        place.save("inventory.toml", inventory);
        Net { family, lan, place }
    }

    fn start(&self) -> Daemon {
        Launch::dhcpd(&self.place).args(&["--interface", "lan0"]).start()
    }
}

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
        daemon.wait_log("a machine without a lease uses an address that was to be offered");
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
