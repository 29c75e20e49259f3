//! Reverse zones and names of pool addresses.

use inventory_core::name::Name;

use crate::core::rcode;
use crate::testing::query::ask;
use crate::testing::{SITE, snapshot, view};
use crate::view::{DnsView, rtype};

const POOL: &str = r#"
[zone."lab.example"]
[network.office]
zone = "lab.example"
ipv4 = "10.20.1.0/24"
pool = ["10.20.1.100-10.20.1.199"]
exclude = ["10.20.1.150"]
"#;

#[test]
fn pool_addresses_have_names_both_ways() {
    let view = view(POOL);
    let reply = ask(&view, "dhcp-10-20-1-100.lab.example", rtype::A);
    assert_eq!(reply.answers(), ["dhcp-10-20-1-100.lab.example. 3600 IN A 10.20.1.100"]);
    let reply = ask(&view, "199.1.20.10.in-addr.arpa", rtype::PTR);
    assert_eq!(reply.answers(), ["199.1.20.10.in-addr.arpa. 3600 IN PTR dhcp-10-20-1-199.lab.example."]);
    for (name, rtype, code) in [
        ("dhcp-10-20-1-99.lab.example", rtype::A, rcode::NXDOMAIN),
        ("dhcp-10-20-1-150.lab.example", rtype::A, rcode::NXDOMAIN),
        ("dhcp-010-20-1-100.lab.example", rtype::A, rcode::NXDOMAIN),
        ("dhcp-10-20-1-100.lab.example", rtype::AAAA, rcode::NOERROR),
        ("x.dhcp-10-20-1-100.lab.example", rtype::A, rcode::NXDOMAIN),
        ("150.1.20.10.in-addr.arpa", rtype::PTR, rcode::NXDOMAIN),
        ("199.1.20.10.in-addr.arpa", rtype::A, rcode::NOERROR),
        ("0100.1.20.10.in-addr.arpa", rtype::PTR, rcode::NXDOMAIN),
    ] {
        let reply = ask(&view, name, rtype);
        assert_eq!((reply.rcode, reply.answer.len()), (code, 0), "{name}");
        assert_eq!(reply.authority.len(), 1, "{name}");
    }
}

#[test]
fn pool_names_are_no_wildcards_business() {
    let view =
        view(&POOL.replace("[zone.\"lab.example\"]", "[zone.\"lab.example\"]\nrecords = '* A 192.0.2.9'"));
    let reply = ask(&view, "dhcp-10-20-1-100.lab.example", rtype::A);
    assert_eq!(reply.answers(), ["dhcp-10-20-1-100.lab.example. 3600 IN A 10.20.1.100"]);
    let reply = ask(&view, "dhcp-10-20-1-200.lab.example", rtype::A);
    assert_eq!(reply.answers(), ["dhcp-10-20-1-200.lab.example. 3600 IN A 192.0.2.9"]);
    let reply = ask(&view, "x.dhcp-10-20-1-100.lab.example", rtype::A);
    assert_eq!(reply.rcode, rcode::NXDOMAIN, "the pool name is the closest encloser");
}

const POOL6: &str = r#"
[zone."lab.example"]
[network.office]
zone = "lab.example"
ipv6 = "2001:db8:21::/64"
pool = ["2001:db8:21::1-2001:db8:21:0:3fff:ffff:ffff:ffff"]
exclude = ["2001:db8:21::1000-2001:db8:21::1fff"]
[host.a]
network = "office"
ip = "2001:db8:21:0:8000::1"
"#;

#[test]
fn pool_addresses_of_ipv6_have_names_both_ways() {
    let view = view(POOL6);
    let zone = "0.0.0.0.1.2.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
    for (address, label) in [
        ("2001:db8:21::5", "dhcp-2001-db8-21--5"),
        ("2001:db8:21:0:1::", "dhcp-2001-db8-21-0-1--0"),
        ("2001:db8:21:0:3fff:ffff:ffff:ffff", "dhcp-2001-db8-21-0-3fff-ffff-ffff-ffff"),
    ] {
        let name = format!("{label}.lab.example");
        let reply = ask(&view, &name, rtype::AAAA);
        assert_eq!(reply.answers(), [format!("{name}. 3600 IN AAAA {address}")]);
        let owner = Name::reverse(address.parse().unwrap());
        let reply = ask(&view, &owner.to_string(), rtype::PTR);
        assert_eq!(reply.answers(), [format!("{owner}. 3600 IN PTR {name}.")]);
    }
    for (name, rtype, code) in [
        // Beyond the pool, excluded, and written otherwise.
        ("dhcp-2001-db8-21-0-4000--.lab.example", rtype::AAAA, rcode::NXDOMAIN),
        ("dhcp-2001-db8-21-0-4000--0.lab.example", rtype::AAAA, rcode::NXDOMAIN),
        ("dhcp-2001-db8-21--1abc.lab.example", rtype::AAAA, rcode::NXDOMAIN),
        ("dhcp-2001-db8-21--05.lab.example", rtype::AAAA, rcode::NXDOMAIN),
        ("dhcp-2001-db8-21-0-0-0-0-5.lab.example", rtype::AAAA, rcode::NXDOMAIN),
        ("dhcp-2001-db8-21--5.lab.example", rtype::A, rcode::NOERROR),
        ("x.dhcp-2001-db8-21--5.lab.example", rtype::AAAA, rcode::NXDOMAIN),
        (&format!("3.{zone}"), rtype::PTR, rcode::NOERROR),
        (&format!("4.{zone}"), rtype::PTR, rcode::NXDOMAIN),
        (&format!("8.{zone}"), rtype::PTR, rcode::NOERROR),
        (&format!("f.f.f.{zone}"), rtype::PTR, rcode::NXDOMAIN),
        (&format!("1.0.0.0.0.0.0.0.0.0.0.0.0.{zone}"), rtype::PTR, rcode::NXDOMAIN),
        (&format!("2.0.0.0.0.0.0.0.0.0.0.0.0.{zone}"), rtype::PTR, rcode::NOERROR),
        (&format!("5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.{zone}"), rtype::A, rcode::NOERROR),
        (&format!("5.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.{zone}"), rtype::PTR, rcode::NXDOMAIN),
    ] {
        let reply = ask(&view, name, rtype);
        assert_eq!((reply.rcode, reply.answer.len()), (code, 0), "{name}");
        assert_eq!(reply.authority.len(), 1, "{name}");
    }
}

#[test]
fn pool_names_of_ipv6_are_in_no_list_and_change_no_serial() {
    let with = view(POOL6);
    let without = view(&POOL6.replace("pool = ", "# pool = ").replace("exclude = ", "# exclude = "));
    assert!(with.records().iter().all(|record| !record.to_string().contains("dhcp-")));
    assert_eq!(with.records(), without.records());
    for (zone, _) in with.zones().iter() {
        assert_eq!(with.content(zone), without.content(zone));
    }
}

const CLASSLESS: &str = r#"
[zone."lab.example"]
[network.small]
zone = "lab.example"
ipv4 = "10.20.5.64/26"
reverse = "64-127.5.20.10.in-addr.arpa"
pool = ["10.20.5.120-10.20.5.122"]
[host.a]
network = "small"
ip = "10.20.5.70"
"#;

#[test]
fn classless_reverse_names_are_where_the_key_says() {
    let view = view(CLASSLESS);
    let reply = ask(&view, "70.64-127.5.20.10.in-addr.arpa", rtype::PTR);
    assert_eq!(reply.answers(), ["70.64-127.5.20.10.in-addr.arpa. 3600 IN PTR a.lab.example."]);
    let reply = ask(&view, "121.64-127.5.20.10.in-addr.arpa", rtype::PTR);
    assert_eq!(
        reply.answers(),
        ["121.64-127.5.20.10.in-addr.arpa. 3600 IN PTR dhcp-10-20-5-121.lab.example."]
    );
    let reply = ask(&view, "70.5.20.10.in-addr.arpa", rtype::PTR);
    assert_eq!(reply.rcode, rcode::REFUSED, "the zone around is the provider's");
}

#[test]
fn a_zone_of_ours_around_a_classless_one_redirects_into_it() {
    let view = view(&format!("{CLASSLESS}[zone.\"5.20.10.in-addr.arpa\"]\n"));
    let reply = ask(&view, "70.5.20.10.in-addr.arpa", rtype::PTR);
    assert_eq!(
        reply.answers(),
        [
            "70.5.20.10.in-addr.arpa. 3600 IN CNAME 70.64-127.5.20.10.in-addr.arpa.",
            "70.64-127.5.20.10.in-addr.arpa. 3600 IN PTR a.lab.example."
        ]
    );
    let reply = ask(&view, "121.5.20.10.in-addr.arpa", rtype::ANY);
    assert_eq!(reply.answers(), ["121.5.20.10.in-addr.arpa. 3600 IN CNAME 121.64-127.5.20.10.in-addr.arpa."]);
    assert_eq!(ask(&view, "71.5.20.10.in-addr.arpa", rtype::PTR).rcode, rcode::NXDOMAIN);
}

#[test]
fn pool_addresses_have_their_names_also_below_the_root_and_arpa() {
    for apex in [".", "arpa", "in-addr.arpa", "10.in-addr.arpa"] {
        let file = if apex == "." { "file = \"root.zone\"" } else { "" };
        let zones = format!("{SITE}{POOL}[zone.\"{apex}\"]\n{file}\n");
        let root = "@ 3600 SOA ns1.lab.example. host.lab.example. 1 2 3 4 5\n@ 3600 NS ns1.lab.example.\n";
        let view = DnsView::build(&snapshot(&[("zones.toml", &zones), ("zones/root.zone", root)]));
        let reply = ask(&view, "199.1.20.10.in-addr.arpa", rtype::PTR);
        let answer = "199.1.20.10.in-addr.arpa. 3600 IN PTR dhcp-10-20-1-199.lab.example.";
        assert_eq!(reply.answers(), [answer], "{apex}");
        let reply = ask(&view, "2.0.20.10.in-addr.arpa", rtype::PTR);
        assert_eq!(reply.answers(), ["2.0.20.10.in-addr.arpa. 3600 IN PTR ns1.lab.example."], "{apex}");
        for (name, code) in [
            ("arpa", rcode::NOERROR),
            ("in-addr.arpa", rcode::NOERROR),
            ("10.in-addr.arpa", rcode::NOERROR),
            ("1.20.10.in-addr.arpa", rcode::NOERROR),
            ("11.in-addr.arpa", rcode::NXDOMAIN),
            ("200.1.20.10.in-addr.arpa", rcode::NXDOMAIN),
            ("lab.arpa", rcode::NXDOMAIN),
        ] {
            let reply = ask(&view, name, rtype::PTR);
            if reply.rcode != rcode::REFUSED {
                assert_eq!((reply.rcode, reply.answer.len()), (code, 0), "{name} in {apex}");
            }
        }
        let copied = view.records_of(view.zone_of(&crate::testing::name(apex)).unwrap());
        assert!(copied.iter().any(|record| record.to_string() == answer), "{apex}");
    }
}

#[test]
fn the_content_of_a_zone_is_what_it_serves_however_it_is_written() {
    const WIDE: &str = r#"
[zone."lab.example"]
[network.wide]
zone = "lab.example"
ipv4 = "10.20.4.0/22"
pool = ["10.20.4.100-10.20.4.199"]
[network.small]
zone = "lab.example"
ipv4 = "10.20.8.0/24"
pool = ["10.20.8.100-10.20.8.199"]
"#;
    let content = |text: &str, apex: &str| {
        let view = view(text);
        view.content(view.zone_of(&crate::testing::name(apex)).unwrap())
    };
    let (around, own) = ("20.10.in-addr.arpa", "8.20.10.in-addr.arpa");
    let smaller = WIDE.replace("8.199", "8.150");
    assert_eq!(content(WIDE, around), content(&smaller, around), "the zone around has none of those names");
    assert_ne!(content(WIDE, own), content(&smaller, own));
    let halves = WIDE.replace("8.199\"", "8.150\", \"10.20.8.151-10.20.8.199\"");
    assert_eq!(content(WIDE, own), content(&halves, own));
    let cut = format!("{WIDE}[zone.\"{around}\"]\nrecords = '4 NS ns.example.net.'\n");
    let smaller = cut.replace("4.199", "4.150");
    assert_eq!(content(&cut, around), content(&smaller, around), "they lie below a delegation");
    assert_ne!(content(WIDE, around), content(&WIDE.replace("4.199", "4.150"), around));
}
