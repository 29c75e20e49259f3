//! Two servers with the same logical configuration: networks of its own for each scenario.

use std::net::Ipv6Addr;

use integration_tests::message6::link_local;
use integration_tests::place::Place;
use serde_json::{Value, json};

use crate::suite::kea::servers::{Server, logger, machine};

/// Seconds of a lease.
const LEASE: u32 = 3600;

/// An address of scenario `n`: of the server's network, which is number 0, or of the one behind a relay
/// agent, which is number 1.
pub(super) fn address(n: u8, network: u16, host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, n.into(), network, 0, 0, 0, host)
}

/// A hardware address of scenario `n`.
pub(super) fn mac(n: u8, number: u8) -> [u8; 6] {
    [2, 0, 0, 0, n, number]
}

/// The server's own address on the link of scenario `n`.
pub(super) fn server_address(n: u8) -> Ipv6Addr {
    link_local(server_mac(n))
}

/// The server's hardware address there.
pub(super) fn server_mac(n: u8) -> [u8; 6] {
    [2, 0x5e, 0, 0, 0, n]
}

/// Starts ours and Kea for so many scenarios.
pub(super) fn start(place: &Place, scenarios: usize) -> [Server; 2] {
    place.save("site.toml", &inventory(scenarios));
    let [ours, kea] = ["ours", "kea"].map(|name| {
        // Addresses are used at once, and nobody but the test speaks on the other ends.
        let quiet = "sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0 \
                     net.ipv6.conf.all.forwarding=0";
        machine(name, scenarios, quiet, |n| format!("address add 2001:db8:{n:x}::1/64 dev s{n} nodad\n"))
    });
    let given = |status: &Value| {
        let messages = &status["dhcpv6"]["counters"]["messages"];
        ["advertise", "reply"].iter().map(|kind| messages[kind].as_u64().unwrap_or(0)).sum()
    };
    let config = config(place.path(), scenarios);
    [Server::ours(place, ours, scenarios, given), Server::kea(place.path(), kea, "kea-dhcp6", &config)]
}

fn inventory(scenarios: usize) -> String {
    let mut text = "[site]\nnameservers = [\"ns.lab.test\"]\n[zone.\"lab.test\"]\n\
                    records = \"ns A 192.0.2.1\"\n"
        .to_owned();
    for n in 1..=scenarios {
        for (name, third) in [("near", 0), ("far", 1)] {
            let pd = if third == 0 {
                format!("pd-pool = [\"2001:db8:{n:x}:1000::/62\"]\npd-length = 64")
            } else {
                String::new()
            };
            text.push_str(&format!(
                "[network.{name}{n}]\nzone = \"lab.test\"\nipv6 = \"2001:db8:{n:x}:{third:x}::/64\"\n\
                 dns = [\"2001:db8::53\", \"2001:db8::54\"]\nlease = \"{LEASE}s\"\n\
                 pool = [\"2001:db8:{n:x}:{third:x}::100-2001:db8:{n:x}:{third:x}::103\"]\n{pd}\n\
                 options6 = {{ sntp-servers = [\"2001:db8::123\"], sol-max-rt = \"1h\", \
                 information-refresh-time = \"1h\", bootfile-url = \"http://[2001:db8::1]/x\", 4711 = \"0x0a0b\" }}\n"
            ));
        }
        text.push_str(&format!(
            r#"
[host.web{n}]
network = "near{n}"
mac = "02:00:00:00:{n:02x}:01"
ip = "2001:db8:{n:x}::11"
options6 = {{ sntp-servers = ["2001:db8::9"] }}
[host.duid{n}]
network = "near{n}"
duid = "00:02:00:00:00:09:{n:02x}:03"
ip = "2001:db8:{n:x}::13"
[host.router{n}]
network = "near{n}"
mac = "02:00:00:00:{n:02x}:04"
ip = "2001:db8:{n:x}::14"
pd = "2001:db8:{n:x}:2000::/56"
[host.off{n}]
network = "near{n}"
mac = "02:00:00:00:{n:02x}:05"
ip = "2001:db8:{n:x}::15"
dhcp = false
[host.float{n}]
network = "near{n}"
mac = "02:00:00:00:{n:02x}:06"
[host.far{n}]
network = "far{n}"
mac = "02:00:00:00:{n:02x}:08"
ip = "2001:db8:{n:x}:1::18"
"#
        ));
    }
    text
}

fn subnet(n: usize, third: usize) -> Value {
    let mac = |number: usize| format!("02:00:00:00:{n:02x}:{number:02x}");
    let at = |host: &str| format!("2001:db8:{n:x}:{third:x}::{host}");
    let near = json!([
        { "hw-address": mac(1), "ip-addresses": [at("11")], "hostname": format!("web{n}.lab.test"),
          "option-data": [{ "name": "sntp-servers", "data": "2001:db8::9" }] },
        { "duid": format!("00:02:00:00:00:09:{n:02x}:03"), "ip-addresses": [at("13")], "hostname": format!("duid{n}.lab.test") },
        { "hw-address": mac(4), "ip-addresses": [at("14")], "prefixes": [format!("2001:db8:{n:x}:2000::/56")],
          "hostname": format!("router{n}.lab.test") },
        { "hw-address": mac(5), "ip-addresses": [at("15")], "client-classes": ["DROP"] },
        { "hw-address": mac(6), "hostname": format!("float{n}.lab.test") },
    ]);
    let far = json!([
        { "hw-address": mac(8), "ip-addresses": [at("18")], "hostname": format!("far{n}.lab.test") },
    ]);
    let mut subnet = json!({
        "id": n * 10 + third + 1,
        "subnet": format!("{}/64", at("")),
        "pools": [{ "pool": format!("{}-{}", at("100"), at("103")) }],
        "rapid-commit": true,
        "option-data": [
            { "name": "dns-servers", "data": "2001:db8::53, 2001:db8::54" },
            { "name": "domain-search", "data": "lab.test" },
            { "name": "sntp-servers", "data": "2001:db8::123" },
            { "name": "solmax-rt", "data": "3600" },
            { "name": "information-refresh-time", "data": "3600" },
            { "name": "bootfile-url", "data": "http://[2001:db8::1]/x" },
            { "code": 4711, "csv-format": false, "data": "0a0b" },
        ],
        "reservations": if third == 0 { near } else { far },
    });
    if third == 0 {
        subnet["interface"] = format!("s{n}").into();
        subnet["pd-pools"] = json!([
            { "prefix": format!("2001:db8:{n:x}:1000::"), "prefix-len": 62, "delegated-len": 64 },
        ]);
    }
    subnet
}

fn config(place: &std::path::Path, scenarios: usize) -> Value {
    let subnets: Vec<Value> = (1..=scenarios).flat_map(|n| [subnet(n, 0), subnet(n, 1)]).collect();
    json!({ "Dhcp6": {
        "interfaces-config": { "interfaces": ["*"] },
        "lease-database": { "type": "memfile", "persist": false },
        "server-id": { "type": "EN", "enterprise-id": 2495, "identifier": "0102030405060708", "persist": false },
        "preferred-lifetime": LEASE,
        "valid-lifetime": LEASE,
        "calculate-tee-times": true, "t1-percent": 0.5, "t2-percent": 0.8,
        "mac-sources": ["client-link-addr-option", "ipv6-link-local", "duid"],
        "host-reservation-identifiers": ["hw-address", "duid"],
        "option-def": [{ "name": "own", "code": 4711, "type": "binary" }],
        "loggers": [logger(place, "kea-dhcp6")],
        "subnet6": subnets,
    }})
}
