//! A site with both daemons, which are asked what `hostbook explain` says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch, program};
use integration_tests::run::{Ran, run};
use integration_tests::{dhcp, dhcp6, dns};
use inventory_core::name::Name;
use inventory_core::records::{Dialect, RecordType, parse_with};
use inventory_core::span::{FileId, Span};
use serde_json::Value;

/// Types that are asked for.
const TYPES: [&str; 20] = [
    "A", "AAAA", "CNAME", "DNAME", "PTR", "NS", "MX", "TXT", "SRV", "CAA", "SSHFP", "TLSA", "NAPTR", "SVCB",
    "HTTPS", "LOC", "HINFO", "DS", "URI", "RP",
];

/// Records of every kind, for the zone of the lab.
const RECORDS: &str = r#"@  CAA 0 issue "ca.example.net"
@  NAPTR 10 100 "s" "SIP+D2U" "" _sip._udp
@  HTTPS 1 . alpn=h2
@  RP hostmaster.lab.example.org. .
web1  SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
web1  HINFO "PC" "Linux"
web1  LOC 52 22 23.000 N 4 53 32.000 E -2.00m 1.00m 10000.00m 10.00m
_443._tcp.web1  TLSA 3 1 1 92003ba34942dc74152e2f2c408d29eca5a520e7f2e06bb944f4dca346baf63c
_http._tcp  URI 10 1 "https://www.lab.example.org/"
svc  SVCB 1 web1 port=8443
old  DNAME new.example.net.
*.wild  A 10.20.0.99
*.wild  TXT "anything" "below"
sub  NS ns.example.net.
sub  DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE12345678901234567890ABCD
"#;
/// Names of these that no host has.
pub(super) const NAMES: [&str; 12] = [
    "www",
    "lab.example.org",
    "_sip._udp.lab.example.org",
    "10.20.0.205",
    "10.20.0.77",
    "_443._tcp.web1.lab.example.org",
    "_http._tcp.lab.example.org",
    "svc.lab.example.org",
    "old.lab.example.org",
    "some.wild.lab.example.org",
    "sub.lab.example.org",
    "2001:db8:20::11",
];
/// What clients of IPv6 are told and given.
const KEYS: &str = r#"pd-pool = "2001:db8:4000::/48"
options6 = { ntp-server = "2001:db8:20::2", bootfile-url = "http://[2001:db8:20::2]/boot" }"#;
/// A host with a prefix and options of its own, and one without addresses.
const HOST: &str = r#"[host.router]
network = "servers"
mac = "52:54:00:aa:00:61"
ip = ["10.20.0.61", "2001:db8:20::61"]
pd = "2001:db8:6100::/56"
options6 = { 23 = "2001:db8:20::53" }
options = { ntp-servers = ["10.20.0.61"] }
lease = "2h"
"#;
/// The card of that host.
pub(super) const ROUTER: [u8; 6] = [0x52, 0x54, 0, 0xaa, 0, 0x61];

/// Both daemons on `examples/lab` with hosts and records of every kind, and a relay agent in its network that asks them.
pub(super) struct Lab {
    pub(super) place: Place,
    pub(super) dhcpd: Daemon,
    pub(super) dnsd: Daemon,
    pub(super) relay: Machine,
    _lan: Lan,
}

impl Lab {
    pub(super) fn new() -> Lab {
        let lan = Lan::new("lan0", &["10.20.0.2/24", "2001:db8:20::2/64"]);
        let relay = lan.attach("relay", "52:54:00:ff:00:01");
        relay.add_address("10.20.0.3/24");
        relay.add_address("2001:db8:20::3/64");
        let place = Place::lab();
        place.edit(
            "networks.toml",
            "_sip._udp  SRV  0 5 5060 pbx\n",
            &format!("_sip._udp  SRV  0 5 5060 pbx\n{RECORDS}"),
        );
        place.edit("networks.toml", "gateway = \"10.20.0.1\"", &format!("gateway = \"10.20.0.1\"\n{KEYS}"));
        place.save("hosts/six.toml", HOST);
        fs::create_dir(place.path().join("boot")).unwrap();
        let root = place.path().join("boot");
        let dhcpd = Launch::dhcpd(&place);
        let dhcpd = dhcpd.args(&["--interface", "lan0", "--boot-root", root.to_str().unwrap()]).start();
        let dnsd = Launch::dnsd(&place).args(&["--listen", "10.20.0.2"]).start();
        Lab { place, dhcpd, dnsd, relay, _lan: lan }
    }

    pub(super) fn hostbook(&self, args: &[&str]) -> Ran {
        let mut command: Command = program("hostbook");
        command.args(args).arg("--control").arg(self.place.control("dhcpd"));
        run(command)
    }

    pub(super) fn explain(&self, args: &[&str]) -> Value {
        let inventory = self.place.inventory();
        let ran = self.hostbook(&[&["explain", "--json", "-i", inventory.to_str().unwrap()], args].concat());
        assert_eq!(ran.code(), 0, "{ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    }

    pub(super) fn hosts(&self) -> Vec<String> {
        let mut command = program("hostbook");
        command.args(["list", "--json", "-i"]).arg(self.place.inventory());
        let hosts: Value = serde_json::from_str(&run(command).out).unwrap();
        hosts.as_array().unwrap().iter().map(|host| text(&host["host"])).collect()
    }

    /// What DNS answers, each record as its data in lower case.
    pub(super) fn resolve(&self, owner: &str, rtype: &str) -> BTreeSet<String> {
        self.relay.on(|| {
            let kind: hickory_proto::rr::RecordType = rtype.parse().unwrap();
            let name = format!("{owner}.");
            let answer = dns::Client::new(([10, 20, 0, 2], 53).into()).ask(&name, kind);
            let head = format!("{name} {rtype} ").to_lowercase();
            let own = answer.records.iter().filter_map(|record| record.strip_prefix(&head));
            own.map(|data| data.replace('"', "")).collect()
        })
    }

    pub(super) fn dhcp<T: Send>(&self, ask: impl FnOnce(&mut dhcp::Client) -> T + Send) -> T {
        self.relay.on(|| ask(&mut dhcp::Client::new([10, 20, 0, 3].into(), [10, 20, 0, 2].into())))
    }

    /// What dig is answered of every type at each of `owners`, or sent on to: data by owner and type.
    pub(super) fn dig(&self, owners: &BTreeSet<String>) -> Sets {
        let pairs =
            owners.iter().flat_map(|owner| TYPES.iter().map(move |rtype| format!("{owner}. {rtype}\n")));
        let questions = self.place.path().join("questions");
        fs::write(&questions, pairs.collect::<String>()).unwrap();
        let options = "+noall +answer +authority +norecurse +tries=3 +time=20";
        let dig = format!("dig {options} @10.20.0.2 -f {}", questions.display());
        let mut all = read(&self.relay.sh(&dig));
        all.retain(|(owner, rtype), _| owners.contains(&owner.to_string()) && *rtype != RecordType::SOA);
        all
    }

    /// Asks DNS for every type at each owner of `explained`, and is answered that and nothing else.
    pub(super) fn check_dns(&self, explained: &[Value]) -> usize {
        let records: Vec<&Value> = explained.iter().flat_map(|one| one["dns"].as_array().unwrap()).collect();
        let mut lines = String::new();
        for record in &records {
            let (owner, rtype, data) = (text(&record["owner"]), text(&record["type"]), text(&record["data"]));
            lines.push_str(&format!("{owner}. {} IN {rtype} {data}\n", record["ttl"]));
            assert!(record["at"].is_string(), "{record} has no line");
        }
        let owners = records.iter().map(|record| text(&record["owner"])).collect();
        assert_eq!(self.dig(&owners), read(&lines));
        records.len()
    }

    pub(super) fn dhcp6<T: Send>(&self, ask: impl FnOnce(&mut dhcp6::Client) -> T + Send) -> T {
        let [own, server] = ["2001:db8:20::3", "2001:db8:20::2"].map(|address| address.parse().unwrap());
        self.relay.on(|| ask(&mut dhcp6::Client::new(own, server)))
    }

    /// Asks DHCPv6 as each client of `what` in network `servers`, and is answered what is explained. Each then leases
    /// it, and the next is explained after that: what was only offered is in no list of leases. Returns how many asked.
    pub(super) fn check_dhcp6(&self, what: &str) -> usize {
        let clients = self.exchanges6(what).len();
        for index in 0..clients {
            let exchange = self.exchanges6(what).remove(index);
            let mac = mac(text(&exchange["client"]).strip_prefix("mac ").unwrap());
            if exchange["silence"].is_string() {
                assert!(self.dhcp6(|client| client.is_silence(mac, ROUTER)), "{exchange} is answered");
                continue;
            }
            // The network has a pool of prefixes, so that everybody may ask.
            for answer in
                [self.dhcp6(|client| client.solicit(mac, true)), self.dhcp6(|client| client.lease(mac, true))]
            {
                assert_told6(&answer, &exchange);
            }
        }
        clients
    }

    /// What is explained of the clients of `what` in network `servers`.
    fn exchanges6(&self, what: &str) -> Vec<Value> {
        let exchanges = self.explain(&[what])["dhcp6"].take();
        let Value::Array(mut exchanges) = exchanges else { panic!("no list: {exchanges}") };
        exchanges.retain(|exchange| exchange["network"] == "servers");
        exchanges
    }

    /// Asks DHCP as each client of network `servers` in `explained`, and is answered the same.
    pub(super) fn check_dhcp(&self, explained: &Value) -> usize {
        let exchanges = explained["dhcp"].as_array().unwrap().iter();
        let exchanges: Vec<&Value> = exchanges.filter(|exchange| exchange["network"] == "servers").collect();
        for exchange in &exchanges {
            let mac = mac(text(&exchange["client"]).strip_prefix("mac ").unwrap());
            if exchange["silence"].is_string() {
                assert!(self.dhcp(|client| client.is_silence(mac)), "{exchange} is answered");
                continue;
            }
            let firmware = match exchange["boot"]["arch"].as_str() {
                Some("bios") => Some(("PXEClient:Arch:00000:UNDI:003016", 0)),
                Some("uefi64") => Some(("PXEClient:Arch:00007:UNDI:003016", 7)),
                Some(_) => continue,
                None => None,
            };
            let offer = self.dhcp(|client| client.discover_all(mac, firmware));
            assert_eq!(offer.address.to_string(), text(&exchange["address"]));
            if let Some(file) = exchange["boot"]["file"].as_str() {
                assert_eq!(offer.file, file);
                continue;
            }
            let told: BTreeMap<u8, String> =
                offer.options.iter().map(|(code, data)| (*code, hex(data))).collect();
            let explained = exchange["options"].as_array().unwrap().iter();
            let explained: BTreeMap<u8, String> = explained
                .map(|option| {
                    (u8::try_from(option["code"].as_u64().unwrap()).unwrap(), text(&option["data"]))
                })
                .collect();
            // Message type, server and relay agent are the frame of the message.
            let told: BTreeMap<_, _> =
                told.into_iter().filter(|(code, _)| ![53, 54, 82].contains(code)).collect();
            assert_eq!(told, explained, "{exchange}");
        }
        exchanges.len()
    }
}

/// `answer` gives and tells what is explained in `exchange`.
fn assert_told6(answer: &dhcp6::Advertise, exchange: &Value) {
    let given: BTreeSet<(String, u64)> = answer
        .given
        .iter()
        .map(|(address, length, seconds)| {
            let length = if *length == 128 { String::new() } else { format!("/{length}") };
            (format!("{address}{length}"), u64::from(*seconds))
        })
        .collect();
    let said = exchange["given"].as_array().unwrap().iter();
    let said: BTreeSet<(String, u64)> =
        said.map(|one| (text(&one["address"]), one["seconds"].as_u64().unwrap())).collect();
    assert_eq!(given, said, "{exchange}");
    let told: BTreeMap<u64, String> =
        answer.options.iter().map(|(code, data)| ((*code).into(), hex(data))).collect();
    let said = exchange["options"].as_array().unwrap().iter();
    let said: BTreeMap<u64, String> =
        said.map(|option| (option["code"].as_u64().unwrap(), text(&option["data"]))).collect();
    assert_eq!(told, said, "{exchange}");
}

/// Data by owner and type, each with its TTL.
pub(super) type Sets = BTreeMap<(Name, RecordType), BTreeSet<(u32, Box<[u8]>)>>;

/// Reads master-file lines.
fn read(lines: &str) -> Sets {
    let origin = Name::parse("lab.example.org", None).unwrap();
    let mut findings = Vec::new();
    let locate = |from: usize, to: usize| {
        Span::new(FileId(0), u32::try_from(from).unwrap(), u32::try_from(to).unwrap())
    };
    let records = parse_with(lines, &origin, Dialect::FILE, &locate, &mut findings);
    assert!(findings.is_empty(), "{findings:?}\n{lines}");
    let mut sets = Sets::new();
    for record in records {
        sets.entry((record.owner, record.rtype)).or_default().insert((record.ttl.unwrap(), record.rdata));
    }
    sets
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub(super) fn hex(data: &[u8]) -> String {
    data.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

pub(super) fn mac(text: &str) -> [u8; 6] {
    let octets: Vec<u8> = text.split(':').map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    octets.try_into().unwrap()
}
