//! What clients of views see, by the answers that they get.

use std::net::IpAddr;

use super::*;
use crate::core::update::{Before, LeaseName, LeaseNames};
use crate::core::{QueryContext, Transport, answer};
use crate::testing::query::Ask;
use crate::testing::{Edited, Reply, SITE, name};
use crate::view::rtype;

const NETWORKS: &str = r#"
[zone."lab.example"]
records = "to-cam CNAME cam"
[network.inside]
zone = "lab.example"
ipv4 = "10.30.0.0/24"
ipv6 = "2001:db8:30::/64"
pool = "10.30.0.100-10.30.0.101"
view = "inside"
[network.dmz]
zone = "lab.example"
ipv4 = "192.0.2.0/24"
"#;
const HOSTS: &str = r#"
[host.cam]
network = "inside"
ip = "10.30.0.5"
alias = "lens"
[host.web]
alias = "www"
[host.web.nic.wan]
primary = true
network = "dmz"
ip = "192.0.2.7"
[host.web.nic.lan]
network = "inside"
ip = ["10.30.0.7", "2001:db8:30::7"]
[host.mail]
network = "dmz"
ip = "192.0.2.8"
"#;
const INSIDE: &str = "10.30.0.50";
const OUTSIDE: &str = "198.51.100.1";

fn reply(view: &DnsView, owner: &str, rtype: u16, peer: &str) -> Reply {
    let peer: IpAddr = peer.parse().unwrap();
    let context = QueryContext { peer, ..QueryContext::anonymous(Transport::Tcp) };
    let mut out = vec![0; 65_535];
    let query = Ask::new(owner, rtype).octets();
    let octets = answer(view.seen_by(peer), &query, context, &mut out).octets().unwrap();
    Reply::read(&out[..octets])
}

/// Data of the answer, sorted; `-`: the name does not exist.
fn said(view: &DnsView, name: &str, rtype: u16, peer: &str) -> String {
    let reply = reply(view, name, rtype, peer);
    if reply.rcode == 3 {
        return "-".to_owned();
    }
    let data = |line: String| line.split_once(" IN ").map(|(_, data)| data.to_owned()).unwrap();
    let mut all: Vec<String> = reply.answers().into_iter().map(data).collect();
    all.sort();
    all.join(", ")
}

#[track_caller]
fn expect(view: &DnsView, rows: &[(&str, u16, &str, &str)]) {
    for (name, rtype, inside, outside) in rows {
        let seen = (said(view, name, *rtype, INSIDE), said(view, name, *rtype, OUTSIDE));
        assert_eq!(seen, ((*inside).to_owned(), (*outside).to_owned()), "{name} {rtype}");
    }
}

fn edited(hosts: &str) -> Edited {
    let edited = Edited::new();
    edited.write("a.toml", &format!("{SITE}{NETWORKS}"));
    edited.write("b.toml", hosts);
    edited
}

#[test]
fn addresses_of_a_view_are_for_its_clients_and_go_before_others_there() {
    let view = DnsView::build(&edited(HOSTS).load().unwrap());
    expect(
        &view,
        &[
            ("cam.lab.example", rtype::A, "A 10.30.0.5", "-"),
            ("lens.lab.example", rtype::CNAME, "CNAME cam.lab.example.", "-"),
            ("web.lab.example", rtype::A, "A 10.30.0.7", "A 192.0.2.7"),
            ("web.lab.example", rtype::AAAA, "AAAA 2001:db8:30::7", ""),
            (
                "www.lab.example",
                rtype::A,
                "A 10.30.0.7, CNAME web.lab.example.",
                "A 192.0.2.7, CNAME web.lab.example.",
            ),
            ("web-lan.lab.example", rtype::A, "A 10.30.0.7, CNAME web.lab.example.", "-"),
            ("mail.lab.example", rtype::A, "A 192.0.2.8", "A 192.0.2.8"),
            ("5.0.30.10.in-addr.arpa", rtype::PTR, "PTR cam.lab.example.", "-"),
            ("7.0.30.10.in-addr.arpa", rtype::PTR, "PTR web.lab.example.", "-"),
            ("7.2.0.192.in-addr.arpa", rtype::PTR, "PTR web.lab.example.", "PTR web.lab.example."),
            ("dhcp-10-30-0-100.lab.example", rtype::A, "A 10.30.0.100", "-"),
            ("100.0.30.10.in-addr.arpa", rtype::PTR, "PTR dhcp-10-30-0-100.lab.example.", "-"),
            ("nobody.lab.example", rtype::A, "-", "-"),
        ],
    );
    let inside: Vec<&str> = view.views().map(|(name, _)| name).collect();
    assert_eq!(inside, ["inside"]);
    assert!(!view.records().iter().any(|record| record.to_string().contains("10.30.0.")), "what others copy");
}

#[test]
fn edits_reach_each_view_as_if_it_were_built_anew() {
    let mut edited = edited(HOSTS);
    let mut last = edited.load().unwrap();
    let mut view = DnsView::build(&last);
    for hosts in [
        HOSTS.replace("10.30.0.5", "10.30.0.6"),
        HOSTS.replace("192.0.2.8", "192.0.2.9"),
        HOSTS.replace("primary = true\n", ""),
        "[host.late]\nnetwork = \"inside\"\nip = \"10.30.0.9\"\n".to_owned(),
        HOSTS.to_owned(),
    ] {
        edited.write("b.toml", &hosts);
        let next = edited.load().unwrap();
        view = view.updated(&last.inventory, &next);
        let anew = DnsView::build(&next);
        let records = |view: &DnsView| view.records().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(records(&view), records(&anew), "{hosts}");
        for ((name, own), (_, other)) in view.views().zip(anew.views()) {
            assert_eq!(records(own), records(other), "{name}: {hosts}");
        }
        last = next;
    }
    // Files of others stay shared, and views come and go with the networks.
    let shared = last.inventory.seen_in(Some("inside"), None);
    assert_eq!(shared.shards.len(), last.inventory.shards.len());
    for text in [NETWORKS.replace("view = \"inside\"\n", ""), NETWORKS.to_owned()] {
        edited.write("a.toml", &format!("{SITE}{text}"));
        let next = edited.load().unwrap();
        view = view.updated(&last.inventory, &next);
        assert_eq!(view.views().count(), usize::from(text.contains("view")));
        assert_eq!(said(&view, "cam.lab.example", rtype::A, OUTSIDE) == "-", text.contains("view"));
        last = next;
    }
}

#[test]
fn what_is_in_two_views_is_seen_in_its_own() {
    let more = NETWORKS.replace("[network.dmz]", "[network.dmz]\nview = \"dmz\"");
    let mut edited = edited(HOSTS);
    edited.write("a.toml", &format!("{SITE}{more}"));
    let view = DnsView::build(&edited.load().unwrap());
    let from = |peer| said(&view, "web.lab.example", rtype::A, peer);
    assert_eq!(
        (from(INSIDE), from("192.0.2.99"), from(OUTSIDE)),
        ("A 10.30.0.7".into(), "A 192.0.2.7".into(), "-".into())
    );
    assert_eq!(from("2001:db8:30::99"), "A 10.30.0.7");
    assert_eq!(from("::ffff:10.30.0.50"), "A 10.30.0.7");
    assert_eq!(view.views().count(), 2);
}

#[test]
fn names_of_leases_are_seen_where_their_network_is() {
    let text = NETWORKS.replace("view = \"inside\"", "view = \"inside\"\ndynamic-names = true");
    let site = SITE.replace("[site]", "[key.k]\nfile = \"/k\"\n[site]\nupdates = { key = \"k\" }");
    let mut edited = edited(HOSTS);
    edited.write("a.toml", &format!("{site}{text}"));
    let snapshot = edited.load().unwrap();
    let base = DnsView::build(&snapshot);
    let address: IpAddr = "10.30.0.100".parse().unwrap();
    // Updates are let through, and judged by what there is for anybody.
    assert!(!base.lease_networks().is_empty() && base.lease_networks().giving(address).is_none());
    assert!(base.whole().lease_networks().giving(address).is_some());
    let mut names = LeaseNames::default();
    let entry = LeaseName { ttl: 60, ids: Vec::new(), addresses: vec![address] };
    names.set(&name("laptop.lab.example"), Some(entry), &mut Before::default());
    let globals = &snapshot.inventory.globals;
    let serve = |names: &LeaseNames, view: &DnsView| {
        view.each_by(&base, |view, base| view.with_leases(globals, &names.nodes(base))).unwrap()
    };
    let served = serve(&names, &base);
    expect(&served, &[("laptop.lab.example", rtype::A, "A 10.30.0.100", "-")]);
    let mut before = Before::default();
    names.set(&name("laptop.lab.example"), None, &mut before);
    let changed =
        |view: &DnsView, base: &DnsView| view.with_leases(globals, &names.changed_nodes(base, &before));
    let after = served.each_by(&base, changed).unwrap();
    expect(&after, &[("laptop.lab.example", rtype::A, "-", "-")]);
}

#[test]
fn serials_are_those_of_the_zone_in_each_view() {
    let mut view = DnsView::build(&edited(HOSTS).load().unwrap());
    view.set_serials(|_| 77);
    for (_, own) in view.views() {
        assert!(own.zones().iter().all(|(number, _)| own.serial(number) == 77));
    }
}
