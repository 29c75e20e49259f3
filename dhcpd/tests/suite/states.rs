//! RFC 2131, section 4.3, state by state, for machines that the inventory knows and those it does not.

use std::net::Ipv4Addr;

use dhcpd::core::{Destination, Event, Link, Notice, Outcome, Reason};

use super::lab::{INTERFACE, Lab, SERVER, SITE, STRANGER, WEB, WEB_HOST};
use super::packet::Ask;

const WEB_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 11);
const OTHER_SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// An address of no network here.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 50);

fn lab() -> Lab {
    Lab::new(WEB_HOST)
}

fn host(state: &str) -> String {
    format!("{WEB_HOST}state = {state:?}\n")
}

#[test]
fn a_discover_of_a_known_machine_is_offered_its_address_whatever_it_asks_for() {
    let mut lab = lab();
    assert_eq!(lab.ask(&Ask::discover(WEB)).offered(), WEB_ADDRESS);
    assert_eq!(lab.ask(&Ask::discover(WEB).address(50, [10, 77, 0, 200])).offered(), WEB_ADDRESS);
    assert_eq!(lab.ask(&Ask::discover(WEB).address(50, ELSEWHERE)).offered(), WEB_ADDRESS);
}

#[test]
fn selecting_us_is_acknowledged_and_selecting_another_server_is_left_to_it() {
    let mut lab = lab();
    assert_eq!(lab.ask(&Ask::selecting(WEB, WEB_ADDRESS, SERVER)).acknowledged(), WEB_ADDRESS);
    let other = lab.ask(&Ask::selecting(WEB, WEB_ADDRESS, OTHER_SERVER));
    assert_eq!(other.silence(), Reason::OtherServer);
    // What it chose there is not our business, be it wrong.
    assert_eq!(lab.ask(&Ask::selecting(WEB, ELSEWHERE, OTHER_SERVER)).silence(), Reason::OtherServer);
}

#[test]
fn selecting_an_address_that_was_not_offered_is_refused() {
    let mut lab = lab();
    let wrong = lab.ask(&Ask::selecting(WEB, [10, 77, 0, 12], SERVER));
    assert_eq!(wrong.refusal(), Reason::WrongAddress);
    assert_eq!(lab.ask(&Ask::selecting(WEB, ELSEWHERE, SERVER)).refusal(), Reason::WrongNetwork);
    assert_eq!(lab.ask(&Ask::selecting(STRANGER, WEB_ADDRESS, SERVER)).refusal(), Reason::NotOffered);
}

#[test]
fn a_client_that_selects_by_ciaddr_is_understood() {
    // Table 5 wants option 50; some old clients say it the other way round.
    let ask = Ask::new(3, WEB).ciaddr(WEB_ADDRESS).address(54, SERVER);
    assert_eq!(lab().ask(&ask).acknowledged(), WEB_ADDRESS);
}

#[test]
fn a_known_machine_that_has_rebooted_keeps_its_address() {
    assert_eq!(lab().ask(&Ask::init_reboot(WEB, WEB_ADDRESS)).acknowledged(), WEB_ADDRESS);
}

#[test]
fn a_known_machine_that_has_rebooted_with_a_wrong_address_is_refused() {
    let mut lab = lab();
    assert_eq!(lab.ask(&Ask::init_reboot(WEB, [10, 77, 0, 200])).refusal(), Reason::WrongAddress);
    assert_eq!(lab.ask(&Ask::init_reboot(WEB, ELSEWHERE)).refusal(), Reason::WrongNetwork);
}

#[test]
fn renewing_is_acknowledged_by_unicast_to_the_clients_address() {
    let answer = lab().ask(&Ask::renewing(WEB, WEB_ADDRESS, SERVER));
    assert_eq!(answer.acknowledged(), WEB_ADDRESS);
    let sent = answer.one();
    assert_eq!(sent.ciaddr(), WEB_ADDRESS);
    let expected = Destination::Udp { interface: INTERFACE, address: WEB_ADDRESS, port: 68 };
    assert_eq!(sent.destination, expected);
}

#[test]
fn rebinding_is_acknowledged_by_unicast_to_the_clients_address() {
    let answer = lab().ask(&Ask::rebinding(WEB, WEB_ADDRESS).broadcast());
    assert_eq!(answer.acknowledged(), WEB_ADDRESS);
    let expected = Destination::Udp { interface: INTERFACE, address: WEB_ADDRESS, port: 68 };
    assert_eq!(answer.one().destination, expected, "ciaddr goes before the broadcast flag");
}

#[test]
fn renewing_and_rebinding_another_address_than_the_inventorys_are_refused() {
    let mut lab = lab();
    for ask in [Ask::renewing(WEB, [10, 77, 0, 12], SERVER), Ask::rebinding(WEB, [10, 77, 0, 12])] {
        let answer = lab.ask(&ask);
        assert_eq!(answer.refusal(), Reason::WrongAddress);
        assert_eq!(answer.one().destination, Destination::Broadcast { interface: INTERFACE });
    }
    assert_eq!(lab.ask(&Ask::rebinding(WEB, ELSEWHERE)).refusal(), Reason::WrongNetwork);
}

#[test]
fn a_request_that_names_no_address_is_a_counted_reason() {
    assert_eq!(lab().ask(&Ask::new(3, WEB)).silence(), Reason::NoAddressNamed);
    let selecting = Ask::new(3, WEB).address(54, SERVER);
    assert_eq!(lab().ask(&selecting).silence(), Reason::NoAddressNamed);
    assert_eq!(lab().ask(&Ask::new(8, WEB)).silence(), Reason::NoAddressNamed);
}

#[test]
fn a_machine_whose_entry_gets_another_address_is_refused_into_it() {
    let mut lab = lab();
    assert_eq!(lab.ask(&Ask::renewing(WEB, WEB_ADDRESS, SERVER)).acknowledged(), WEB_ADDRESS);
    lab.edit(&format!("{SITE}{}", WEB_HOST.replace("10.77.0.11", "10.77.0.44")));
    assert_eq!(lab.ask(&Ask::renewing(WEB, WEB_ADDRESS, SERVER)).refusal(), Reason::WrongAddress);
    assert_eq!(lab.ask(&Ask::discover(WEB)).offered(), Ipv4Addr::new(10, 77, 0, 44));
}

#[test]
fn planned_and_retired_hosts_meet_silence_and_a_refusal_of_their_address() {
    for state in ["planned", "retired"] {
        let mut lab = Lab::new(&host(state));
        assert_eq!(lab.ask(&Ask::discover(WEB)).silence(), Reason::NotServed, "{state}");
        for ask in [
            Ask::init_reboot(WEB, WEB_ADDRESS),
            Ask::renewing(WEB, WEB_ADDRESS, SERVER),
            Ask::rebinding(WEB, WEB_ADDRESS),
            Ask::selecting(WEB, WEB_ADDRESS, SERVER),
        ] {
            assert_eq!(lab.ask(&ask).refusal(), Reason::NotServed, "{state}");
        }
        assert_eq!(lab.ask(&Ask::new(8, WEB).ciaddr(WEB_ADDRESS)).silence(), Reason::NotServed, "{state}");
    }
}

#[test]
fn hosts_in_installation_and_active_ones_are_served() {
    let boot = "[boot.debian]\nkernel = \"linux\"\n";
    for state in ["active", "install"] {
        let mut lab = Lab::new(&format!("{}boot = \"debian\"\n{boot}", host(state)));
        assert_eq!(lab.ask(&Ask::discover(WEB)).offered(), WEB_ADDRESS, "{state}");
    }
}

#[test]
fn with_dhcp_off_for_a_host_or_its_network_nothing_is_said() {
    let off = format!("{WEB_HOST}dhcp = false\n");
    let network_off = SITE.replace("lease = \"1h\"", "dhcp = false") + WEB_HOST;
    for inventory in [SITE.to_owned() + &off, network_off] {
        let mut lab = Lab::of(&inventory);
        for ask in [
            Ask::discover(WEB),
            Ask::selecting(WEB, WEB_ADDRESS, SERVER),
            Ask::init_reboot(WEB, ELSEWHERE),
            Ask::renewing(WEB, WEB_ADDRESS, SERVER),
            Ask::rebinding(WEB, WEB_ADDRESS),
            Ask::new(8, WEB).ciaddr(WEB_ADDRESS),
        ] {
            assert_eq!(lab.ask(&ask).silence(), Reason::DhcpOff);
        }
    }
}

#[test]
fn a_stranger_gets_nothing_where_there_is_no_pool() {
    let mut lab = lab();
    assert_eq!(lab.ask(&Ask::discover(STRANGER)).silence(), Reason::UnknownMachine);
    assert_eq!(lab.ask(&Ask::init_reboot(STRANGER, [10, 77, 0, 50])).silence(), Reason::UnknownMachine);
}

#[test]
fn inform_is_acknowledged_with_options_and_without_a_lease() {
    let ask = Ask::new(8, WEB).ciaddr(WEB_ADDRESS).option(55, &[3, 6, 51, 12]);
    for ask in [ask.clone(), ask.broadcast()] {
        let answer = lab().ask(&ask);
        assert!(matches!(answer.outcome, Some(Outcome::Informed(_))));
        let sent = answer.one();
        assert_eq!((sent.kind(), sent.yiaddr(), sent.ciaddr()), (5, 0.into(), WEB_ADDRESS));
        assert_eq!(sent.codes(), [53, 54, 1, 3, 6, 12]);
        let expected = Destination::Udp { interface: INTERFACE, address: WEB_ADDRESS, port: 68 };
        assert_eq!(sent.destination, expected);
    }
}

#[test]
fn inform_of_a_stranger_is_answered_with_what_its_network_tells() {
    let answer = lab().ask(&Ask::new(8, STRANGER).ciaddr([10, 77, 0, 50]).option(55, &[3, 12]));
    assert_eq!(answer.one().codes(), [53, 54, 1, 3]);
}

#[test]
fn inform_is_never_answered_to_an_address_that_no_machine_of_ours_has() {
    let mut lab = lab();
    for address in [ELSEWHERE, [10, 77, 0, 0].into(), [10, 77, 0, 255].into(), Ipv4Addr::BROADCAST] {
        assert_eq!(lab.ask(&Ask::new(8, WEB).ciaddr(address)).silence(), Reason::NoNetwork, "{address}");
    }
}

#[test]
fn release_is_counted_and_changes_nothing_about_a_reservation() {
    let mut lab = lab();
    let answer = lab.ask(&Ask::releasing(WEB, WEB_ADDRESS, SERVER));
    assert_eq!(answer.silence(), Reason::Released);
    assert_eq!(answer.events, [Event::Release]);
    assert_eq!(lab.ask(&Ask::discover(WEB)).offered(), WEB_ADDRESS);
}

#[test]
fn a_declined_reservation_is_told_to_the_operator_once_and_stays() {
    let mut lab = lab();
    let decline = Ask::new(4, WEB).address(50, WEB_ADDRESS).address(54, SERVER);
    let answer = lab.ask(&decline);
    assert_eq!(answer.silence(), Reason::Declined);
    let [Notice::AddressConflict { address, host, .. }] = &*answer.notices else { panic!("{answer:?}") };
    assert_eq!((*address, host.to_string()), (WEB_ADDRESS, "web.lab.test".to_owned()));
    assert!(lab.ask(&decline).notices.is_empty());
    assert_eq!(lab.ask(&Ask::discover(WEB)).offered(), WEB_ADDRESS);
}

#[test]
fn a_decline_of_another_address_or_at_another_server_is_told_to_nobody() {
    let mut lab = lab();
    let elsewhere = Ask::new(4, WEB).address(50, WEB_ADDRESS).address(54, OTHER_SERVER);
    assert_eq!(lab.ask(&elsewhere).silence(), Reason::OtherServer);
    let not_its_own = Ask::new(4, WEB).address(50, [10, 77, 0, 12]).address(54, SERVER);
    let answer = lab.ask(&not_its_own);
    assert_eq!((answer.silence(), answer.notices.len()), (Reason::Declined, 0));
}

#[test]
fn networks_that_share_a_link_are_all_served_there_and_others_are_not() {
    let inventory = format!(
        "{SITE}{WEB_HOST}
[network.phones]
zone = \"lab.test\"
ipv4 = \"10.78.0.0/24\"
[host.phone]
network = \"phones\"
mac = \"02:00:00:00:00:02\"
ip = \"10.78.0.5\"
[network.far]
zone = \"lab.test\"
ipv4 = \"10.79.0.0/24\"
[host.far1]
network = \"far\"
mac = \"02:00:00:00:00:03\"
ip = \"10.79.0.5\"
"
    );
    let phones_server = Ipv4Addr::new(10, 78, 0, 1);
    let links = vec![
        Link { index: INTERFACE, addresses: vec![SERVER, phones_server], mtu: 1500 },
        Link { index: 3, addresses: vec![[10, 79, 0, 1].into()], mtu: 1500 },
    ];
    let mut lab = Lab::on(&inventory, links);
    let (phone, far) = ([2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 3]);
    let offer = lab.ask(&Ask::discover(phone));
    assert_eq!(offer.offered(), Ipv4Addr::new(10, 78, 0, 5));
    assert_eq!((offer.one().address(54), offer.one().source), (Some(phones_server), phones_server));
    assert_eq!(lab.ask(&Ask::discover(WEB)).one().address(54), Some(SERVER));
    // A host that is plugged into a link of another network is unknown there.
    assert_eq!(lab.ask(&Ask::discover(far)).silence(), Reason::UnknownMachine);
    // The phone's address is right for the link, though not for this client.
    assert_eq!(lab.ask(&Ask::init_reboot(WEB, [10, 78, 0, 5])).refusal(), Reason::WrongAddress);
    assert_eq!(lab.ask(&Ask::init_reboot(WEB, [10, 79, 0, 5])).refusal(), Reason::WrongNetwork);
    let by_three = Ask::discover(far);
    let answer = lab.hear(&by_three.octets(), 3, by_three.from, by_three.to);
    assert_eq!(answer.offered(), Ipv4Addr::new(10, 79, 0, 5));
    assert!(matches!(answer.one().destination, Destination::Link { interface: 3, .. }));
}

#[test]
fn a_client_that_accepts_by_our_other_address_has_chosen_us() {
    let second = Ipv4Addr::new(10, 77, 0, 3);
    let links = vec![Link { index: INTERFACE, addresses: vec![SERVER, second], mtu: 1500 }];
    let mut lab = Lab::on(&format!("{SITE}{WEB_HOST}"), links);
    let answer = lab.ask(&Ask::selecting(WEB, WEB_ADDRESS, second));
    assert_eq!(answer.acknowledged(), WEB_ADDRESS);
    assert_eq!((answer.one().address(54), answer.one().source), (Some(second), second));
}

#[test]
fn an_interface_that_is_not_served_or_has_no_address_is_a_counted_reason() {
    let mut lab = lab();
    let ask = Ask::discover(WEB);
    assert_eq!(lab.hear(&ask.octets(), 9, ask.from, ask.to).silence(), Reason::OtherInterface);
    let bare = vec![Link { index: INTERFACE, addresses: vec![], mtu: 1500 }];
    let mut lab = Lab::on(&format!("{SITE}{WEB_HOST}"), bare);
    assert_eq!(lab.ask(&ask).silence(), Reason::NoServerAddress);
    let foreign = vec![Link { index: INTERFACE, addresses: vec![ELSEWHERE], mtu: 1500 }];
    let mut lab = Lab::on(&format!("{SITE}{WEB_HOST}"), foreign);
    assert_eq!(lab.ask(&ask).silence(), Reason::NoNetwork);
}

#[test]
fn a_routed_client_that_renews_by_unicast_is_known_by_its_address() {
    let inventory = format!(
        "{SITE}{WEB_HOST}[network.far]\nzone = \"lab.test\"\nipv4 = \"10.79.0.0/24\"\n
[host.far1]\nnetwork = \"far\"\nmac = \"02:00:00:00:00:03\"\nip = \"10.79.0.5\"\n"
    );
    let far = [2, 0, 0, 0, 0, 3];
    let mut lab = Lab::of(&inventory);
    let answer = lab.ask(&Ask::renewing(far, [10, 79, 0, 5], SERVER));
    assert_eq!(answer.acknowledged(), Ipv4Addr::new(10, 79, 0, 5));
    assert_eq!(answer.one().address(54), Some(SERVER));
    // Its refusal must go there: no broadcast of ours reaches it.
    let answer = lab.ask(&Ask::renewing(far, [10, 79, 0, 6], SERVER));
    assert_eq!(answer.refusal(), Reason::WrongAddress);
    let expected = Destination::Udp { interface: INTERFACE, address: [10, 79, 0, 6].into(), port: 68 };
    assert_eq!(answer.one().destination, expected);
}
