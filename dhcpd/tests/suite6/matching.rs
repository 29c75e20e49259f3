//! How a machine is known: one `mac` line for both families, DUIDs, ports of relay agents.

use std::net::Ipv6Addr;

use dhcpd::core::v6::{Link, Outcome, Reason};

use super::lab::{INTERFACE, Lab, SITE, STRANGER, WEB, WEB_ADDRESS, WEB_HOST, everybody, link};
use super::packet::{Ask, duid_ll, link_local, option, relay};

/// An opaque DUID, which says nothing about a card (RFC 8415, section 11.3).
const OPAQUE: &[u8] = &[0, 2, 0, 0, 0xab, 0x11, 7, 7, 7, 7];

/// An address that no hardware address was made into.
fn private() -> Ipv6Addr {
    "fe80::1234:5678:9abc:def0".parse().unwrap()
}

fn web() -> Ipv6Addr {
    WEB_ADDRESS.parse().unwrap()
}

#[test]
fn the_card_is_seen_in_the_link_local_address() {
    assert_eq!(Lab::new(WEB_HOST).ask(WEB, &Ask::new(1, OPAQUE).na(1, &[])).address(), web());
}

#[test]
fn the_card_is_seen_in_a_duid_made_of_it() {
    let llt = [&[0, 1, 0, 1, 9, 9, 9, 9][..], &WEB].concat();
    for duid in [duid_ll(WEB), llt] {
        let octets = Ask::new(1, &duid).na(1, &[]).octets();
        assert_eq!(Lab::new(WEB_HOST).hear(&octets, private(), everybody()).address(), web());
    }
}

#[test]
fn the_card_that_the_relay_agent_saw_counts_more_than_addresses_and_duids() {
    let octets = Ask::new(1, &duid_ll(STRANGER)).na(1, &[]).octets();
    let seen = option(79, &[&[0, 1][..], &WEB].concat());
    let octets = relay(0, "2001:db8:77::254", link_local(STRANGER), &seen, &octets);
    let answer = Lab::new(WEB_HOST).hear(&octets, "2001:db8:77::254".parse().unwrap(), everybody());
    assert_eq!(answer.one().relayed().inner.na().addresses[0].0, web());
}

#[test]
fn fact_2_a_written_duid_is_known_in_both_byte_orders_of_a_uuid() {
    let hosts = "[host.uefi]\nnetwork = \"lab\"\nip = \"2001:db8:77::22\"\n\
                 duid = \"00:04:00:00:00:77:00:00:00:40:80:00:00:00:00:00:00:16\"\n";
    let mut lab = Lab::new(hosts);
    let firmware = [0, 4, 0, 0, 0, 0x77, 0, 0, 0, 0x40, 0x80, 0, 0, 0, 0, 0, 0, 0x16];
    let loader = [0, 4, 0x77, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x16];
    for duid in [firmware, loader] {
        let octets = Ask::new(1, &duid).na(1, &[]).octets();
        let address = lab.hear(&octets, private(), everybody()).address();
        assert_eq!(address, "2001:db8:77::22".parse::<Ipv6Addr>().unwrap());
    }
}

/// Virtual machines cloned from one disk share a DUID; their cards differ.
#[test]
fn clones_with_one_duid_are_told_apart_by_their_cards() {
    let hosts = format!(
        "{WEB_HOST}duid = \"00:02:00:00:ab:11:07:07:07:07\"\n[host.clone]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:02\"\n\
         ip = \"2001:db8:77::12\"\n"
    );
    let mut lab = Lab::new(&hosts);
    let ask = Ask::new(1, OPAQUE).na(1, &[]);
    assert_eq!(lab.ask([2, 0, 0, 0, 0, 2], &ask).address(), "2001:db8:77::12".parse::<Ipv6Addr>().unwrap());
    assert_eq!(lab.ask(WEB, &ask).address(), web());
    assert_eq!(lab.hear(&ask.octets(), private(), everybody()).address(), web(), "by the DUID alone");
}

#[test]
fn whatever_is_plugged_into_a_port_is_known_by_the_relay_agents_name_for_it() {
    let hosts = "[host.camera]\nnetwork = \"lab\"\nip = \"2001:db8:77::33\"\nport = \"ge-0/0/7\"\n";
    let solicit = Ask::new(1, OPAQUE).na(1, &[]).octets();
    let agent: Ipv6Addr = "2001:db8:77::254".parse().unwrap();
    let ask = |port: &[u8]| {
        let options = [option(18, port), option(37, b"\0\0\x0d\xe9remote")].concat();
        let octets = relay(0, "2001:db8:77::254", private(), &options, &solicit);
        Lab::new(hosts).hear(&octets, agent, everybody())
    };
    let sent = ask(b"ge-0/0/7").one().relayed().inner;
    assert_eq!(sent.na().addresses[0].0, "2001:db8:77::33".parse::<Ipv6Addr>().unwrap());
    assert_eq!(ask(b"ge-0/0/8").outcome, Outcome::Refused(Reason::NothingToGive));
}

#[test]
fn a_machine_known_in_another_network_is_unknown_here() {
    let other = "[network.other]\nzone = \"lab.test\"\nipv6 = \"2001:db8:99::/64\"\n[host.far]\nnetwork = \"other\"\n\
                 mac = \"02:00:00:00:00:07\"\nip = \"2001:db8:99::7\"\n";
    let ask = Ask::new(1, OPAQUE).na(1, &[]);
    let answer = Lab::new(other).ask([2, 0, 0, 0, 0, 7], &ask);
    assert_eq!(answer.outcome, Outcome::Refused(Reason::NothingToGive));
}

#[test]
fn the_network_of_a_link_is_known_by_its_ipv4_address_as_well() {
    let addresses = vec!["fe80::1".parse().unwrap()];
    let link = Link { addresses, addresses4: vec!["10.77.0.1".parse().unwrap()], ..link() };
    let mut lab = Lab::on(&format!("{SITE}{WEB_HOST}"), vec![link.clone()]);
    assert_eq!(lab.ask(WEB, &Ask::new(1, OPAQUE).na(1, &[])).address(), web());
    let nowhere = Link { addresses4: Vec::new(), index: INTERFACE, ..link };
    let mut lab = Lab::on(&format!("{SITE}{WEB_HOST}"), vec![nowhere]);
    assert_eq!(lab.ask(WEB, &Ask::new(1, OPAQUE).na(1, &[])).silence(), Reason::NoNetwork);
}
