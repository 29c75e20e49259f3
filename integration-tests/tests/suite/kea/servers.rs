//! Two servers with the same logical configuration: one network to each scenario, so that none disturbs
//! another, and each server is started once.

use std::cell::Cell;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use integration_tests::net::Machine;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{sh, wait_for};
use serde_json::{Value, json};

use super::scenarios::Scenario;

/// What the networks of a scenario are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Site {
    /// Pools of four addresses for everybody, authoritative.
    #[default]
    Pools,
    /// The same, and not authoritative.
    Shared,
    /// Known machines alone, not authoritative.
    Known,
    /// Pools, and both networks on one link.
    Link,
}

/// Seconds of a lease.
pub(super) const LEASE: u32 = 3600;
/// Octets of the option 224 of the host `wordy`.
const LONG: usize = 300;

/// Both servers.
pub(super) struct Servers {
    pub(super) ours: Server,
    pub(super) kea: Server,
}

/// One of them.
pub(in crate::suite) struct Server {
    pub(in crate::suite) name: &'static str,
    process: Process,
    /// Replies of it that were seen on the wire.
    pub(in crate::suite) seen: Cell<u64>,
    /// How many it has given out by its status.
    given: fn(&Value) -> u64,
    _machine: Machine,
}

enum Process {
    Ours(Daemon),
    Kea { child: Child, log: PathBuf },
}

/// The server's address in the network of scenario `n`.
pub(super) fn server_address(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, n, 0, 1)
}

/// A hardware address of scenario `n`.
pub(super) fn mac(n: u8, number: u8) -> [u8; 6] {
    [2, 0, 0, 0, n, number]
}

/// The server's hardware address in the network of scenario `n`.
pub(super) fn server_mac(n: u8) -> [u8; 6] {
    [2, 0x5e, 0, 0, 0, n]
}

impl Servers {
    /// Starts both for `scenarios`, the first of which has the number 1.
    pub(super) fn start(place: &Place, scenarios: &[Scenario]) -> Servers {
        place.save("site.toml", &inventory(scenarios));
        let [ours, kea] = ["ours", "kea"].map(|name| {
            let quiet = "sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1";
            machine(name, scenarios.len(), quiet, |n| {
                format!(
                    "address add 10.{n}.0.1/24 dev s{n}\nroute add 10.{n}.1.0/24 via 10.{n}.0.254 dev s{n}\n"
                )
            })
        });
        let given = |status: &Value| {
            let messages = &status["counters"]["messages"];
            let kinds = ["offer", "ack", "nak", "boot-reply"];
            kinds.iter().map(|kind| messages[kind].as_u64().unwrap_or(0)).sum()
        };
        Servers {
            ours: Server::ours(place, ours, scenarios.len(), given),
            kea: Server::kea(place.path(), kea, "kea-dhcp4", &config(place.path(), scenarios)),
        }
    }
}

impl Server {
    /// Ours, on so many interfaces of `machine`.
    pub(in crate::suite) fn ours(
        place: &Place,
        machine: Machine,
        interfaces: usize,
        given: fn(&Value) -> u64,
    ) -> Server {
        let names = (1..=interfaces).map(|n| format!("s{n}"));
        let launch = names.fold(Launch::dhcpd(place), |launch, name| launch.args(&["--interface", &name]));
        let daemon = launch.under(&machine.enter().each_ref().map(String::as_str)).start();
        Server { name: "ours", process: Process::Ours(daemon), seen: Cell::new(0), given, _machine: machine }
    }

    /// Kea's `program` on `machine`.
    pub(in crate::suite) fn kea(place: &Path, machine: Machine, program: &str, config: &Value) -> Server {
        let process = start_kea(place, &machine, program, config);
        Server { name: "kea", process, seen: Cell::new(0), given: |_| 0, _machine: machine }
    }

    /// Name of the cable to its network of scenario `n`, in this namespace.
    pub(in crate::suite) fn cable(&self, n: u8) -> String {
        cable(self.name, n.into())
    }

    /// Waits until every reply that it has given out was seen; false: one is still on its way. Kea answers
    /// in order and keeps no reply back, so there the marker tells.
    pub(in crate::suite) fn is_silent(&self) -> bool {
        let Process::Ours(daemon) = &self.process else { return true };
        (self.given)(&daemon.status()) == self.seen.get()
    }

    /// What it has logged.
    pub(in crate::suite) fn log(&self) -> String {
        match &self.process {
            Process::Ours(daemon) => daemon.log(),
            Process::Kea { log, .. } => fs::read_to_string(log).unwrap(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Process::Kea { child, .. } = &mut self.process {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn cable(server: &str, n: usize) -> String {
    format!("c{n}{}", &server[..1])
}

/// A machine with an interface to each scenario's network. `prepare` is a shell command for both ends,
/// `addresses` are lines for `ip` about the interface of scenario `n`.
pub(in crate::suite) fn machine(
    name: &str,
    scenarios: usize,
    prepare: &str,
    addresses: impl Fn(usize) -> String,
) -> Machine {
    let machine = Machine::alone(name);
    sh(prepare);
    machine.sh(prepare);
    let (mut here, mut there) = (String::new(), String::new());
    for n in 1..=scenarios {
        let end = cable(name, n);
        let mac = format!("02:5e:00:00:00:{n:02x}");
        here.push_str(&format!("link add {end} type veth peer name s{n} address {mac} netns {name}\n"));
        here.push_str(&format!("link set {end} up\n"));
        there.push_str(&format!("link set s{n} up\n{}", addresses(n)));
    }
    sh(&format!("ip -batch - <<END\n{here}END"));
    machine.sh(&format!("ip -batch - <<END\n{there}END"));
    machine
}

fn inventory(scenarios: &[Scenario]) -> String {
    let mut text = "[site]\nnameservers = [\"ns.lab.test\"]\n[zone.\"lab.test\"]\n\
                    records = \"ns A 192.0.2.1\"\n"
        .to_owned();
    let long = "61".repeat(LONG);
    for (n, scenario) in (1..).zip(scenarios) {
        let link = format!("link = \"floor{n}\"");
        let (pools, extra) = match scenario.site {
            Site::Pools => (true, ""),
            Site::Link => (true, &*link),
            Site::Shared => (true, "authoritative = false"),
            Site::Known => (false, ""),
        };
        for (name, third) in [("near", 0), ("far", 1)] {
            let pool = format!("pool = [\"10.{n}.{third}.100-10.{n}.{third}.103\"]");
            let pool = if pools { &*pool } else { "" };
            text.push_str(&format!(
                "[network.{name}{n}]\nzone = \"lab.test\"\nipv4 = \"10.{n}.{third}.0/24\"\n\
                 gateway = \"10.{n}.{third}.254\"\ndns = [\"192.0.2.1\", \"192.0.2.2\"]\nlease = \"{LEASE}s\"\n\
                 probe = false\noptions = {{ ntp-servers = [\"192.0.2.3\"], domain-search = [\"lab.test\"] }}\n\
                 {pool}\n{extra}\n"
            ));
        }
        text.push_str(&format!(
            r#"
[host.web{n}]
network = "near{n}"
mac = "02:00:00:00:{n:02x}:01"
ip = "10.{n}.0.11"
options = {{ ntp-servers = ["192.0.2.9"] }}
[host.plc{n}]
network = "near{n}"
client-id = "text:plc{n}"
ip = "10.{n}.0.12"
[host.duid{n}]
network = "near{n}"
duid = "00:03:00:01:02:00:00:00:{n:02x}:03"
ip = "10.{n}.0.13"
[host.float{n}]
network = "near{n}"
mac = "02:00:00:00:{n:02x}:04"
[host.off{n}]
network = "near{n}"
mac = "02:00:00:00:{n:02x}:05"
ip = "10.{n}.0.15"
dhcp = false
[host.brief{n}]
network = "near{n}"
mac = "02:00:00:00:{n:02x}:06"
ip = "10.{n}.0.16"
lease = "10m"
[host.wordy{n}]
network = "near{n}"
mac = "02:00:00:00:{n:02x}:07"
ip = "10.{n}.0.17"
options = {{ 224 = "0x{long}" }}
[host.far{n}]
network = "far{n}"
mac = "02:00:00:00:{n:02x}:08"
ip = "10.{n}.1.18"
[host.plug{n}]
network = "far{n}"
port = {{ circuit-id = "port-7" }}
ip = "10.{n}.1.19"
"#
        ));
    }
    text
}

fn subnet(n: usize, third: usize, site: Site) -> Value {
    let mac = |number: usize| format!("02:00:00:00:{n:02x}:{number:02x}");
    let at = |host: usize| format!("10.{n}.{third}.{host}");
    let hex = |text: &str| text.bytes().map(|octet| format!("{octet:02x}")).collect::<String>();
    let near = json!([
        { "hw-address": mac(1), "ip-address": at(11), "hostname": format!("web{n}"),
          "option-data": [{ "name": "ntp-servers", "data": "192.0.2.9" }] },
        { "client-id": hex(&format!("plc{n}")), "ip-address": at(12), "hostname": format!("plc{n}") },
        { "duid": format!("00:03:00:01:{}", mac(3)), "ip-address": at(13), "hostname": format!("duid{n}") },
        { "hw-address": mac(4), "hostname": format!("float{n}") },
        { "hw-address": mac(5), "ip-address": at(15), "client-classes": ["DROP"] },
        { "hw-address": mac(6), "ip-address": at(16), "hostname": format!("brief{n}"), "client-classes": ["brief"] },
        { "hw-address": mac(7), "ip-address": at(17), "hostname": format!("wordy{n}"),
          "option-data": [{ "code": 224, "csv-format": false, "data": "61".repeat(LONG) }] },
    ]);
    let far = json!([
        { "hw-address": mac(8), "ip-address": at(18), "hostname": format!("far{n}") },
        { "circuit-id": hex("port-7"), "ip-address": at(19), "hostname": format!("plug{n}") },
    ]);
    let pools = json!([{ "pool": format!("{}-{}", at(100), at(103)) }]);
    let authoritative = matches!(site, Site::Pools | Site::Link);
    json!({
        "id": n * 10 + third + 1,
        "subnet": format!("{}/24", at(0)),
        "pools": if site == Site::Known { json!([]) } else { pools },
        "authoritative": authoritative,
        "option-data": [
            { "name": "routers", "data": at(254) },
            { "name": "domain-name-servers", "data": "192.0.2.1, 192.0.2.2" },
            { "name": "domain-name", "data": "lab.test" },
            { "name": "broadcast-address", "data": at(255) },
            { "name": "ntp-servers", "data": "192.0.2.3" },
            { "name": "domain-search", "data": "lab.test" },
        ],
        "reservations": if third == 0 { near } else { far },
    })
}

fn config(place: &Path, scenarios: &[Scenario]) -> Value {
    let (mut subnets, mut shared) = (Vec::new(), Vec::new());
    for (n, scenario) in (1..).zip(scenarios) {
        let both = [subnet(n, 0, scenario.site), subnet(n, 1, scenario.site)];
        match scenario.site {
            Site::Link => shared.push(json!({
                "name": format!("floor{n}"), "authoritative": true, "subnet4": both,
            })),
            Site::Pools | Site::Shared | Site::Known => subnets.extend(both),
        }
    }
    let hooks = "/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_bootp.so";
    json!({ "Dhcp4": {
        "interfaces-config": { "interfaces": ["*"] },
        "lease-database": { "type": "memfile", "persist": false },
        "valid-lifetime": LEASE,
        "calculate-tee-times": true, "t1-percent": 0.5, "t2-percent": 0.875,
        "host-reservation-identifiers": ["hw-address", "client-id", "duid", "circuit-id"],
        "option-def": [{ "name": "long", "code": 224, "type": "binary" }],
        "client-classes": [{ "name": "brief", "valid-lifetime": 600 }],
        "hooks-libraries": [{ "library": hooks }],
        "loggers": [logger(place, "kea-dhcp4")],
        "subnet4": subnets,
        "shared-networks": shared,
    }})
}

/// Where a program of Kea's logs.
pub(in crate::suite) fn logger(place: &Path, program: &str) -> Value {
    json!({ "name": program, "severity": "INFO", "output_options": [{ "output": place.join("kea.log") }] })
}

fn start_kea(place: &Path, machine: &Machine, program: &str, config: &Value) -> Process {
    let log = place.join("kea.log");
    let file = place.join("kea.conf");
    fs::write(&file, config.to_string()).unwrap();
    let mut command = machine.command(program);
    command.arg("-c").arg(&file).env("KEA_PIDFILE_DIR", place).env("KEA_LOCKFILE_DIR", "none");
    let said = fs::File::create(place.join("kea.out")).unwrap();
    command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
    let mut child = command.spawn().unwrap();
    wait_for("Kea to start", || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let ended = child.try_wait().unwrap();
        let said = fs::read_to_string(place.join("kea.out")).unwrap();
        assert!(ended.is_none(), "Kea ended ({ended:?}):\n{said}{text}");
        text.contains("_STARTED Kea").then_some(())
    });
    Process::Kea { child, log }
}
