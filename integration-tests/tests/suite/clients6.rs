//! Real DHCPv6 clients configure themselves by `hostbook-dhcpd`, on its link and through real relay agents.

mod pools;

use std::fs;
use std::process::{Child, Stdio};

use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{sh, wait_for, wait_until};

const WEB1: &str = "52:54:00:aa:00:11";

/// One site of IPv6 alone.
const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
contact = "hostmaster@lab.example.org"
[zone."lab.example.org"]

[network.servers]
zone = "lab.example.org"
ipv6 = "2001:db8:20::/64"
dns = ["2001:db8:20::2"]
lease = "1h"
options6 = { ntp-server = "2001:db8:20::2" }

[network.far] # behind relay agents
zone = "lab.example.org"
ipv6 = "2001:db8:30::/64"
dns = ["2001:db8:20::2"]

[host.ns1]
network = "servers"
ip = "2001:db8:20::2"

[host.web1]
network = "servers"
mac = "52:54:00:aa:00:11"
ip = "2001:db8:20::11"

[host.far1]
network = "far"
mac = "52:54:00:aa:00:31"
ip = "2001:db8:30::31"
"#;

struct Net {
    lan: Lan,
    place: Place,
    dhcpd: Daemon,
}

impl Net {
    fn new() -> Net {
        Net::of(INVENTORY)
    }

    fn of(inventory: &str) -> Net {
        let lan = Lan::new("lan0", &["2001:db8:20::2/64"]);
        let place = Place::empty();
        place.save("site.toml", inventory);
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        // networkd makes its DUID of it.
        fs::write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n").unwrap();
        Net { lan, place, dhcpd }
    }

    fn edit(&self, old: &str, new: &str) {
        let before = self.dhcpd.status()["inventory"]["hash"].clone();
        self.place.edit("site.toml", old, new);
        self.dhcpd.wait_status("another content", |status| status["inventory"]["hash"] != before);
    }

    fn counted(&self, what: &str, name: &str) -> u64 {
        self.dhcpd.status()["dhcpv6"]["counters"][what][name].as_u64().unwrap_or(0)
    }
}

/// Global addresses without the length of their prefix, which clients choose.
fn addresses(machine: &Machine) -> Vec<String> {
    let all = machine.addresses();
    all.iter().map(|address| address.split('/').next().unwrap().to_owned()).collect()
}

/// Waits until the machine may use its link-local address: dhclient gives up where it must not yet.
fn wait_link_local(machine: &Machine) {
    wait_until("a link-local address", || {
        !machine.sh("ip -6 address show dev eth0 scope link -tentative").is_empty()
    });
}

/// `dhclient -6` with files of its own; its log where it fails.
fn dhclient(machine: &Machine, flags: &str) {
    wait_link_local(machine);
    let files = "-pf /run/tmp/dhclient.pid -lf /run/tmp/dhclient.leases";
    machine.sh(&format!(
        "dhclient -6 {flags} -v {files} eth0 >>/run/tmp/dhclient.log 2>&1 || {{ cat /run/tmp/dhclient.log; exit 1; }}"
    ));
}

/// Contents of a file that a client wrote; empty while there is none.
fn read_or_empty(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// A program that runs on a machine until the value goes away.
struct Running(Child);

impl Running {
    fn start(machine: &Machine, line: &str) -> Running {
        let mut command = machine.command("sh");
        command.args(["-c", &format!("exec {line}")]).stdin(Stdio::null());
        Running(command.spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn dhclient_gets_its_reserved_address_confirms_it_and_gives_it_back() {
    isolated(|| {
        let net = Net::new();
        let web1 = net.lan.attach("web1", WEB1);
        dhclient(&web1, "-1");
        assert_eq!(addresses(&web1), ["2001:db8:20::11"]);
        let lease = fs::read_to_string("/run/tmp/dhclient.leases").unwrap();
        for line in [
            "iaaddr 2001:db8:20::11 {",
            "preferred-life 3600;",
            "max-life 3600;",
            "renew 1800;",
            "rebind 2880;",
            "option dhcp6.name-servers 2001:db8:20::2;",
            "option dhcp6.domain-search \"lab.example.org.\";",
            "option fqdn.fqdn \"web1.lab.example.org\";",
        ] {
            assert!(lease.contains(line), "no `{line}` in\n{lease}");
        }
        let resolvers = fs::read_to_string("/etc/resolv.conf").unwrap();
        assert!(resolvers.contains("nameserver 2001:db8:20::2"), "{resolvers}");

        // It starts again, with the lease that it knows.
        let pid = wait_for("dhclient to say its process", || {
            read_or_empty("/run/tmp/dhclient.pid").trim().parse::<u32>().ok()
        });
        sh(&format!("kill {pid}"));
        wait_until("dhclient to end", || !fs::exists(format!("/proc/{pid}/exe")).unwrap_or(false));
        dhclient(&web1, "-1");
        assert_eq!(
            (addresses(&web1), net.counted("messages", "confirm") > 0),
            (vec!["2001:db8:20::11".to_owned()], true)
        );

        dhclient(&web1, "-r");
        assert_eq!((addresses(&web1).len(), net.counted("messages", "release") > 0), (0, true));
    });
}

#[test]
fn dhclient_learns_options_without_an_address() {
    isolated(|| {
        let net = Net::new();
        let stranger = net.lan.attach("stranger", "52:54:00:ff:ff:ff");
        dhclient(&stranger, "-S -1");
        assert_eq!(addresses(&stranger), [] as [&str; 0]);
        assert!(net.counted("messages", "information-request") > 0);
        let resolvers = fs::read_to_string("/etc/resolv.conf").unwrap();
        assert!(resolvers.contains("nameserver 2001:db8:20::2"), "{resolvers}");
        assert!(resolvers.contains("search lab.example.org"), "{resolvers}");
    });
}

#[test]
fn dhcpcd_gets_its_reserved_address_and_at_a_renew_the_edited_one_in_its_place() {
    isolated(|| {
        let net = Net::new();
        let web1 = net.lan.attach("web1", WEB1);
        let _dhcpcd =
            Running::start(&web1, "dhcpcd -6 -B -d --noipv6rs --ia_na eth0 >/run/tmp/dhcpcd.log 2>&1");
        let has = |address: &str| {
            wait_for(
                &format!("web1 to have {address} alone: {}", read_or_empty("/run/tmp/dhcpcd.log")),
                || (addresses(&web1) == [address]).then_some(()),
            );
        };
        has("2001:db8:20::11");
        net.edit("\"2001:db8:20::11\"", "\"2001:db8:20::77\"");
        web1.sh("dhcpcd -6 -N eth0");
        has("2001:db8:20::77");
        assert!(net.counted("messages", "withdrawn") >= 1, "{}", net.dhcpd.status()["dhcpv6"]);
    });
}

/// What networkd needs of a machine that systemd has not started.
const NETWORKD: &str = "
mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
chown -R systemd-network: /run/systemd/netif
cat >/run/systemd/network/eth0.network <<END
[Match]
Name=eth0
[Network]
DHCP=ipv6
IPv6AcceptRA=no
[DHCPv6]
WithoutRA=solicit
END
";

fn networkd(machine: &Machine) -> Running {
    // A `/sys` that cannot be written means that there is no udev to wait for.
    let line = "unshare --mount sh -c 'mount --bind /sys /sys; mount -o remount,ro,bind /sys; \
                SYSTEMD_LOG_LEVEL=debug exec /lib/systemd/systemd-networkd' >/run/tmp/networkd.log 2>&1";
    Running::start(machine, line)
}

#[test]
fn networkd_gets_its_reserved_address_in_two_messages() {
    isolated(|| {
        let net = Net::new();
        let web1 = net.lan.attach("web1", WEB1);
        sh(NETWORKD);
        let _networkd = networkd(&web1);
        wait_for("networkd to configure web1", || (addresses(&web1) == ["2001:db8:20::11"]).then_some(()));
        assert_eq!(net.counted("messages", "request"), 0, "rapid commit");
        assert_eq!(net.counted("messages", "solicit"), net.counted("messages", "reply"));
    });
}

#[test]
fn a_machine_that_nobody_wrote_down_is_told_that_there_is_nothing_and_is_counted() {
    isolated(|| {
        let net = Net::new();
        let stranger = net.lan.attach("stranger", "52:54:00:ff:ff:ff");
        wait_link_local(&stranger);
        let _client = Running::start(&stranger, "dhclient -6 -d -lf /run/tmp/none eth0 >/dev/null 2>&1");
        wait_until("two Solicits to be counted", || net.counted("unanswered", "nothing-to-give") >= 2);
        assert_eq!(net.counted("messages", "reply"), 0);
        assert_eq!(addresses(&stranger), [] as [&str; 0]);
    });
}

#[test]
fn the_server_is_known_by_the_same_duid_after_a_restart() {
    isolated(|| {
        let Net { place, dhcpd, .. } = Net::new();
        let duid = |daemon: &Daemon| daemon.status()["dhcpv6"]["duid"].as_str().unwrap().to_owned();
        let before = duid(&dhcpd);
        drop(dhcpd);
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        assert_eq!(duid(&dhcpd), before);
        assert_eq!(before.len(), 36, "a UUID: {before}");
    });
}

/// A link between routers, which the server does not hear.
fn deaf_lan(interface: &str) -> Lan {
    let lan = Lan::new(interface, &[]);
    sh(&format!("sysctl -qw net.ipv6.conf.{interface}.disable_ipv6=1"));
    lan
}

/// A router with `eth0` up the line and `eth1` down the line.
fn router(name: &str, up: (&Lan, &str), down: (&Lan, &str)) -> Machine {
    let number = name.len();
    let machine = up.0.attach(name, &format!("52:54:00:bb:00:0{number}"));
    down.0.cable(&machine, "eth1", &format!("52:54:00:bb:01:0{number}"));
    machine.sh("sysctl -qw net.ipv6.conf.all.forwarding=1");
    for (interface, address) in [("eth0", up.1), ("eth1", down.1)] {
        machine.sh(&format!("ip address add {address}/64 dev {interface} nodad"));
    }
    machine
}

fn relay(machine: &Machine, server: &str) -> Running {
    let line =
        format!("dhcrelay -6 -d -I -l eth1 -u {server}%eth0 -pf /run/tmp/{}.pid", server.replace(':', "-"));
    Running::start(machine, &format!("{line} >>/run/tmp/relay.log 2>&1"))
}

fn far1_is_configured(net: &Net, client: &Machine) {
    // The relay agent may not be up for the first of them.
    dhclient(client, "-1");
    assert_eq!(addresses(client), ["2001:db8:30::31"], "{}", read_or_empty("/run/tmp/relay.log"));
    assert!(net.counted("messages", "relayed") >= 2, "{}", net.dhcpd.status()["dhcpv6"]);
}

#[test]
fn a_machine_behind_a_relay_agent_gets_its_reserved_address() {
    isolated(|| {
        let net = Net::new();
        let far = deaf_lan("lan1");
        let r = router("r", (&net.lan, "2001:db8:20::254"), (&far, "2001:db8:30::1"));
        sh("ip route add 2001:db8:30::/64 via 2001:db8:20::254");
        let _relay = relay(&r, "2001:db8:20::2");
        let client = far.attach("far1", "52:54:00:aa:00:31");
        far1_is_configured(&net, &client);
    });
}

/// A link behind two relay agents, of which each knows only the next one up the line.
fn behind_two_relays(net: &Net) -> (Lan, [Running; 2]) {
    let (middle, far) = (deaf_lan("lan1"), deaf_lan("lan2"));
    let near = router("r", (&net.lan, "2001:db8:20::254"), (&middle, "2001:db8:25::2"));
    let next = router("rr", (&middle, "2001:db8:25::1"), (&far, "2001:db8:30::1"));
    near.sh("ip route add 2001:db8:30::/64 via 2001:db8:25::1");
    next.sh("ip route add default via 2001:db8:25::2");
    sh(
        "ip route add 2001:db8:25::/64 via 2001:db8:20::254; ip route add 2001:db8:30::/64 via 2001:db8:20::254",
    );
    (far, [relay(&near, "2001:db8:20::2"), relay(&next, "2001:db8:25::2")])
}

#[test]
fn a_machine_behind_two_nested_relay_agents_gets_its_reserved_address() {
    isolated(|| {
        let net = Net::new();
        let (far, _relays) = behind_two_relays(&net);
        let client = far.attach("far1", "52:54:00:aa:00:31");
        far1_is_configured(&net, &client);
    });
}
