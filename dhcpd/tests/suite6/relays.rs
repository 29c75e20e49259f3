//! Relay agents, one within the other.

use std::net::{Ipv6Addr, SocketAddrV6};

use dhcpd::core::v6::{Event, Packet, Reason};

use super::lab::{Answer, INTERFACE, Lab, SERVER, SITE, WEB, WEB_ADDRESS, WEB_HOST, link};
use super::packet::{Ask, address, duid_ll, link_local, option, relay};

/// Networks behind relay agents; the server itself is in `core`.
const FAR: &str = r#"
[network.far]
zone = "lab.test"
ipv6 = "2001:db8:88::/64"
lease = "2h"

[host.far]
network = "far"
mac = "02:00:00:00:00:01"
ip = "2001:db8:88::11"
"#;

fn lab() -> Lab {
    Lab::on(&format!("{SITE}{WEB_HOST}{FAR}"), vec![link()])
}

fn agent() -> Ipv6Addr {
    "2001:db8:77::254".parse().unwrap()
}

fn server() -> Ipv6Addr {
    "2001:db8:77::1".parse().unwrap()
}

fn solicit() -> Vec<u8> {
    Ask::new(1, &duid_ll(WEB)).na(1, &[]).octets()
}

/// RFC 8415, section 18.3.3: what counts is the link that the client is on.
#[test]
fn an_address_leased_on_another_link_is_not_confirmed() {
    let pools = SITE.replace("lease =", "pool = [\"2001:db8:77::100-2001:db8:77::102\"]\nlease =");
    let mut lab = Lab::on(&format!("{pools}{FAR}"), vec![link()]);
    let moving = [2, 0, 0, 0, 0, 0x77];
    let request = Ask::new(3, &duid_ll(moving)).with(2, SERVER).na(1, &[]);
    assert_eq!(lab.ask(moving, &request).address().to_string(), "2001:db8:77::100");
    let confirm = Ask::new(4, &duid_ll(moving)).na(1, &[address("2001:db8:77::100")]);
    assert_eq!(lab.ask(moving, &confirm).one().status(), Some(0));
    let octets = relay(0, "2001:db8:88::1", link_local(moving), &[], &confirm.octets());
    assert_eq!(hear(&mut lab, &octets).one().relayed().inner.status(), Some(4));
}

/// By unicast from a relay agent, as those do that know the server.
fn hear(lab: &mut Lab, octets: &[u8]) -> Answer {
    let from = SocketAddrV6::new(agent(), 547, 0, 0);
    let packet = Packet { bytes: octets.into(), interface: INTERFACE, from, destination: Some(server()) };
    lab.packet(packet)
}

#[test]
fn the_reply_goes_back_through_the_relay_agent_with_the_port_it_named() {
    let octets = relay(0, "2001:db8:88::1", link_local(WEB), &option(18, b"eth1"), &solicit());
    let answer = hear(&mut lab(), &octets);
    assert_eq!(answer.way().to, SocketAddrV6::new(agent(), 547, 0, 0));
    assert_eq!(answer.way().source, Some(server()));
    assert_eq!(answer.events[..2], [Event::Solicit, Event::Relayed]);
    let relayed = answer.one().relayed();
    assert_eq!(relayed.hops, 0);
    assert_eq!(relayed.link, "2001:db8:88::1".parse::<Ipv6Addr>().unwrap());
    assert_eq!(relayed.peer, link_local(WEB));
    assert_eq!(relayed.options, [(18, b"eth1".to_vec())]);
    let ia = relayed.inner.na();
    assert_eq!((ia.addresses[0].0, ia.addresses[0].2), ("2001:db8:88::11".parse().unwrap(), 7200));
}

#[test]
fn nested_relay_agents_each_get_their_own_back() {
    let near = relay(0, "2001:db8:88::1", link_local(WEB), &option(18, b"near"), &solicit());
    let peer: Ipv6Addr = "2001:db8:88::1".parse().unwrap();
    let octets = relay(1, "2001:db8:77::254", peer, &option(18, b"far"), &near);
    let outer = hear(&mut lab(), &octets).one().relayed();
    assert_eq!((outer.hops, outer.peer), (1, peer));
    let near = outer.inner.relayed();
    assert_eq!((near.hops, near.peer), (0, link_local(WEB)));
    assert_eq!((outer.options, near.options), (vec![(18, b"far".to_vec())], vec![(18, b"near".to_vec())]));
    assert_eq!(near.inner.na().addresses[0].0, "2001:db8:88::11".parse::<Ipv6Addr>().unwrap());
}

/// RFC 6221: a switch names the port and no link.
#[test]
fn the_link_is_told_by_the_nearest_relay_agent_that_knows_it() {
    let switch = relay(0, "::", link_local(WEB), &option(18, b"ge-0/0/1"), &solicit());
    let octets = relay(1, "2001:db8:88::1", link_local(WEB), &[], &switch);
    assert_eq!(hear(&mut lab(), &octets).sent.len(), 1);
    // Alone, it is on the server's own link.
    let answer = hear(&mut lab(), &switch);
    let ia = answer.one().relayed().inner.na();
    assert_eq!(ia.addresses[0].0, WEB_ADDRESS.parse::<Ipv6Addr>().unwrap());
}

#[test]
fn a_relay_agent_of_a_link_in_no_network_is_a_counted_reason() {
    let octets = relay(0, "2001:db8:aaaa::1", link_local(WEB), &[], &solicit());
    assert_eq!(hear(&mut lab(), &octets).silence(), Reason::UnknownRelay);
    let mut octets = relay(0, "2001:db8:88::1", link_local(WEB), &[], &[]);
    assert_eq!(hear(&mut lab(), &octets).silence(), Reason::Short);
    octets.truncate(34);
    assert_eq!(hear(&mut lab(), &octets).silence(), Reason::NoRelayedMessage);
}

#[test]
fn relayed_messages_are_not_taken_for_unicast() {
    let renew = Ask::new(5, &duid_ll(WEB)).with(2, SERVER).na(1, &[]).octets();
    let octets = relay(0, "2001:db8:88::1", link_local(WEB), &[], &renew);
    let answer = hear(&mut lab(), &octets);
    assert_eq!(answer.one().relayed().inner.kind(), 7);
}

/// RFC 8357: behind address translation.
#[test]
fn a_relay_agent_with_another_port_is_answered_there() {
    let octets = relay(0, "2001:db8:88::1", link_local(WEB), &option(135, &[0, 0]), &solicit());
    let from = SocketAddrV6::new(agent(), 40_000, 0, 0);
    let packet = Packet { bytes: octets.into(), interface: INTERFACE, from, destination: Some(server()) };
    let answer = lab().packet(packet);
    assert_eq!(answer.way().to.port(), 40_000);
    assert_eq!(answer.one().relayed().options, [(135, vec![0, 0])]);
}

/// RFC 4994.
#[test]
fn a_relay_agent_gets_back_what_it_asks_for_and_nothing_else() {
    let options =
        [option(37, b"\0\0\0\x09id"), option(38, b"subscriber"), option(43, &[0, 38, 0, 9])].concat();
    let octets = relay(0, "2001:db8:88::1", link_local(WEB), &options, &solicit());
    assert_eq!(hear(&mut lab(), &octets).one().relayed().options, [(38, b"subscriber".to_vec())]);
}

#[test]
fn networks_on_one_link_serve_whoever_is_there() {
    let on_link =
        |text: &str| text.replace("zone = \"lab.test\"\nipv", "zone = \"lab.test\"\nlink = \"floor\"\nipv");
    let far =
        FAR.replace("lease = \"2h\"\n", "lease = \"2h\"\npool = \"2001:db8:88::100-2001:db8:88::1ff\"\n");
    let mut lab = Lab::on(&on_link(&format!("{SITE}{far}")), vec![link()]);
    let given = |answer: &Answer| answer.one().na().addresses[0].0;
    let own: Ipv6Addr = "2001:db8:88::11".parse().unwrap();
    assert_eq!(given(&lab.ask(WEB, &Ask::new(1, &duid_ll(WEB)).na(1, &[]))), own, "on the server's link");
    let through = relay(0, "2001:db8:77::254", link_local(WEB), &[], &solicit());
    assert_eq!(hear(&mut lab, &through).one().relayed().inner.na().addresses[0].0, own, "behind an agent");
    let stranger = [2, 0, 0, 0, 0, 0x99];
    let offered = lab.ask(stranger, &Ask::new(1, &duid_ll(stranger)).na(1, &[]));
    assert_eq!(given(&offered), "2001:db8:88::100".parse::<Ipv6Addr>().unwrap(), "the pool of the link");
    // Without the key they are networks of their own.
    let mut apart = Lab::on(&format!("{SITE}{far}"), vec![link()]);
    let silent = apart.ask(stranger, &Ask::new(1, &duid_ll(stranger)).na(1, &[]));
    assert!(silent.one().nas().iter().all(|ia| ia.addresses.is_empty()));
}
