//! Real DHCP clients, with the scripts that Debian gives them, configure themselves by `hostbook-dhcpd`.

use std::process::Command;

use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::run;

const WEB1: &str = "52:54:00:aa:00:11";
const UDHCPC: &str = "udhcpc -i eth0 -f -q -n -t 20 -T 2 -O search -s /etc/udhcpc/default.script";

struct Net {
    lan: Lan,
    place: Place,
    dhcpd: Daemon,
}

impl Net {
    fn new() -> Net {
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let place = Place::lab();
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        Net { lan, place, dhcpd }
    }

    fn edit(&self, old: &str, new: &str) {
        let before = self.dhcpd.status()["inventory"]["hash"].clone();
        self.place.edit("hosts/web.toml", old, new);
        self.dhcpd.wait_status("another content", |status| status["inventory"]["hash"] != before);
    }
}

/// The machine is what the example's entry says of it: its address, its router, its resolver, its domain.
fn is_configured(machine: &Machine, address: &str) {
    assert_eq!(machine.addresses(), [address]);
    assert_eq!(machine.router().as_deref(), Some("10.20.0.1"));
    let resolvers = std::fs::read_to_string("/etc/resolv.conf").unwrap();
    assert!(resolvers.contains("nameserver 10.20.0.2"), "{resolvers}");
    assert!(resolvers.contains("lab.example.org"), "{resolvers}");
}

fn gets_its_reserved_address(client: &str) {
    let net = Net::new();
    let web1 = net.lan.attach("web1", WEB1);
    web1.sh(client);
    is_configured(&web1, "10.20.0.11/24");
}

#[test]
fn dhclient_gets_its_reserved_address() {
    isolated(|| {
        let files = "-pf /run/tmp/dhclient.pid -lf /run/tmp/dhclient.leases";
        gets_its_reserved_address(&format!(
            "dhclient -4 -1 -v {files} eth0 >/run/tmp/dhclient.log 2>&1 || {{ cat /run/tmp/dhclient.log; exit 1; }}"
        ));
        // The lease as the client wrote it down.
        let lease = std::fs::read_to_string("/run/tmp/dhclient.leases").unwrap();
        for line in [
            "fixed-address 10.20.0.11;",
            "option subnet-mask 255.255.255.0;",
            "option routers 10.20.0.1;",
            "option domain-name \"lab.example.org\";",
            "option domain-name-servers 10.20.0.2;",
            "option host-name \"web1\";",
            "option dhcp-lease-time 43200;",
            "option dhcp-server-identifier 10.20.0.2;",
            "option ntp-servers 10.20.0.2;",
        ] {
            assert!(lease.contains(line), "no `{line}` in\n{lease}");
        }
    });
}

#[test]
fn udhcpc_gets_its_reserved_address() {
    isolated(|| gets_its_reserved_address(UDHCPC));
}

#[test]
fn dhcpcd_gets_its_reserved_address() {
    isolated(|| gets_its_reserved_address("dhcpcd -4 -1 -d --noarp -t 60 eth0 >/run/tmp/dhcpcd.log 2>&1"));
}

#[test]
fn an_edited_address_is_what_the_machine_gets_next() {
    isolated(|| {
        let net = Net::new();
        let web1 = net.lan.attach("web1", WEB1);
        web1.sh(UDHCPC);
        is_configured(&web1, "10.20.0.11/24");
        net.edit("\"10.20.0.11\"", "\"10.20.0.77\"");
        web1.sh(UDHCPC);
        is_configured(&web1, "10.20.0.77/24");
    });
}

#[test]
fn a_machine_that_is_planned_gets_silence_and_is_counted_where_a_stranger_gets_a_pool_address() {
    isolated(|| {
        let net = Net::new();
        net.edit("vmhost = \"hv1\"\n\n[host.web2]", "vmhost = \"hv1\"\nstate = \"planned\"\n[host.web2]");
        let stranger = net.lan.attach("stranger", "52:54:00:ff:ff:ff");
        stranger.sh(UDHCPC);
        is_configured(&stranger, "10.20.0.200/24");
        let planned = net.lan.attach("planned", WEB1);
        let before = unanswered(&net.dhcpd);
        let mut client: Command = planned.command("sh");
        client.args(["-c", "udhcpc -i eth0 -f -q -n -t 2 -T 1 -s /etc/udhcpc/default.script"]);
        let ran = run(client);
        assert!(!ran.status.success(), "{ran:?}");
        assert_eq!(planned.addresses(), [] as [&str; 0]);
        assert!(unanswered(&net.dhcpd) >= before + 2, "{}", net.dhcpd.status()["counters"]);
    });
}

/// Packets that got no answer, for whatever reason.
fn unanswered(dhcpd: &Daemon) -> u64 {
    let status = dhcpd.status();
    let reasons = status["counters"]["unanswered"].as_object().unwrap_or_else(|| panic!("{status}"));
    reasons.values().filter_map(serde_json::Value::as_u64).sum()
}
