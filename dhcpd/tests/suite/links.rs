//! Several networks on one link, behind one relay agent or on the server's own.

use std::net::Ipv4Addr;

use dhcpd::core::{Changed, Destination, Probe, Reason};

use super::lab::{INTERFACE, Lab, SERVER, SITE};
use super::packet::Ask;

/// Hosts of the networks `lab`, `annex` and `loft`, which share the server's link; of `other`, which has its own.
const LAB: [u8; 6] = [2, 0, 0, 0, 0, 1];
const ANNEX: [u8; 6] = [2, 0, 0, 0, 0, 2];
const LOFT: [u8; 6] = [2, 0, 0, 0, 0, 3];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 4];
const AGENT_OF_LAB: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);
const AGENT_OF_ANNEX: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 254);
const AGENT_OF_OTHER: Ipv4Addr = Ipv4Addr::new(10, 80, 0, 254);

fn inventory(link: &str) -> String {
    let mut text = SITE.replace(
        "lease = \"1h\"\n",
        &format!("lease = \"1h\"\nprobe = false\npool = \"10.77.0.100-10.77.0.101\"\n{link}\n"),
    );
    for (name, number, keys) in [
        ("annex", 78, format!("pool = \"10.78.0.100-10.78.0.101\"\nprobe = false\n{link}")),
        ("loft", 79, link.to_owned()),
        ("other", 80, String::new()),
    ] {
        text += &format!(
            "[network.{name}]\nzone = \"lab.test\"\nipv4 = \"10.{number}.0.0/24\"\n\
             gateway = \"10.{number}.0.254\"\n{keys}\n"
        );
    }
    for (name, number) in [("lab", 77), ("annex", 78), ("loft", 79), ("other", 80)] {
        text += &format!(
            "[host.h-{name}]\nnetwork = \"{name}\"\nmac = \"02:00:00:00:00:{:02x}\"\nip = \"10.{number}.0.11\"\n",
            number - 76
        );
    }
    text
}

fn shared() -> Lab {
    Lab::of(&inventory("link = \"floor\""))
}

fn stranger(number: u8) -> [u8; 6] {
    [2, 0, 0, 0, 1, number]
}

#[test]
fn a_host_has_its_address_in_any_network_of_its_link() {
    let mut lab = shared();
    for (mac, address) in [(LAB, [10, 77, 0, 11]), (ANNEX, [10, 78, 0, 11]), (LOFT, [10, 79, 0, 11])] {
        let address = Ipv4Addr::from(address);
        let near = lab.ask(&Ask::discover(mac).option(55, &[1, 3]));
        assert_eq!(near.offered(), address, "on the server's link");
        let router = Ipv4Addr::from([10, address.octets()[1], 0, 254]);
        let sent = near.one();
        assert_eq!((sent.address(3), sent.address(54)), (Some(router), Some(SERVER)), "of its own network");
        for agent in [AGENT_OF_LAB, AGENT_OF_ANNEX] {
            assert_eq!(lab.ask(&Ask::discover(mac).relayed(agent, SERVER)).offered(), address, "by {agent}");
            let ask = Ask::selecting(mac, address, SERVER).relayed(agent, SERVER);
            assert_eq!(lab.ask(&ask).acknowledged(), address, "by {agent}");
        }
        assert_eq!(lab.ask(&Ask::init_reboot(mac, address)).acknowledged(), address);
        let elsewhere = lab.ask(&Ask::discover(mac).relayed(AGENT_OF_OTHER, SERVER));
        assert_eq!(elsewhere.silence(), Reason::UnknownMachine, "it is not on that link");
    }
    assert_eq!(
        lab.ask(&Ask::discover(OTHER).relayed(AGENT_OF_OTHER, SERVER)).offered().octets(),
        [10, 80, 0, 11]
    );
}

#[test]
fn strangers_get_the_pools_of_a_link_one_after_the_other() {
    let mut lab = shared();
    let near: Vec<Ipv4Addr> = (0..4).map(|number| lab.join(stranger(number))).collect();
    assert_eq!(
        near,
        [[10, 77, 0, 100], [10, 77, 0, 101], [10, 78, 0, 100], [10, 78, 0, 101]].map(Ipv4Addr::from)
    );
    assert_eq!(lab.ask(&Ask::discover(stranger(4))).silence(), Reason::PoolFull);
    // Behind an agent in the annex, that comes first.
    let mut lab = shared();
    let far: Vec<Ipv4Addr> = (0..4)
        .map(|number| {
            let ask = Ask::discover(stranger(number)).relayed(AGENT_OF_ANNEX, SERVER);
            let offered = lab.ask(&ask).offered();
            let ask = Ask::selecting(stranger(number), offered, SERVER).relayed(AGENT_OF_ANNEX, SERVER);
            lab.ask(&ask).acknowledged()
        })
        .collect();
    assert_eq!(
        far,
        [[10, 78, 0, 100], [10, 78, 0, 101], [10, 77, 0, 100], [10, 77, 0, 101]].map(Ipv4Addr::from)
    );
}

#[test]
fn a_lease_of_another_network_of_the_link_goes_on() {
    let mut lab = shared();
    let mac = stranger(0);
    let address = Ipv4Addr::from([10, 78, 0, 100]);
    let discover = Ask::discover(mac).address(50, address);
    assert_eq!(lab.ask(&discover).offered(), address, "what it asks for");
    assert_eq!(lab.ask(&Ask::selecting(mac, address, SERVER)).acknowledged(), address);
    for ask in [
        Ask::init_reboot(mac, address),
        Ask::renewing(mac, address, SERVER),
        Ask::rebinding(mac, address),
        Ask::init_reboot(mac, address).relayed(AGENT_OF_LAB, SERVER),
        Ask::rebinding(mac, address).relayed(AGENT_OF_ANNEX, SERVER),
    ] {
        assert_eq!(lab.ask(&ask).acknowledged(), address, "{ask:?}");
    }
    assert_eq!(lab.ask(&Ask::discover(mac).relayed(AGENT_OF_LAB, SERVER)).offered(), address, "it has it");
    let moved = lab.ask(&Ask::init_reboot(mac, address).relayed(AGENT_OF_OTHER, SERVER));
    assert_eq!(moved.silence(), Reason::WrongNetwork);
    let released = lab.ask(&Ask::releasing(mac, address, SERVER));
    assert_eq!(released.changed(), [(address, Changed::Released)]);
}

#[test]
fn a_network_that_leaves_the_link_takes_its_leases_along() {
    let mut lab = shared();
    let mac = stranger(0);
    let address = Ipv4Addr::from([10, 78, 0, 100]);
    lab.ask(&Ask::discover(mac).address(50, address));
    assert_eq!(lab.ask(&Ask::selecting(mac, address, SERVER)).acknowledged(), address);
    lab.edit(&inventory(""));
    let answer = lab.ask(&Ask::rebinding(mac, address));
    assert_eq!(answer.refusal(), Reason::WrongNetwork);
    // With an address of this link's, a refusal would have reached it by a broadcast.
    let to = Destination::Udp { interface: INTERFACE, address, port: 68 };
    assert_eq!(answer.one().destination, to);
}

#[test]
fn a_client_that_is_written_down_in_another_network_of_the_link_moves_there() {
    let mut lab = shared();
    let mac = stranger(0);
    let leased = lab.join(mac);
    assert_eq!(leased.octets(), [10, 77, 0, 100]);
    let own = "[host.new]\nnetwork = \"loft\"\nmac = \"02:00:00:00:01:00\"\nip = \"10.79.0.12\"\n";
    lab.edit(&(inventory("link = \"floor\"") + own));
    let renewed = lab.ask(&Ask::renewing(mac, leased, SERVER));
    assert_eq!(
        (renewed.refusal(), renewed.one().destination),
        (Reason::WrongAddress, Destination::Broadcast { interface: INTERFACE })
    );
    assert_eq!(renewed.changed(), [(leased, Changed::Withdrawn)]);
    assert_eq!(lab.join(mac).octets(), [10, 79, 0, 12]);
    // One that asks for its new address at once loses the old one then.
    let mut lab = shared();
    lab.join(mac);
    lab.edit(&(inventory("link = \"floor\"") + own));
    assert_eq!(lab.ask(&Ask::discover(mac)).offered().octets(), [10, 79, 0, 12]);
    let accepted = lab.ask(&Ask::selecting(mac, [10, 79, 0, 12], SERVER));
    assert_eq!(accepted.changed(), [(leased, Changed::Withdrawn)]);
}

#[test]
fn an_address_of_another_network_is_looked_for_on_the_link() {
    let text = inventory("link = \"floor\"").replace("probe = false\n", "");
    let mut lab = Lab::of(&text);
    let asked = lab.ask(&Ask::discover(stranger(0)).address(50, [10, 78, 0, 101]));
    let address = Ipv4Addr::from([10, 78, 0, 101]);
    assert_eq!(asked.probes, [Probe { address, link: Some(INTERFACE) }]);
}
