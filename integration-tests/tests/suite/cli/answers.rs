//! `hostbook plan` and `hostbook explain` say what the daemons then answer over the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use dhcproto::v4::MessageType;
use hickory_proto::rr::RecordType;
use integration_tests::dhcp;
use integration_tests::dns;
use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch, program};
use integration_tests::run::{Ran, run, sh};
use serde_json::Value;

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
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let relay = lan.attach("relay", "52:54:00:ff:00:01");
        relay.add_address("10.20.0.3/24");
        let place = Place::lab();
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
            let kind: RecordType = rtype.parse().unwrap();
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

    /// Asks DNS for every record of `explained`, and finds that one.
    fn check_dns(&self, explained: &Value) -> usize {
        let records = explained["dns"].as_array().unwrap();
        for record in records {
            let (owner, rtype) = (text(&record["owner"]), text(&record["type"]));
            let data = text(&record["data"]).to_lowercase().replace('"', "");
            let answered = self.resolve(&owner, &rtype);
            assert!(answered.contains(&data), "{record} is answered by {answered:?}");
            assert!(record["at"].is_string(), "{record} has no line");
        }
        records.len()
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
        let (mut records, mut exchanges) = (0, 0);
        let names = ["www", "lab.example.org", "_sip._udp.lab.example.org", "10.20.0.205", "10.20.0.77"];
        for what in lab.hosts().iter().map(String::as_str).chain(names) {
            let explained = lab.explain(&[what]);
            records += lab.check_dns(&explained);
            exchanges += lab.check_dhcp(&explained);
        }
        assert!(records > 30 && exchanges >= 7, "{records} records, {exchanges} clients");

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
            (3, "networks.toml:20"),
            (6, "networks.toml:21"),
            (42, "networks.toml:24"),
            (51, "networks.toml:23"),
        ] {
            assert_eq!(option(code)["at"], at, "{}", option(code));
        }

        // A packet that somebody describes: a stranger gets an address of the pool, the one that is explained.
        let said =
            ["--mac", "52:54:00:de:ad:01", "--arch", "uefi64", "--relay", "10.20.0.3", "--port", "sw1/7"];
        let stranger = lab.explain(&said);
        let offer = lab.dhcp(|client| client.discover([0x52, 0x54, 0, 0xde, 0xad, 1]));
        assert_eq!(stranger["dhcp"][0]["address"], offer.address.to_string());
        assert_eq!(stranger["dhcp"][0]["address_at"], "networks.toml:22");
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

        let everything: Vec<(String, String)> = lab
            .hosts()
            .iter()
            .flat_map(|host| lab.explain(&[host])["dns"].as_array().unwrap().clone())
            .map(|record| (text(&record["owner"]), text(&record["type"])))
            .collect();
        let answers = |lab: &Lab| -> Vec<BTreeSet<String>> {
            everything.iter().map(|(owner, rtype)| lab.resolve(owner, rtype)).collect()
        };
        let before = answers(&lab);
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
        for ((name, before), after) in everything.iter().zip(before).zip(answers(&lab)) {
            assert!(planned.contains(name) || before == after, "{name:?}: {before:?} became {after:?}");
        }
    });
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
        match change[side]["address"].as_str() {
            Some("not served") => {
                assert!(lab.dhcp(|client_of| client_of.is_silence(client)), "{side}: {change}");
            }
            Some(address) => {
                let address: Ipv4Addr = address.parse().unwrap();
                assert_eq!(
                    lab.dhcp(|client_of| client_of.discover(client)).address,
                    address,
                    "{side}: {change}"
                );
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
