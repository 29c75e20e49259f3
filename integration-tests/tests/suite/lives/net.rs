//! The site that clients live in: two links of the server, and one behind a relay agent.

use std::net::Ipv4Addr;

use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::sh;

use super::client::Running;

/// A host of the inventory on the server's link, and one behind the relay agent.
pub(super) const WEB: [u8; 6] = [0x52, 0x54, 0, 0xaa, 0, 0x11];
pub(super) const FAR: [u8; 6] = [0x52, 0x54, 0, 0xaa, 0, 0x31];
pub(super) const WEB_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 11);
pub(super) const FAR_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 30, 0, 31);
/// Machines that nobody has written down.
pub(super) const LAPTOP: [u8; 6] = [2, 0, 0, 0, 0, 0x51];
/// The server's address.
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);

const NETWORKS: [(&str, u8); 3] = [("lab", 20), ("far", 30), ("other", 40)];

/// Links, server, router.
pub(super) struct Net {
    pub(super) lan: Lan,
    pub(super) dhcpd: Daemon,
    _other: Lan,
    _place: Place,
}

/// A link behind a router that is a relay agent.
pub(super) struct Behind {
    pub(super) lan: Lan,
    _router: Machine,
    _relay: Running,
}

fn inventory(timers: &str) -> String {
    let mut text = "[site]\nnameservers = [\"ns1.lab.example.org\"]\n[zone.\"lab.example.org\"]\n".to_owned();
    for (name, second) in NETWORKS {
        text.push_str(&format!(
            "[network.{name}]\nzone = \"lab.example.org\"\nipv4 = \"10.{second}.0.0/24\"\n\
             gateway = \"10.{second}.0.1\"\ndns = [\"10.20.0.2\"]\npool = [\"10.{second}.0.200-10.{second}.0.250\"]\n\
             {timers}\n"
        ));
    }
    text.push_str(
        r#"
[host.ns1]
network = "lab"
ip = "10.20.0.2"
[host.web1]
network = "lab"
mac = "52:54:00:aa:00:11"
ip = "10.20.0.11"
[host.far1]
network = "far"
mac = "52:54:00:aa:00:31"
ip = "10.30.0.31"
"#,
    );
    text
}

impl Net {
    /// A site whose clients renew and rebind after so long.
    pub(super) fn new(timers: &str) -> Net {
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let other = Lan::new("lan1", &["10.40.0.2/24"]);
        let place = Place::empty();
        place.save("site.toml", &inventory(timers));
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0", "--interface", "lan1"]).start();
        // Some make their identifier of it.
        std::fs::write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n").unwrap();
        Net { lan, dhcpd, _other: other, _place: place }
    }

    /// A machine on the server's link.
    pub(super) fn machine(&self, name: &str, mac: [u8; 6]) -> Machine {
        self.lan.attach(name, &text(mac))
    }

    /// A link behind Debian's relay agent.
    pub(super) fn behind(&self) -> Behind {
        let far = Lan::new("lan2", &[]);
        let router = self.lan.attach("router", "52:54:00:bb:00:01");
        far.cable(&router, "eth1", "52:54:00:bb:00:02");
        router.sh("sysctl -qw net.ipv4.ip_forward=1");
        router.sh("ip address add 10.20.0.254/24 dev eth0; ip address add 10.30.0.1/24 dev eth1");
        sh("ip route add 10.30.0.0/24 via 10.20.0.254");
        let relay = "dhcrelay -4 -d -a -iu eth0 -id eth1 10.20.0.2";
        let relay = Running::start(&router, relay, "/run/tmp/relay.log");
        Behind { lan: far, _router: router, _relay: relay }
    }

    /// Messages that were refused for this reason.
    pub(super) fn refused(&self, reason: &str) -> u64 {
        self.dhcpd.status()["counters"]["unanswered"][reason].as_u64().unwrap_or(0)
    }
}

/// A hardware address in text.
pub(super) fn text(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}
