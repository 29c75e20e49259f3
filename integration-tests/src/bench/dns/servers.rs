//! The DNS servers of a run, all on the same zones, one worker each on the servers' core.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::question::{Question, rtype};
use super::zones::Zones;
use crate::bench::server::{Server, is_installed};
use crate::generate::Plan;
use crate::programs;

/// A network in which every address of 10.0.0.0/8 is this machine's, so that clients have addresses of the
/// inventory and each server one of its own. BIND wants to see it at the interface.
pub const NETWORK: &str = "ip link set lo up
    ip address add 10.255.0.1/8 dev lo
    for n in 1 2 3 4 5 6 7; do ip address add 10.255.1.$n/32 dev lo; done";
/// Where clients are: in the inventory's first network.
pub const CLIENT: &str = "10.0.0.77";

/// A certificate in a server's place, with which it serves DNS over TLS if it can.
pub const CERTIFICATE: &str = "server.pem";
/// The certificate's key.
pub const KEY: &str = "server.key";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// This workspace's.
    Hostbook,
    /// CZ.NIC's.
    Knot,
    /// NLnet Labs'.
    Nsd,
    /// ISC's.
    Bind,
    /// With its bind backend.
    PowerDns,
    /// With a `host-record` line for each host.
    Dnsmasq,
    /// Sends back what comes, in batches: the ceiling.
    Echo,
}

/// All of them, ours first.
pub const ALL: [Kind; 7] =
    [Kind::Hostbook, Kind::Knot, Kind::Nsd, Kind::Bind, Kind::PowerDns, Kind::Dnsmasq, Kind::Echo];

impl Kind {
    /// Name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Hostbook => "hostbook",
            Kind::Knot => "Knot",
            Kind::Nsd => "NSD",
            Kind::Bind => "BIND",
            Kind::PowerDns => "PowerDNS",
            Kind::Dnsmasq => "dnsmasq",
            Kind::Echo => "echo",
        }
    }

    fn program(self) -> PathBuf {
        let ours = |name| programs::directory().join(name);
        match self {
            Kind::Hostbook => ours("hostbook-dnsd"),
            Kind::Echo => ours("hostbook-bench"),
            Kind::Knot => "knotd".into(),
            Kind::Nsd => "nsd".into(),
            Kind::Bind => "named".into(),
            Kind::PowerDns => "pdns_server".into(),
            Kind::Dnsmasq => "dnsmasq".into(),
        }
    }

    /// Whether it can be started here.
    pub fn is_here(self) -> bool {
        matches!(self, Kind::Hostbook | Kind::Echo) || self.program().to_str().is_some_and(is_installed)
    }

    /// Whether it serves DNS over TLS, in a place with a certificate.
    pub fn speaks_tls(self) -> bool {
        matches!(self, Kind::Hostbook | Kind::Nsd)
    }

    /// Where it listens.
    ///
    /// # Panics
    /// Never.
    pub fn address(self) -> SocketAddr {
        format!("10.255.1.{}:53", self as u8 + 1).parse().unwrap()
    }

    /// Starts it in `place`, which has the inventory, and waits until it answers for all zones.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(self, place: &Path, plan: Plan, zones: &Zones) -> Server {
        let directory = place.join(self.name());
        fs::create_dir_all(&directory).unwrap();
        let ip = self.address().ip().to_string();
        let config = directory.join("config");
        let text = match self {
            Kind::Hostbook | Kind::Echo => String::new(),
            Kind::Knot => knot(&ip, &directory, zones),
            Kind::Nsd => nsd(&ip, &directory, place, zones),
            Kind::Bind => bind(&ip, &directory, zones),
            Kind::PowerDns => powerdns(&ip, &directory, zones),
            Kind::Dnsmasq => dnsmasq(&ip, plan),
        };
        fs::write(&config, text).unwrap();
        let args = self.arguments(place, &directory, &config);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut server = Server::start(self.name(), &directory, &self.program(), &args);
        server.wait(&directory, || self.answers(plan));
        server
    }

    fn arguments(self, place: &Path, directory: &Path, config: &Path) -> Vec<String> {
        let (config, here) = (config.display(), directory.display());
        let line = match self {
            Kind::Hostbook => {
                let inventory = place.join("inventory");
                let line =
                    format!("-i {} --state {here}/state --control {here}/control", inventory.display());
                let tls = with_certificate(place, |certificate, key| {
                    format!(" --tls {} --certificate {certificate} --key {key}", self.address().ip())
                });
                format!("{line} --listen {} --workers 1{tls}", self.address())
            }
            Kind::Echo => format!("echo {}", self.address()),
            Kind::Knot => format!("-c {config}"),
            Kind::Nsd => format!("-d -c {config}"),
            Kind::Bind => format!("-g -n 1 -c {config}"),
            Kind::PowerDns => format!("--config-dir={here} --config-name="),
            Kind::Dnsmasq => format!("--keep-in-foreground --user= --conf-file={config} --pid-file="),
        };
        line.split(' ').map(str::to_owned).collect()
    }

    /// Whether it answers for the last host's zone; an echo whether it is there.
    fn answers(self, plan: Plan) -> bool {
        let Ok(socket) = UdpSocket::bind((CLIENT, 0)) else { return false };
        let asked = (0..plan.hosts).rev().map(|number| plan.host(number)).find(|host| host.served);
        let Some(host) = asked else { return false };
        let question = Question::new(&host.fqdn, rtype::A, Some(host.ipv4.octets().to_vec()));
        let mut reply = [0; 1500];
        let heard = socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .and_then(|()| socket.send_to(&question.octets, self.address()))
            .and_then(|_| socket.recv(&mut reply));
        heard.is_ok_and(|octets| self == Kind::Echo || question.check(&reply[..octets]) == Ok(()))
    }
}

fn each_zone(zones: &Zones, line: impl Fn(&str, &str) -> String) -> String {
    zones.all.iter().map(|(apex, file)| line(apex, &file.display().to_string())).collect()
}

fn knot(ip: &str, directory: &Path, zones: &Zones) -> String {
    let here = directory.display();
    format!(
        "server:\n  listen: {ip}@53\n  rundir: {here}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
         log:\n  - target: stderr\n    any: warning\ndatabase:\n  storage: {here}\n\
         template:\n  - id: default\n    zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: none\n\
         acl:\n  - id: all\n    address: 10.0.0.0/8\n    action: transfer\nzone:\n{}",
        each_zone(zones, |apex, file| format!("  - domain: {apex}\n    file: {file}\n    acl: all\n"))
    )
}

/// What `line` makes of the files of the certificate, if there is one in `place`.
fn with_certificate(place: &Path, line: impl Fn(&str, &str) -> String) -> String {
    let [certificate, key] = [CERTIFICATE, KEY].map(|name| place.join(name));
    if !certificate.exists() {
        return String::new();
    }
    line(&certificate.display().to_string(), &key.display().to_string())
}

fn nsd(ip: &str, directory: &Path, place: &Path, zones: &Zones) -> String {
    let here = directory.display();
    let tls = with_certificate(place, |certificate, key| {
        format!(
            " ip-address: {ip}@853\n tls-service-pem: {certificate}\n tls-service-key: {key}\n tls-port: 853\n"
        )
    });
    format!(
        "server:\n ip-address: {ip}\n{tls} server-count: 1\n username: \"\"\n zonesdir: \"\"\n database: \"\"\n \
         pidfile: {here}/pid\n xfrdfile: {here}/xfrd\n zonelistfile: {here}/zones\n xfrdir: {here}\n \
         minimal-responses: yes\n rrl-ratelimit: 0\nremote-control:\n control-enable: no\n{}",
        each_zone(zones, |apex, file| format!("zone:\n name: {apex}\n zonefile: {file}\n"))
    )
}

fn bind(ip: &str, directory: &Path, zones: &Zones) -> String {
    let here = directory.display();
    format!(
        "options {{ directory \"{here}\"; listen-on {{ {ip}; }}; listen-on-v6 {{ none; }}; recursion no; \
         minimal-responses yes; pid-file none; session-keyfile none; notify no; dnssec-validation no; }};\n\
         controls {{ }};\n{}",
        each_zone(zones, |apex, file| format!("zone \"{apex}\" {{ type primary; file \"{file}\"; }};\n"))
    )
}

fn powerdns(ip: &str, directory: &Path, zones: &Zones) -> String {
    let named = directory.join("named.conf");
    let list =
        each_zone(zones, |apex, file| format!("zone \"{apex}\" {{ type master; file \"{file}\"; }};\n"));
    fs::write(&named, list).unwrap();
    fs::write(
        directory.join("pdns.conf"),
        format!(
            "launch=bind\nbind-config={}\nlocal-address={ip}\nlocal-port=53\nreceiver-threads=1\n\
             distributor-threads=1\nsocket-dir={}\nguardian=no\ndaemon=no\n",
            named.display(),
            directory.display()
        ),
    )
    .unwrap();
    String::new()
}

fn dnsmasq(ip: &str, plan: Plan) -> String {
    let mut text = format!(
        "listen-address={ip}\nbind-interfaces\nno-hosts\nno-resolv\nlocal=/example.net/\nlocal=/arpa/\n"
    );
    for host in (0..plan.hosts).map(|number| plan.host(number)).filter(|host| host.served) {
        let _ = writeln!(text, "host-record={},{},{}", host.fqdn, host.ipv4, host.ipv6);
        if let Some(alias) = &host.alias {
            let _ = writeln!(text, "cname={alias}.{}.example.net,{}", host.network, host.fqdn);
        }
    }
    text
}
