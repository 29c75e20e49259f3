//! What the files of small offices usually hold, and the files of the example company do not.

use super::{Desk, Entry, entries, networks};

fn entry(name: &str, mac: Option<&str>, addresses: &[&str]) -> Entry {
    (name.to_owned(), mac.map(str::to_owned), addresses.iter().map(|text| (*text).to_owned()).collect())
}

fn text(desk: &Desk, path: &str) -> String {
    std::fs::read_to_string(desk.path(path)).unwrap()
}

const DNSMASQ: &str = r#"conf-dir=/etc/dnsmasq.d
server=8.8.8.8
address=/ads.example/0.0.0.0
mx-host=office.example,desk.office.example,10
txt-record=_dmarc.office.example,"v=DMARC1"
srv-host=_ldap._tcp,desk.office.example,389
domain = office.example
dhcp-range=192.168.5.100,192.168.5.200,12h
dhcp-range=set:guest,192.168.6.50,192.168.6.99,255.255.255.0,1h
dhcp-option=option:router,192.168.5.1
dhcp-host=52:54:00:11:22:33,laptop,192.168.5.20,infinite
dhcp-host=52:54:00:11:22:34,52:54:00:11:22:35,desk,192.168.5.21
"#;

#[test]
fn a_dnsmasq_with_one_router_two_networks_and_records_of_its_domain() {
    let desk = Desk::new("office");
    let lost = desk.import("a", &["dnsmasq", &desk.write("d.conf", DNSMASQ)]);
    assert_eq!(
        lost,
        [
            "d.conf:1: `conf-dir=/etc/dnsmasq.d`: what is there is read if its files are named here, too",
            "d.conf:2: `server=8.8.8.8`: hostbook-dnsd asks no other server",
            "d.conf:3: `ads.example` gets its own record; names below it do not follow, as they did in dnsmasq",
            "d.conf:12: 52:54:00:11:22:35 is left out: two interfaces cannot have one address",
            "gateway 192.168.5.1 lies outside of network guest, which gets none",
        ]
    );
    let snapshot = desk.load("a");
    assert_eq!(
        entries(&snapshot),
        [
            entry("laptop.office.example", Some("52:54:00:11:22:33"), &["192.168.5.20"]),
            entry("desk.office.example", Some("52:54:00:11:22:34"), &["192.168.5.21"]),
        ]
        .into()
    );
    let gateways: Vec<String> = networks(&snapshot).into_iter().map(|network| network.1).collect();
    assert_eq!(gateways, ["192.168.5.1", ""]);
    let zone = desk.export("a", &["zone", "--zone", "office.example"]);
    assert!(text(&desk, "a/imported-dnsmasq.toml").contains("nameservers = [\"ns1.office.example\"]"));
    for record in ["v=DMARC1", "10 desk.office.example.", "_ldap._tcp", "0 0 389 desk.office.example."] {
        assert!(zone.contains(record), "{record}: {zone}");
    }
}

#[test]
fn options_of_iscs_groups_and_hosts_are_those_of_hosts() {
    let desk = Desk::new("groups");
    let file = desk.write(
        "dhcpd.conf",
        r#"option domain-name "office.example";
option voip-server code 150 = ip-address;
subnet 10.1.0.0 netmask 255.255.255.0 { option routers 10.1.0.1; option ntp-servers 10.1.0.8; }
group { option time-servers 10.1.0.5; subnet 10.2.0.0 netmask 255.255.255.0 { option routers 10.2.0.1; } }
group {
  option ntp-servers 10.1.0.9;
  host alpha { hardware ethernet 52:54:00:01:00:01; fixed-address 10.1.0.11; }
  host beta { hardware ethernet 52:54:00:01:00:02; fixed-address 10.1.0.12; option ntp-servers 10.1.0.7; }
}
host gamma { hardware ethernet 52:54:00:01:00:03; fixed-address 10.1.0.13; option no-such-thing 1; }
"#,
    );
    let lost = desk.import("a", &["isc", &file]);
    assert_eq!(
        lost,
        [
            "dhcpd.conf:2: `option voip-server code 150 = ip-address`",
            "dhcpd.conf:10: `option no-such-thing 1` of host gamma",
        ]
    );
    let written = text(&desk, "a/imported-isc.toml");
    assert!(written.contains("gateway = \"10.2.0.1\""), "{written}");
    assert_eq!(written.matches("10.1.0.5").count(), 1, "{written}");
    for (host, server) in [("alpha", "10.1.0.9"), ("beta", "10.1.0.7")] {
        let (_, after) = written.split_once(&format!("[host.{host}]")).unwrap();
        let own = after.split("\n[").next().unwrap();
        assert!(own.contains(&format!("options = {{ ntp-servers = [\"{server}\"] }}")), "{own}");
    }
    let (_, gamma) = written.split_once("[host.gamma]").unwrap();
    assert!(!gamma.contains("options"), "{gamma}");
}

#[test]
fn a_delegation_to_a_zone_that_is_read_as_well_is_made_of_that_zone_and_of_the_ds_record() {
    let desk = Desk::new("cut");
    let digest = "01".repeat(32);
    let start = "$TTL 5m\n@ SOA ns hostmaster 1 1h 15m 30d 1h\n";
    let parent = format!(
        "$ORIGIN office.example.\n{start}@ NS ns\nns A 10.1.0.2\n\
         sub NS ns.sub\nsub DS 12345 13 2 {digest}\nns.sub A 10.9.9.9\n"
    );
    let child = format!("$ORIGIN sub.office.example.\n{start}@ NS ns\nns A 10.9.9.9\n");
    let files = [desk.write("office.db", &parent), desk.write("sub.db", &child)];
    desk.import("a", &["bind", &files[0], &files[1]]);
    for (zone, kinds) in
        [("office.example", ["A", "A", "DS", "NS", "NS"].as_slice()), ("sub.office.example", &["A", "NS"])]
    {
        let exported = desk.export("a", &["zone", "--zone", zone]);
        let words = exported.lines().flat_map(str::split_whitespace);
        let mut found: Vec<&str> = words.filter(|word| ["A", "DS", "NS"].contains(word)).collect();
        found.sort_unstable();
        assert_eq!(found, kinds, "{exported}");
    }
}

#[test]
fn a_zone_with_a_delegation_keeps_its_glue_and_its_ttls() {
    let desk = Desk::new("glue");
    let zone = "$ORIGIN office.example.\n$TTL 5m\n@ SOA ns1 hostmaster 1 1h 15m 30d 1h\n@ NS ns1\n\
                ns1 1h A 10.1.0.2\nmail A 10.1.0.25\nweb A 10.1.0.26\nwww 60 CNAME web\n\
                two A 10.1.0.30\ntwo 1m A 10.1.0.31\n\
                sub NS ns.sub\nns.sub A 10.9.9.9\nold.sub TXT \"unseen\"\n";
    let lost = desk.import("a", &["bind", &desk.write("office.db", zone)]);
    assert_eq!(
        lost,
        [
            "office.db:13: `old.sub.office.example. 300 TXT \"unseen\"` lies below a delegation",
            "office.db:9: addresses of `two.office.example` have several TTLs; a host has one, and gets the shortest",
            "office.db:8: the TTL of alias `www.office.example`, 60: an alias has none of its own",
            "office.db:6: no network holds 10.1.0.25: 10.1.0.0/24 is assumed",
        ]
    );
    let exported = desk.export("a", &["zone", "--zone", "office.example"]);
    let mut records: Vec<Vec<&str>> = exported
        .lines()
        .map(|line| line.split_whitespace().filter(|word| *word != "IN").collect::<Vec<_>>())
        .filter(|words| words.contains(&"A") || words.contains(&"NS"))
        .collect();
    records.sort();
    let wanted = [
        ["mail.office.example.", "300", "A", "10.1.0.25"],
        ["ns.sub.office.example.", "300", "A", "10.9.9.9"],
        ["ns1.office.example.", "3600", "A", "10.1.0.2"],
        ["office.example.", "300", "NS", "ns1.office.example."],
        ["sub.office.example.", "300", "NS", "ns.sub.office.example."],
        ["two.office.example.", "60", "A", "10.1.0.30"],
        ["two.office.example.", "60", "A", "10.1.0.31"],
        ["web.office.example.", "300", "A", "10.1.0.26"],
    ];
    assert_eq!(records, wanted, "{exported}");
}

#[test]
fn an_address_in_ethers_is_whose_it_is_in_hosts_and_a_second_import_writes_nothing() {
    let desk = Desk::new("ethers");
    let hosts = desk.write("hosts", "127.0.0.1 localhost\n10.1.0.12 beta.office.example beta\n");
    let ethers = desk.write("ethers", "52:54:0:1:0:2 10.1.0.12\n");
    desk.import("a", &["hosts", &hosts, &ethers]);
    let all = [entry("beta.office.example", Some("52:54:00:01:00:02"), &["10.1.0.12"])].into();
    assert_eq!(entries(&desk.load("a")), all);

    let again = desk.run("a", &["import", "hosts", &hosts, &ethers]);
    assert!(again.status.success(), "{again:?}");
    assert_eq!(String::from_utf8_lossy(&again.stdout), "nothing to do: the files say so already\n");
    assert_eq!(std::fs::read_dir(desk.path("a")).unwrap().count(), 1);
}

#[test]
fn keas_hosts_without_a_name_and_with_options_of_their_own_are_hosts() {
    let desk = Desk::new("kea-hosts");
    let file = desk.write(
        "kea.json",
        r#"{"Dhcp4": {"option-data": [{"name": "domain-name", "data": "office.example"}], "subnet4": [
            {"id": 1, "subnet": "192.0.2.0/24", "reservations": [
                {"client-id": "01:11:22:33:44:55:66", "ip-address": "192.0.2.11"},
                {"hw-address": "52:54:00:00:00:ab", "ip-address": "192.0.2.12", "hostname": "b",
                 "option-data": [{"name": "ntp-servers", "data": "192.0.2.3, 192.0.2.4"}]},
                {"hw-address": "52:54:00:00:00:ac", "ip-address": "192.0.2.13", "hostname": "c",
                 "option-data": [{"name": "no-such-thing", "data": "1"}]}]}]}}"#,
    );
    let lost = desk.import("a", &["kea", &file]);
    assert_eq!(
        lost,
        [
            "kea.json: Dhcp4: 192.0.2.0/24: `option-data` of c",
            "kea.json: Dhcp4: 192.0.2.0/24: it has no name there, and is called ip-192-0-2-11",
        ]
    );
    let names: Vec<String> = entries(&desk.load("a")).into_iter().map(|entry| entry.0).collect();
    assert_eq!(names, ["b.office.example", "c.office.example", "ip-192-0-2-11.office.example"]);
    let written = text(&desk, "a/imported-kea.toml");
    assert!(written.contains("options = { ntp-servers = [\"192.0.2.3\", \"192.0.2.4\"] }"), "{written}");
    assert!(written.contains("client-id = \"01:11:22:33:44:55:66\""), "{written}");
}

#[test]
fn netboxs_table_of_devices_has_their_primary_addresses() {
    let desk = Desk::new("netbox-devices");
    let devices = "Name,Status,Site,Role,Type,IP Address\nsw1,Active,HQ,Switch,C9300,10.5.0.2/24\n";
    let lost = desk.import("a", &["netbox", &desk.write("d.csv", devices), "--zone", "office.example"]);
    assert_eq!(lost, ["d.csv: item 1: no network holds 10.5.0.2: 10.5.0.0/24 is assumed"]);
    assert_eq!(entries(&desk.load("a")), [entry("sw1.office.example", None, &["10.5.0.2"])].into());
}

#[test]
fn a_link_that_an_import_shares_with_a_network_that_is_there_is_told() {
    let desk = Desk::new("half-link");
    let subnet = |number: u8| {
        format!("subnet 10.{number}.0.0 netmask 255.255.255.0 {{ option routers 10.{number}.0.1; }}\n")
    };
    let domain = "option domain-name \"office.example\";\n";
    desk.import("a", &["isc", &desk.write("first.conf", &format!("{domain}{}", subnet(1)))]);
    let both = format!("{domain}shared-network floor {{\n{}{}}}\n", subnet(1), subnet(2));
    let lost = desk.import("a", &["isc", &desk.write("both.conf", &both), "--into", "both.toml"]);
    assert_eq!(
        lost,
        [
            "network net-10-1-0-0 is there already, and stays as it is; with `link = \"floor\"` it is on one with others",
            "both.toml:4:11: warning[HB077]: no other network is on link `floor`",
        ]
    );
}
