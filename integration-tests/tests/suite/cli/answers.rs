//! `hostbook plan` and `hostbook explain` say what the daemons then answer over the wire.

mod lab;

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;

use dhcproto::v4::MessageType;
use integration_tests::isolated::isolated;
use integration_tests::place::Place;
use integration_tests::programs::program;
use integration_tests::run::{sh, succeed};
use serde_json::Value;

use lab::{Lab, NAMES, ROUTER, mac, text};

#[test]
fn explain_says_what_the_daemons_answer_and_the_line_that_says_so() {
    isolated(|| {
        let lab = Lab::new();
        let hosts = lab.hosts();
        let whats = || hosts.iter().map(String::as_str).chain(NAMES);
        let all: Vec<Value> = whats().map(|what| lab.explain(&[what])).collect();
        let records = lab.check_dns(&all);
        let exchanges: usize = all.iter().map(|explained| lab.check_dhcp(explained)).sum();
        let exchanges6: usize = whats().map(|what| lab.check_dhcp6(what)).sum();
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

#[test]
fn explain_says_whose_pool_an_address_is_of_and_where_that_is_written() {
    let place = Place::empty();
    let site = "[site]\nnameservers = [\"ns1.lab.test\"]\n[zone.\"lab.test\"]\n[network.lab]\nzone = \"lab.test\"\n\
                ipv4 = \"10.77.0.0/24\"\npool = \"10.77.0.100-10.77.0.101\"\n[network.lab.match.phones]\n\
                vendor-class = \"snom*\"\npool = \"10.77.0.110-10.77.0.111\"\n[host.ns1]\nnetwork = \"lab\"\n\
                ip = \"10.77.0.1\"\n";
    place.save("site.toml", site);
    let told = |class: &str| {
        let mut command = program("hostbook");
        command.args(["explain", "--mac", "02:00:00:00:00:99", "--network", "lab", "--server", "10.77.0.1"]);
        command.args(["--vendor-class", class, "--json", "-i"]).arg(place.inventory());
        let all: Value = serde_json::from_str(&succeed(command)).unwrap();
        ["address", "address_at"].map(|key| all["dhcp"][0][key].as_str().unwrap().to_owned())
    };
    assert_eq!(told("snom320"), ["10.77.0.110", "site.toml:8"]);
    assert_eq!(told("other"), ["10.77.0.100", "site.toml:7"]);
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
        // The network has no pool that an address of IPv6 could be of.
        let web1 = changes["reservations"].as_array().unwrap().iter();
        let web1: Vec<&Value> = web1.filter(|change| change["client"] == "mac 52:54:00:aa:00:11").collect();
        assert_eq!((web1.len(), &web1[0]["after"]["address6"]), (1, &"none".into()));

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
