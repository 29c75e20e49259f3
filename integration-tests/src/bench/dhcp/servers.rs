//! The DHCP servers of a run, each in a network of its own with the relay agents of all networks.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::load::{Client, Load, Until, WINDOW};
use crate::bench::machine::{load_core, pin};
use crate::bench::server::{Server, is_installed};
use crate::generate::{Plan, mix};
use crate::net::Machine;
use crate::programs;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// This workspace's.
    Hostbook,
    /// ISC's newer one: leases in memory, written to a file and not synced.
    Kea,
    /// ISC's older one.
    Isc,
    /// With a `dhcp-host` line for each host.
    Dnsmasq,
    /// Sends back what comes, in batches: the ceiling.
    Echo,
}

/// All of them, ours first.
pub const ALL: [Kind; 5] = [Kind::Hostbook, Kind::Kea, Kind::Isc, Kind::Dnsmasq, Kind::Echo];

/// What the servers are to serve.
#[derive(Clone, Debug)]
pub struct Site {
    /// Networks `10.N.0.0/16`, each with the addresses that anybody may get.
    pub pools: Vec<Option<(Ipv4Addr, Ipv4Addr)>>,
    /// Name, hardware address, network and address of known machines.
    pub hosts: Vec<(String, [u8; 6], usize, Ipv4Addr)>,
}

/// Where every server is.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 255, 253);
const LEASE: u32 = 43_200;

/// A server with its networks.
#[derive(Debug)]
pub struct Running {
    /// The server.
    pub server: Server,
    /// Which one.
    pub kind: Kind,
    load: Machine,
    _machine: Machine,
}

impl Site {
    /// The known machines of a generated inventory.
    pub fn reservations(plan: Plan) -> Site {
        let mut site = Site { pools: vec![None; plan.networks()], hosts: Vec::new() };
        for host in (0..plan.hosts).map(|number| plan.host(number)).filter(|host| host.served) {
            let mut mac = [0; 6];
            for (to, from) in mac.iter_mut().zip(host.mac.split(':')) {
                *to = u8::from_str_radix(from, 16).unwrap();
            }
            let network = host.network.trim_start_matches('n').parse().unwrap();
            site.hosts.push((host.name, mac, network, host.ipv4));
        }
        site
    }

    /// The known machines as clients, neighbours far apart.
    pub fn clients(&self) -> Vec<Client> {
        let client = |(_, mac, agent, address): &(_, _, _, Ipv4Addr)| Client {
            mac: *mac,
            agent: *agent,
            address: Some(*address),
        };
        let mut clients: Vec<Client> = self.hosts.iter().map(client).collect();
        clients.sort_by_key(|client| mix(u64::from(client.address.map_or(0, Ipv4Addr::to_bits))));
        clients
    }

    /// One network that gives addresses to anybody.
    pub fn pool() -> Site {
        let pool = (Ipv4Addr::new(10, 0, 1, 0), Ipv4Addr::new(10, 0, 250, 255));
        Site { pools: vec![Some(pool)], hosts: Vec::new() }
    }
}

impl Kind {
    /// Name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Hostbook => "hostbook",
            Kind::Kea => "Kea",
            Kind::Isc => "ISC dhcpd",
            Kind::Dnsmasq => "dnsmasq",
            Kind::Echo => "echo",
        }
    }

    /// Whether it can be started here.
    pub fn is_here(self) -> bool {
        match self {
            Kind::Hostbook | Kind::Echo => true,
            Kind::Kea => is_installed("kea-dhcp4"),
            Kind::Isc => is_installed("dhcpd"),
            Kind::Dnsmasq => is_installed("dnsmasq"),
        }
    }

    /// Starts it in `place`, which has the inventory, and waits until it serves `client`.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(self, place: &Path, site: &Site, client: Client) -> Running {
        let directory = place.join(format!("{self:?}"));
        fs::create_dir_all(&directory).unwrap();
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (machine, load) = networks(&format!("dhcp{number}"), site.pools.len());
        let here = directory.display();
        let ours = programs::directory().display();
        let config = directory.join("config");
        let (text, line) = match self {
            Kind::Hostbook => {
                let inventory = place.join("inventory");
                let line =
                    format!("-i {} --state {here}/state --control {here}/control", inventory.display());
                (String::new(), format!("{ours}/hostbook-dhcpd {line} --interface s0"))
            }
            Kind::Echo => (String::new(), format!("{ours}/hostbook-bench echo {SERVER}:67")),
            Kind::Kea => (kea(site, &directory), format!("kea-dhcp4 -c {}", config.display())),
            Kind::Isc => {
                fs::write(directory.join("leases"), "").unwrap();
                let files = format!("-cf {} -lf {here}/leases", config.display());
                (isc(site), format!("dhcpd -4 -f -q {files} --no-pid s0"))
            }
            Kind::Dnsmasq => {
                let text = dnsmasq(site, &directory);
                (
                    text,
                    format!(
                        "dnsmasq --keep-in-foreground --user= --conf-file={} --pid-file=",
                        config.display()
                    ),
                )
            }
        };
        fs::write(&config, text).unwrap();
        let [enter, network, end] = machine.enter();
        let args: Vec<&str> = [&*network, &*end].into_iter().chain(line.split(' ')).collect();
        let server = Server::start(self.name(), &directory, Path::new(&enter), &args);
        let mut running = Running { server, kind: self, load, _machine: machine };
        let agents = site.pools.len();
        let Running { server, load, .. } = &mut running;
        server.wait(&directory, || {
            load.on(|| {
                let clients = [client];
                let mut load = Load::new(&clients, &agents_of(agents), SERVER, 1).unwrap();
                if self == Kind::Echo {
                    load = load.unchecked();
                }
                load.run(Until { time: Duration::from_secs(60), exchanges: 1 })
                    .is_ok_and(|tally| tally.exchanges == 1)
            })
        });
        running
    }
}

impl Running {
    /// Does something in the network of the agents.
    pub fn on<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.load.on(act)
    }

    /// Runs a load of `clients` behind the agents.
    pub fn load<T: Send>(
        &self,
        clients: &[Client],
        agents: usize,
        act: impl FnOnce(&mut Load<'_>) -> T + Send,
    ) -> T {
        self.load.on(|| {
            pin(load_core());
            let mut load = Load::new(clients, &agents_of(agents), SERVER, WINDOW).unwrap();
            if self.kind == Kind::Echo {
                load = load.unchecked();
            }
            act(&mut load)
        })
    }
}

/// Addresses of the agents: the routers of the networks.
fn agents_of(networks: usize) -> Vec<Ipv4Addr> {
    (0..networks).map(|n| Ipv4Addr::new(10, u8::try_from(n).unwrap(), 255, 254)).collect()
}

/// The server's machine and that of the relay agents, a cable between them.
fn networks(name: &str, networks: usize) -> (Machine, Machine) {
    let (server, load) = (Machine::alone(name), Machine::alone(&format!("{name}-load")));
    server.sh(&format!("ip link add s0 type veth peer name c0 netns {name}-load"));
    let quiet = "sysctl -qw net.ipv6.conf.all.disable_ipv6=1";
    load.sh(&format!("{quiet}; ip link set c0 up"));
    for agent in agents_of(networks) {
        load.sh(&format!("ip address add {agent}/16 dev c0"));
    }
    server.sh(&format!("{quiet}; ip link set s0 up; ip address add {SERVER}/16 dev s0"));
    for network in 1..networks {
        server.sh(&format!("ip route add 10.{network}.0.0/16 dev s0"));
    }
    (server, load)
}

fn colons(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}

fn kea(site: &Site, directory: &Path) -> String {
    let mut hosts: Vec<Vec<Value>> = vec![Vec::new(); site.pools.len()];
    for (name, mac, network, address) in &site.hosts {
        hosts[*network].push(json!({
            "hw-address": colons(*mac), "ip-address": address.to_string(), "hostname": name
        }));
    }
    let subnets: Vec<Value> = site
        .pools
        .iter()
        .zip(hosts)
        .enumerate()
        .map(|(n, (pool, hosts))| {
            let pools = pool.map(|(first, last)| json!({ "pool": format!("{first} - {last}") }));
            json!({
                "id": n + 1,
                "subnet": format!("10.{n}.0.0/16"),
                "pools": pools.into_iter().collect::<Vec<_>>(),
                "option-data": [
                    { "name": "routers", "data": format!("10.{n}.255.254") },
                    { "name": "domain-name-servers", "data": format!("10.{n}.255.253") },
                    { "name": "domain-name", "data": format!("n{n}.example.net") },
                ],
                "reservations": hosts,
            })
        })
        .collect();
    json!({ "Dhcp4": {
        "interfaces-config": { "interfaces": [format!("s0/{SERVER}")], "dhcp-socket-type": "udp" },
        "lease-database": {
            "type": "memfile", "persist": true, "name": directory.join("leases.csv"), "lfc-interval": 0
        },
        "valid-lifetime": LEASE,
        "authoritative": true,
        "host-reservation-identifiers": ["hw-address"],
        "reservations-out-of-pool": true,
        "loggers": [{ "name": "kea-dhcp4", "severity": "WARN",
                      "output_options": [{ "output": directory.join("kea.log") }] }],
        "subnet4": subnets,
    }})
    .to_string()
}

fn isc(site: &Site) -> String {
    let mut text = format!(
        "authoritative;\ndefault-lease-time {LEASE};\nmax-lease-time {LEASE};\nddns-update-style none;\n"
    );
    for (n, pool) in site.pools.iter().enumerate() {
        let _ = writeln!(
            text,
            "subnet 10.{n}.0.0 netmask 255.255.0.0 {{ option routers 10.{n}.255.254; \
             option domain-name-servers 10.{n}.255.253; option domain-name \"n{n}.example.net\"; {} }}",
            pool.map_or(String::new(), |(first, last)| format!("range {first} {last};"))
        );
    }
    for (name, mac, _, address) in &site.hosts {
        let _ = writeln!(
            text,
            "host {name} {{ hardware ethernet {}; fixed-address {address}; option host-name \"{name}\"; }}",
            colons(*mac)
        );
    }
    text
}

fn dnsmasq(site: &Site, directory: &Path) -> String {
    let leases = directory.join("leases");
    let mut text = format!(
        "port=0\ninterface=s0\nbind-interfaces\ndhcp-authoritative\ndhcp-leasefile={}\ndhcp-lease-max=200000\nno-ping\n",
        leases.display()
    );
    for (n, pool) in site.pools.iter().enumerate() {
        let range = pool.map_or(format!("10.{n}.0.0,static"), |(first, last)| format!("{first},{last}"));
        let _ = write!(
            text,
            "dhcp-range=set:n{n},{range},255.255.0.0,{LEASE}\ndhcp-option=tag:n{n},3,10.{n}.255.254\n\
             dhcp-option=tag:n{n},6,10.{n}.255.253\ndhcp-option=tag:n{n},15,n{n}.example.net\n"
        );
    }
    for (name, mac, _, address) in &site.hosts {
        let _ = writeln!(text, "dhcp-host={},{name},{address}", colons(*mac));
    }
    text
}
