//! Relay agents that ask who has an address (RFC 4388).

use std::net::Ipv4Addr;

use dhcpd::core::{Destination, Reason};

use super::lab::{INTERFACE, Lab, SERVER, SITE, STRANGER, WEB, WEB_HOST};
use super::packet::Ask;

const AGENT: [u8; 4] = [10, 77, 0, 254];
const UNASSIGNED: u8 = 11;
const UNKNOWN: u8 = 12;
const ACTIVE: u8 = 13;

fn lab() -> Lab {
    let site = SITE.replace(
        "lease = \"1h\"\n",
        "lease = \"1h\"\npool = \"10.77.0.100-10.77.0.110\"\nleasequery = \"10.77.0.254\"\n",
    );
    Lab::of(&format!(
        "{site}{WEB_HOST}[network.other]\nzone = \"lab.test\"\nipv4 = \"10.88.0.0/24\"\n\
         [host.far]\nnetwork = \"other\"\nmac = \"02:00:00:00:00:07\"\nip = \"10.88.0.7\"\n"
    ))
}

/// A question of this agent, which names no client.
fn question(agent: [u8; 4]) -> Ask {
    Ask::new(10, [0; 6]).at(1, &[0, 0]).relayed(agent, SERVER)
}

#[test]
fn an_agent_learns_who_leases_an_address_and_for_how_long() {
    let mut lab = lab();
    let address = lab.join(STRANGER);
    lab.pass(600_000);
    let answer = lab.ask(&question(AGENT).ciaddr(address));
    let sent = answer.one();
    assert_eq!((sent.kind(), sent.ciaddr(), sent.number(51)), (ACTIVE, address, Some(3000)));
    assert_eq!(
        (&sent.octets[1..3], &sent.octets[28..44]),
        (&[1, 6][..], &[&STRANGER[..], &[0; 10]].concat()[..])
    );
    let to = Destination::Udp { interface: INTERFACE, address: AGENT.into(), port: 67 };
    assert_eq!((sent.destination, sent.address(54)), (to, Some(SERVER)));
    lab.pass(3_600_000);
    let ended = lab.ask(&question(AGENT).ciaddr(address));
    assert_eq!(ended.one().kind(), UNASSIGNED);
}

#[test]
fn an_agent_learns_which_addresses_a_client_has() {
    let mut lab = lab();
    let leased = lab.join(STRANGER);
    let by_mac = |mac: [u8; 6]| Ask::new(10, mac).relayed(AGENT, SERVER);
    assert_eq!(lab.ask(&by_mac(STRANGER)).one().ciaddr(), leased);
    let host = lab.ask(&by_mac(WEB));
    assert_eq!((host.one().kind(), host.one().ciaddr()), (ACTIVE, Ipv4Addr::new(10, 77, 0, 11)));
    assert_eq!(lab.ask(&by_mac([2, 0, 0, 0, 0, 0x55])).one().kind(), UNKNOWN);
    let id = [&[1][..], &STRANGER].concat();
    assert_eq!(lab.ask(&question(AGENT).option(61, &id)).one().ciaddr(), leased);
    assert_eq!(lab.ask(&question(AGENT).option(61, b"\x00other")).one().kind(), UNKNOWN);
    assert_eq!(lab.ask(&question(AGENT)).silence(), Reason::NoIdentity);
}

#[test]
fn a_client_with_an_identifier_is_found_by_its_card_too_as_long_as_it_has_its_lease() {
    let mut lab = lab();
    let id = b"\x00\x0fprinter";
    let offer = lab.ask_and_wait(&Ask::new(1, STRANGER).option(61, id));
    let address = offer.one().yiaddr();
    let server = SERVER.octets();
    let request = Ask::new(3, STRANGER).option(61, id).option(54, &server).option(50, &address.octets());
    assert_eq!(lab.ask(&request).one().yiaddr(), address);
    let by_card = Ask::new(10, STRANGER).relayed(AGENT, SERVER);
    assert_eq!(lab.ask(&by_card).one().ciaddr(), address);
    assert_eq!(lab.ask(&question(AGENT).option(61, id)).one().ciaddr(), address);
    let release = Ask::new(7, STRANGER).option(61, id).option(54, &server).ciaddr(address);
    lab.ask(&release);
    assert_eq!(lab.ask(&by_card).one().kind(), UNKNOWN);
}

#[test]
fn a_reserved_address_is_its_hosts_and_others_are_nobodys() {
    let mut lab = lab();
    let web = lab.ask(&question(AGENT).ciaddr([10, 77, 0, 11]));
    assert_eq!((web.one().kind(), &web.one().octets[28..34]), (ACTIVE, &WEB[..]));
    for (address, kind) in
        [([10, 77, 0, 105], UNASSIGNED), ([10, 77, 0, 77], UNASSIGNED), ([192, 0, 2, 1], UNKNOWN)]
    {
        assert_eq!(lab.ask(&question(AGENT).ciaddr(address)).one().kind(), kind, "{address:?}");
    }
}

#[test]
fn nobody_else_may_ask_and_no_agent_about_other_networks() {
    let mut lab = lab();
    let address = [10, 77, 0, 11];
    for agent in [[10, 77, 0, 253], [192, 0, 2, 1]] {
        assert_eq!(lab.ask(&question(agent).ciaddr(address)).silence(), Reason::QueryRefused);
    }
    let forged = question(AGENT).ciaddr(address);
    let from = std::net::SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 66), 67);
    assert_eq!(lab.hear(&forged.octets(), INTERFACE, from, SERVER).silence(), Reason::QueryRefused);
    let direct = Ask::new(10, WEB);
    assert_eq!(lab.ask(&direct).silence(), Reason::QueryRefused);
    assert_eq!(lab.ask(&question(AGENT).ciaddr([10, 88, 0, 7])).one().kind(), UNKNOWN);
    assert_eq!(lab.ask(&Ask::new(10, [2, 0, 0, 0, 0, 7]).relayed(AGENT, SERVER)).one().kind(), UNKNOWN);
}
