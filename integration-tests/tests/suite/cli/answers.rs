//! `hostbook plan` and `hostbook explain` say what the daemons then answer over the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use dhcproto::v4::MessageType;
use integration_tests::dns;
use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch, program};
use integration_tests::run::{Ran, run, sh};
use integration_tests::{dhcp, dhcp6};
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
const NAMES: [&str; 12] = [
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
const ROUTER: [u8; 6] = [0x52, 0x54, 0, 0xaa, 0, 0x61];

/// Both daemons on `examples/lab`, and a relay agent in its network that asks them.
struct Lab {
    place: Place,
    dhcpd: Daemon,
    dnsd: Daemon,
    relay: Machine,
    _lan: Lan,
}

impl Lab {
    fn new() -> Lab {
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

    fn hostbook(&self, args: &[&str]) -> Ran {
        let mut command: Command = program("hostbook");
        command.args(args).arg("--control").arg(self.place.control("dhcpd"));
        run(command)
    }

    fn explain(&self, args: &[&str]) -> Value {
        let inventory = self.place.inventory();
        let ran = self.hostbook(&[&["explain", "--json", "-i", inventory.to_str().unwrap()], args].concat());
        assert_eq!(ran.code(), 0, "{ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    }

    fn hosts(&self) -> Vec<String> {
        let mut command = program("hostbook");
        command.args(["list", "--json", "-i"]).arg(self.place.inventory());
        let hosts: Value = serde_json::from_str(&run(command).out).unwrap();
        hosts.as_array().unwrap().iter().map(|host| text(&host["host"])).collect()
    }

    /// What DNS answers, each record as its data in lower case.
    fn resolve(&self, owner: &str, rtype: &str) -> BTreeSet<String> {
        self.relay.on(|| {
            let kind: hickory_proto::rr::RecordType = rtype.parse().unwrap();
            let name = format!("{owner}.");
            let answer = dns::Client::new(([10, 20, 0, 2], 53).into()).ask(&name, kind);
            let head = format!("{name} {rtype} ").to_lowercase();
            let own = answer.records.iter().filter_map(|record| record.strip_prefix(&head));
            own.map(|data| data.replace('"', "")).collect()
        })
    }

    fn dhcp<T>(&self, ask: impl FnOnce(&mut dhcp::Client) -> T + Send) -> T
    where
        T: Send,
    {
        self.relay.on(|| ask(&mut dhcp::Client::new([10, 20, 0, 3].into(), [10, 20, 0, 2].into())))
    }

    /// What dig is answered of every type at each of `owners`: data by owner and type.
    fn dig(&self, owners: &BTreeSet<String>) -> Sets {
        let pairs =
            owners.iter().flat_map(|owner| TYPES.iter().map(move |rtype| format!("{owner}. {rtype}\n")));
        let questions = self.place.path().join("questions");
        fs::write(&questions, pairs.collect::<String>()).unwrap();
        let dig =
            format!("dig +noall +answer +norecurse +tries=3 +time=20 @10.20.0.2 -f {}", questions.display());
        let mut all = read(&self.relay.sh(&dig));
        all.retain(|(owner, rtype), _| owners.contains(&owner.to_string()) && *rtype != RecordType::SOA);
        all
    }

    /// Asks DNS for every type at each owner of `explained`, and is answered that and nothing else.
    fn check_dns(&self, explained: &[Value]) -> usize {
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

    fn dhcp6<T: Send>(&self, ask: impl FnOnce(&mut dhcp6::Client) -> T + Send) -> T {
        let [own, server] = ["2001:db8:20::3", "2001:db8:20::2"].map(|address| address.parse().unwrap());
        self.relay.on(|| ask(&mut dhcp6::Client::new(own, server)))
    }

    /// Asks DHCPv6 as each client of network `servers` in `explained`, and is answered the same.
    fn check_dhcp6(&self, explained: &Value) -> usize {
        let exchanges = explained["dhcp6"].as_array().unwrap().iter();
        let exchanges: Vec<&Value> = exchanges.filter(|exchange| exchange["network"] == "servers").collect();
        for exchange in &exchanges {
            let mac = mac(text(&exchange["client"]).strip_prefix("mac ").unwrap());
            if exchange["silence"].is_string() {
                assert!(self.dhcp6(|client| client.is_silence(mac, ROUTER)), "{exchange} is answered");
                continue;
            }
            // The network has a pool of prefixes, so that everybody may ask.
            let advertise = self.dhcp6(|client| client.solicit(mac, true));
            let given: BTreeSet<(String, u64)> = advertise
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
                advertise.options.iter().map(|(code, data)| ((*code).into(), hex(data))).collect();
            let said = exchange["options"].as_array().unwrap().iter();
            let said: BTreeMap<u64, String> =
                said.map(|option| (option["code"].as_u64().unwrap(), text(&option["data"]))).collect();
            assert_eq!(told, said, "{exchange}");
        }
        exchanges.len()
    }

    /// Asks DHCP as each client of network `servers` in `explained`, and is answered the same.
    fn check_dhcp(&self, explained: &Value) -> usize {
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

/// Data by owner and type, each with its TTL.
type Sets = BTreeMap<(Name, RecordType), BTreeSet<(u32, Box<[u8]>)>>;

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

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

fn mac(text: &str) -> [u8; 6] {
    let octets: Vec<u8> = text.split(':').map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    octets.try_into().unwrap()
}

#[test]
fn explain_says_what_the_daemons_answer_and_the_line_that_says_so() {
    isolated(|| {
        let lab = Lab::new();
        let hosts = lab.hosts();
        let all: Vec<Value> =
            hosts.iter().map(String::as_str).chain(NAMES).map(|what| lab.explain(&[what])).collect();
        let records = lab.check_dns(&all);
        let exchanges: usize = all.iter().map(|explained| lab.check_dhcp(explained)).sum();
        let exchanges6: usize = all.iter().map(|explained| lab.check_dhcp6(explained)).sum();
        assert!(
            records > 50 && exchanges >= 8 && exchanges6 >= 5,
            "{records} records, {exchanges} clients, {exchanges6} of IPv6"
        );
        let router = lab.explain(&["router"]);
        let given = router["dhcp6"][0]["given"].as_array().unwrap();
        let at: Vec<(&str, &str)> =
            given.iter().map(|one| (one["address"].as_str().unwrap(), one["at"].as_str().unwrap())).collect();
        assert_eq!(at, [("2001:db8:20::61", "hosts/six.toml:4"), ("2001:db8:6100::/56", "hosts/six.toml:5")]);

        // web2 is to be installed: firmware is told of a loader, iPXE of a script.
        let web2 = lab.explain(&["web2"]);
        let boots: Vec<&str> =
            web2["dhcp"].as_array().unwrap().iter().filter_map(|one| one["boot"]["file"].as_str()).collect();
        assert_eq!(boots[..2], ["undionly.kpxe", "snponly.efi"]);
        let script = text(&web2["dhcp"][3]["boot"]["script"]);
        assert!(script.contains("kernel http://10.20.0.2/debian12/linux "), "{script}");
        assert_eq!(web2["dhcp"][1]["boot"]["at"], "hosts/web.toml:15");
        assert_eq!(
            (&web2["dhcp"][0]["address_at"], &web2["dns"][0]["at"]),
            (&"hosts/web.toml:13".into(), &"hosts/web.toml:13".into())
        );
        let option = |code: u64| {
            let options = web2["dhcp"][0]["options"].as_array().unwrap();
            options.iter().find(|option| option["code"] == code).unwrap()
        };
        for (code, at) in [
            (3, "networks.toml:35"),
            (6, "networks.toml:38"),
            (42, "networks.toml:41"),
            (51, "networks.toml:40"),
        ] {
            assert_eq!(option(code)["at"], at, "{}", option(code));
        }

        // A packet that somebody describes: a stranger gets an address of the pool, the one that is explained.
        let said =
            ["--mac", "52:54:00:de:ad:01", "--arch", "uefi64", "--relay", "10.20.0.3", "--port", "sw1/7"];
        let stranger = lab.explain(&said);
        let offer = lab.dhcp(|client| client.discover([0x52, 0x54, 0, 0xde, 0xad, 1]));
        assert_eq!(stranger["dhcp"][0]["address"], offer.address.to_string());
        assert_eq!(stranger["dhcp"][0]["address_at"], "networks.toml:39");
        let nobody = lab.hostbook(&[
            "explain",
            "--mac",
            "52:54:00:de:ad:01",
            "--relay",
            "10.77.0.1",
            "-i",
            lab.place.inventory().to_str().unwrap(),
        ]);
        assert!(nobody.code() == 1 && nobody.err.contains("`unknown-relay`"), "{nobody:?}");
    });
}

/// Edits of every kind, in the copy of the inventory at `root`.
fn edit(place: &Place, root: &std::path::Path) {
    sh(&format!("cp -r {} {}", place.inventory().display(), root.display()));
    let replace = |file: &str, old: &str, new: &str| {
        let text = fs::read_to_string(root.join(file)).unwrap();
        assert_eq!(text.matches(old).count(), 1, "{old}");
        fs::write(root.join(file), text.replace(old, new)).unwrap();
    };
    replace("hosts/web.toml", "\"10.20.0.11\", \"2001:db8:20::11\"", "\"10.20.0.77\"");
    replace("hosts/web.toml", "\"www\", \"shop\"", "\"www\", \"store\"");
    replace("hosts/web.toml", "state  = \"install\"       #", "state  = \"retired\" #");
    replace("hosts/machines.toml", "\"52:54:00:aa:00:26\"", "\"52:54:00:aa:00:27\"");
    replace("hosts/machines.toml", "memory = \"64 GiB\"", "memory = \"4 GiB\"");
    replace("networks.toml", "10.20.0.200-10.20.0.250", "10.20.0.220-10.20.0.250");
    replace("networks.toml", "MX   10 mail", "MX   20 mail");
    replace("networks.toml", "lease   = \"12h\"", "lease   = \"6h\"");
    replace("hosts/six.toml", "2001:db8:6100::/56", "2001:db8:6200::/56");
}

#[test]
fn plan_says_what_the_daemons_answer_before_and_after() {
    isolated(|| {
        let lab = Lab::new();
        // A stranger has an address of the pool that is to be made smaller.
        let stranger = [0x52, 0x54, 0, 0xde, 0xad, 1];
        let leased = lab.dhcp(|client| {
            let offer = client.discover(stranger);
            client.request(stranger, offer.address)
        });
        assert_eq!(leased.kind, MessageType::Ack);
        let next = lab.place.path().join("next");
        edit(&lab.place, &next);
        let state = lab.place.path().join("state");
        let plan = |extra: &[&str]| {
            let base = ["plan", "-i", next.to_str().unwrap(), "--state", state.to_str().unwrap()];
            lab.hostbook(&[&base, extra].concat())
        };
        let ran = plan(&["--json"]);
        assert_eq!(ran.code(), 3, "{ran:?}");
        let changes: Value = serde_json::from_str(&ran.out).unwrap();
        let people = plan(&[]).out;
        for part in [
            "zone lab.example.org",
            "leases that are taken away",
            "10.20.0.11 -> 10.20.0.77",
            "error",
            "HB070",
        ] {
            assert!(people.contains(part) == (part != "error"), "`{part}` in {people}");
        }

        let explained: Vec<Value> =
            lab.hosts().iter().map(String::as_str).chain(NAMES).map(|what| lab.explain(&[what])).collect();
        let records = explained.iter().flat_map(|one| one["dns"].as_array().unwrap());
        let owners: BTreeSet<String> = records.map(|record| text(&record["owner"])).collect();
        let before = lab.dig(&owners);
        let mut planned = check(&lab, &changes, "before");
        assert_eq!(changes["leases"][0]["address"], leased.address.to_string());

        sh(&format!("cp -r {}/. {}", next.display(), lab.place.inventory().display()));
        for daemon in [&lab.dhcpd, &lab.dnsd] {
            daemon.wait_status("the edit", |status| {
                status["inventory"]["networks"] == 2 && {
                    let plan = plan(&["--json"]);
                    plan.code() == 0 || status["inventory"]["hash"].is_null()
                }
            });
        }
        planned.extend(check(&lab, &changes, "after"));
        let refused = lab.dhcp(|client| client.rebind(stranger, leased.address));
        assert_eq!(refused.kind, MessageType::Nak, "the lease that plan called lost");
        // What the plan does not name is answered as before.
        let after = lab.dig(&owners);
        for key in before.keys().chain(after.keys()) {
            let name = (key.0.to_string(), key.1.to_string());
            let (was, is) = (before.get(key), after.get(key));
            assert!(planned.contains(&name) || was == is, "{name:?}: {was:?} became {is:?}");
        }
    });
}

/// Asks DHCPv6 as the machine with the address `client`, and is answered what one side of a reservation says.
fn check6(lab: &Lab, given: &Value, client: [u8; 6]) {
    let said = given["address6"].as_str().unwrap_or("nothing");
    if said == "not served" {
        assert!(lab.dhcp6(|client_of| client_of.is_silence(client, ROUTER)), "{given}");
        return;
    }
    let advertise = lab.dhcp6(|client_of| client_of.solicit(client, false));
    let addresses: Vec<String> = advertise.given.iter().map(|(address, ..)| address.to_string()).collect();
    // The network has no pool of IPv6 addresses.
    let wanted: Vec<&str> = if said.contains(':') { vec![said] } else { Vec::new() };
    assert_eq!(addresses, wanted, "{given}");
    let prefixes = lab.dhcp6(|client_of| client_of.solicit(client, true)).given;
    for prefix in given["delegated"].as_array().into_iter().flatten() {
        let is =
            |(address, length, _): &(std::net::Ipv6Addr, u8, u32)| *prefix == format!("{address}/{length}");
        assert!(prefixes.iter().any(is), "{prefixes:?}: {given}");
    }
}

/// Asks for every RRset and reservation of `changes` and is answered what its `side` says. Returns the
/// RRsets.
fn check(lab: &Lab, changes: &Value, side: &str) -> BTreeSet<(String, String)> {
    let mut names = BTreeSet::new();
    let zones = changes["dns"].as_array().unwrap();
    for rrset in zones.iter().flat_map(|zone| zone["records"].as_array().unwrap()) {
        let name = (text(&rrset["owner"]), text(&rrset["type"]));
        // Each is TTL and data.
        let data = rrset[side]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| text(one).split_once(' ').unwrap().1.to_lowercase());
        let wanted: BTreeSet<String> = data.map(|data| data.replace('"', "")).collect();
        assert_eq!(lab.resolve(&name.0, &name.1), wanted, "{side}: {rrset}");
        names.insert(name);
    }
    let reservations = changes["reservations"].as_array().unwrap();
    for change in reservations {
        let client = mac(text(&change["client"]).strip_prefix("mac ").unwrap());
        check6(lab, &change[side], client);
        match change[side]["address"].as_str() {
            Some("not served") => {
                assert!(lab.dhcp(|client_of| client_of.is_silence(client)), "{side}: {change}");
            }
            Some(address) => {
                let address: Ipv4Addr = address.parse().unwrap();
                let offer = lab.dhcp(|client_of| client_of.discover_all(client, None));
                assert_eq!(offer.address, address, "{side}: {change}");
                let seconds = u32::from_be_bytes(offer.options[&51].clone().try_into().unwrap());
                assert_eq!(change[side]["lease_seconds"], seconds, "{side}: {change}");
            }
            None => {
                let offer = lab.dhcp(|client_of| client_of.discover(client)).address;
                assert!(offer.octets()[3] >= 200, "{side}: {change} is offered {offer}");
            }
        }
    }
    assert!(
        names.len() > 20 && reservations.len() >= 4,
        "{} names, {} reservations",
        names.len(),
        reservations.len()
    );
    names
}
