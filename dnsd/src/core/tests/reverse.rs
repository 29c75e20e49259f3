//! Reverse zones and names of pool addresses.

use crate::core::rcode;
use crate::testing::query::ask;
use crate::testing::view;
use crate::view::rtype;

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
