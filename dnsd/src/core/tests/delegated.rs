//! Reverse names of delegated prefixes, which name servers of their own serve.

use inventory_core::model::Snapshot;

use super::agreement::agree;
use crate::core::rcode;
use crate::testing::book::Book;
use crate::testing::query::ask;
use crate::testing::{Edited, SITE};
use crate::view::{DnsView, rtype};

const ZONES: &str = r#"
[zone."lab.example"]
[zone."8.b.d.0.1.0.0.2.ip6.arpa"]
[network.uplink]
zone = "lab.example"
ipv6 = "2001:db8:1::/64"
"#;
const CUSTOMER: &str = r#"
[host.cpe]
network = "uplink"
ip = "2001:db8:1::5"
ttl = "5m"
pd = ["2001:db8:40::/56", "2001:db8:80::/46"]
pd-nameservers = ["ns.customer.example", "ns1.lab.example"]
"#;
const ABOVE: &str = "8.b.d.0.1.0.0.2.ip6.arpa";

fn inventory() -> Edited {
    let inventory = Edited::new();
    inventory.write("site.toml", &format!("{SITE}{ZONES}"));
    inventory.write("cpe.toml", CUSTOMER);
    inventory
}

fn built(snapshot: &Snapshot) -> DnsView {
    let mut view = DnsView::build(snapshot);
    view.set_serials(|_| 7);
    view
}

#[test]
fn reverse_names_of_delegated_prefixes_lead_to_their_servers() {
    let view = built(&inventory().load().unwrap());
    let owner = format!("0.0.0.4.0.0.{ABOVE}");
    for name in [owner.clone(), format!("1.2.3.{owner}")] {
        let reply = ask(&view, &name, rtype::PTR);
        assert_eq!((reply.rcode, reply.aa(), reply.answer.len()), (rcode::NOERROR, false, 0), "{name}");
        let mut servers = reply.authorities();
        servers.sort();
        let servers_of = |server: &str| format!("{owner}. 300 IN NS {server}.");
        assert_eq!(servers, [servers_of("ns.customer.example"), servers_of("ns1.lab.example")]);
        assert_eq!(reply.additional.len(), 2, "the addresses of the server that is ours: {reply:?}");
    }
    for digit in 0..16 {
        let reply = ask(&view, &format!("{digit:x}.8.0.0.{ABOVE}"), rtype::NS);
        let delegated = digit < 4;
        assert_eq!((reply.rcode == rcode::NOERROR, !reply.aa()), (delegated, delegated), "{digit:x}");
    }
    for (name, code) in [
        (format!("1.0.0.4.0.0.{ABOVE}"), rcode::NXDOMAIN),
        (format!("0.0.4.0.0.{ABOVE}"), rcode::NOERROR),
        (format!("0.4.0.0.{ABOVE}"), rcode::NOERROR),
    ] {
        let reply = ask(&view, &name, rtype::PTR);
        assert_eq!((reply.rcode, reply.aa()), (code, true), "{name}");
    }
}

#[test]
fn delegations_come_and_go_with_their_hosts() {
    let mut inventory = inventory();
    let before = inventory.load().unwrap();
    let view = built(&before);
    agree(&view, &Book::of(&before.inventory, |_| 7), "at first");
    for (step, text) in [
        CUSTOMER.replace("2001:db8:40::/56", "2001:db8:41::/60"),
        CUSTOMER.replace("pd-nameservers", "# pd-nameservers"),
        format!("{CUSTOMER}state = \"retired\"\n"),
        String::new(),
    ]
    .into_iter()
    .enumerate()
    {
        inventory.write("cpe.toml", &text);
        let after = inventory.load().unwrap();
        let mut next = view.updated(&before.inventory, &after);
        next.set_serials(|_| 7);
        agree(&next, &Book::of(&after.inventory, |_| 7), &format!("edit {step}"));
        let mut rebuilt = built(&after);
        rebuilt.set_serials(|_| 7);
        assert_eq!(next.records(), rebuilt.records());
    }
}
