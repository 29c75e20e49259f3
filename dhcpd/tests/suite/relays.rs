//! Clients behind relay agents (RFC 2131, section 4.1; RFC 3046).

use std::net::Ipv4Addr;

use dhcpd::core::{Destination, Reason};

use super::lab::{INTERFACE, Lab, SERVER, SITE, STRANGER, WEB, WEB_HOST};
use super::packet::Ask;

const FAR: [u8; 6] = [2, 0, 0, 0, 0, 3];
const FAR_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 79, 0, 5);
const AGENT: Ipv4Addr = Ipv4Addr::new(10, 79, 0, 254);

fn lab(more: &str) -> Lab {
    Lab::of(&format!(
        "{SITE}{WEB_HOST}
[network.far]
zone = \"lab.test\"
ipv4 = \"10.79.0.0/24\"
gateway = \"10.79.0.254\"
[host.far1]
network = \"far\"
mac = \"02:00:00:00:00:03\"
ip = \"10.79.0.5\"
{more}"
    ))
}

fn to_agent() -> Destination {
    Destination::Udp { interface: INTERFACE, address: AGENT, port: 67 }
}

#[test]
fn a_relayed_client_is_of_the_agents_network_and_its_answers_go_to_the_agent() {
    let mut lab = lab("");
    let offer = lab.ask(&Ask::discover(FAR).option(55, &[3]).relayed(AGENT, SERVER));
    assert_eq!(offer.offered(), FAR_ADDRESS);
    let sent = offer.one();
    assert_eq!((sent.destination, sent.giaddr(), sent.address(54)), (to_agent(), AGENT, Some(SERVER)));
    assert_eq!(sent.address(3), Some(AGENT), "the gateway of its network, not of ours");
    let ask = Ask::selecting(FAR, FAR_ADDRESS, SERVER).relayed(AGENT, SERVER);
    assert_eq!(lab.ask(&ask).acknowledged(), FAR_ADDRESS);
}

#[test]
fn a_host_of_the_servers_link_is_unknown_behind_the_agent() {
    let mut lab = lab("");
    assert_eq!(lab.ask(&Ask::discover(WEB).relayed(AGENT, SERVER)).silence(), Reason::UnknownMachine);
    let moved = lab.ask(&Ask::init_reboot(FAR, [10, 77, 0, 11]).relayed(AGENT, SERVER));
    assert_eq!(moved.refusal(), Reason::WrongNetwork);
}

#[test]
fn a_refusal_through_an_agent_tells_it_to_broadcast() {
    // RFC 2131, section 4.3.2: the client may have no address that the agent could reach.
    let answer = lab("").ask(&Ask::init_reboot(FAR, [10, 79, 0, 6]).relayed(AGENT, SERVER));
    assert_eq!(answer.refusal(), Reason::WrongAddress);
    let sent = answer.one();
    assert_eq!((sent.flags(), sent.destination, sent.yiaddr()), ([0x80, 0], to_agent(), 0.into()));
}

#[test]
fn an_agent_in_no_network_is_a_counted_reason() {
    let mut lab = lab("");
    for agent in [[192, 168, 1, 1], [10, 79, 0, 0], [10, 79, 0, 255], [224, 0, 0, 1], [255, 255, 255, 255]] {
        let ask = Ask::discover(FAR).relayed(agent, SERVER);
        assert_eq!(lab.ask(&ask).silence(), Reason::UnknownRelay, "{agent:?}");
    }
}

#[test]
fn the_agents_information_is_echoed_as_it_came_and_last() {
    let information = [1, 4, b'g', b'e', b'0', b'1', 2, 2, 0, 1, 151, 1, 9];
    for kind in [1, 3] {
        let ask =
            Ask::new(kind, FAR).option(82, &information).option(61, &[1, 2, 3]).address(50, FAR_ADDRESS);
        let answer = lab("").ask(&ask.relayed(AGENT, SERVER));
        let parts = answer.one().parts();
        assert_eq!(parts[parts.len() - 2..], [(61, &[1, 2, 3][..]), (82, &information)]);
    }
    let refused = Ask::init_reboot(FAR, [10, 79, 0, 6]).option(82, &information).relayed(AGENT, SERVER);
    assert_eq!(lab("").ask(&refused).one().option(82), Some(information.to_vec()));
}

#[test]
fn whatever_is_plugged_into_a_port_gets_the_ports_address() {
    let mut lab = lab(
        "[host.desk]\nnetwork = \"far\"\nip = \"10.79.0.20\"\nport = { remote-id = \"sw1\", circuit-id = \"7\" }
[host.any7]\nnetwork = \"far\"\nip = \"10.79.0.21\"\nport = \"7\"\n",
    );
    let at = |circuit: &[u8], remote: Option<&[u8]>| {
        let mut information = vec![1, u8::try_from(circuit.len()).unwrap()];
        information.extend(circuit);
        if let Some(remote) = remote {
            information.extend([2, u8::try_from(remote.len()).unwrap()]);
            information.extend(remote);
        }
        Ask::discover(STRANGER).option(82, &information).relayed(AGENT, SERVER)
    };
    assert_eq!(lab.ask_and_wait(&at(b"7", Some(b"sw1"))).offered(), Ipv4Addr::new(10, 79, 0, 20));
    assert_eq!(lab.ask_and_wait(&at(b"7", Some(b"sw2"))).offered(), Ipv4Addr::new(10, 79, 0, 21));
    assert_eq!(lab.ask(&at(b"7", None)).offered(), Ipv4Addr::new(10, 79, 0, 21));
    assert_eq!(lab.ask(&at(b"8", Some(b"sw1"))).silence(), Reason::UnknownMachine);
    // A machine that is known by its card is that machine wherever it is plugged in.
    let known = Ask::discover(FAR).option(82, &[1, 1, b'7']).relayed(AGENT, SERVER);
    assert_eq!(lab.ask(&known).offered(), FAR_ADDRESS);
}

#[test]
fn a_switch_that_names_the_port_and_is_no_agent_is_heeded() {
    // RFC 3046, section 2.1: a trusted bridge may add option 82 and leave giaddr alone, as switches
    // with DHCP snooping do. They drop what clients forge.
    let mut lab = Lab::new("[host.desk]\nnetwork = \"lab\"\nip = \"10.77.0.20\"\nport = \"7\"\n");
    let answer = lab.ask_and_wait(&Ask::discover(STRANGER).option(82, &[1, 1, b'7']));
    assert_eq!(answer.offered(), Ipv4Addr::new(10, 77, 0, 20));
    assert_eq!(answer.one().option(82), Some(vec![1, 1, b'7']));
    assert!(matches!(answer.one().destination, Destination::Link { .. }));
}

#[test]
fn a_client_identifier_and_a_duid_are_found_where_the_card_is_not() {
    let mut lab = lab("[host.id]\nnetwork = \"far\"\nip = \"10.79.0.30\"\nclient-id = \"0x00686f7374\"
[host.uuid]\nnetwork = \"far\"\nip = \"10.79.0.31\"\nduid = \"0x00040000007700000040800000000000001a\"\n");
    let ask = |id: &[u8]| Ask::discover(STRANGER).option(61, id).relayed(AGENT, SERVER);
    assert_eq!(lab.ask(&ask(b"\0host")).offered(), Ipv4Addr::new(10, 79, 0, 30));
    assert_eq!(lab.ask(&ask(b"\0hosts")).silence(), Reason::UnknownMachine);
    let uuid = |octets: [u8; 8]| {
        let mut id = vec![255, 9, 9, 9, 9, 0, 4];
        id.extend(octets);
        id.extend([0x80, 0, 0, 0, 0, 0, 0, 0x1a]);
        id
    };
    assert_eq!(lab.ask(&ask(&uuid([0, 0, 0, 0x77, 0, 0, 0, 0x40]))).offered(), Ipv4Addr::new(10, 79, 0, 31));
}

/// Facts of real boots, number 2: OVMF and iPXE of one machine write its UUID differently.
#[test]
fn a_uuid_is_the_same_host_in_both_byte_orders() {
    let mut lab = lab(
        "[host.uuid]\nnetwork = \"far\"\nip = \"10.79.0.31\"\nduid = \"0x00040000007700000040800000000000001a\"\n",
    );
    for order in [[0, 0, 0, 0x77, 0, 0, 0, 0x40], [0x77, 0, 0, 0, 0, 0, 0x40, 0]] {
        let mut id = vec![255, 1, 2, 3, 4, 0, 4];
        id.extend(order);
        id.extend([0x80, 0, 0, 0, 0, 0, 0, 0x1a]);
        let ask = Ask::discover(STRANGER).option(61, &id).relayed(AGENT, SERVER);
        assert_eq!(lab.ask(&ask).offered(), Ipv4Addr::new(10, 79, 0, 31), "{order:?}");
    }
}
