//! What replies hold, and where they go.

use std::net::Ipv4Addr;

use dhcpd::core::{Destination, Event, Link, Reason};
use inventory_core::mac::MacAddr;

use super::lab::{INTERFACE, Lab, SERVER, SITE, WEB, WEB_HOST};
use super::packet::Ask;

const WEB_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 11);

fn with_options(options: &str) -> Lab {
    Lab::new(&format!("{WEB_HOST}options = {{ {options} }}\n"))
}

/// `count` options from code 224 on, of `octets` octets each.
fn long_options(count: usize, octets: usize) -> String {
    let text = "x".repeat(octets);
    (224..224 + count).map(|code| format!("{code} = \"text:{text}\"")).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_client_without_address_is_reached_on_the_link_or_by_broadcast_as_it_says() {
    let mut lab = Lab::new(WEB_HOST);
    let link = Destination::Link { interface: INTERFACE, mac: MacAddr(WEB), address: WEB_ADDRESS };
    let broadcast = Destination::Broadcast { interface: INTERFACE };
    for ask in [Ask::discover(WEB), Ask::selecting(WEB, WEB_ADDRESS, SERVER)] {
        assert_eq!(lab.ask(&ask).one().destination, link);
        let sent = lab.ask(&ask.broadcast()).one().clone();
        assert_eq!((sent.destination, sent.flags()), (broadcast, [0x80, 0]));
    }
    assert_eq!(lab.ask(&Ask::init_reboot(WEB, WEB_ADDRESS)).one().destination, link);
}

#[test]
fn a_ciaddr_that_is_not_the_clients_own_directs_nothing() {
    // A DISCOVER or a request for another address with a foreign ciaddr must not make us send there.
    let mut lab = Lab::new(WEB_HOST);
    for ask in [Ask::discover(WEB), Ask::selecting(WEB, WEB_ADDRESS, SERVER)] {
        let sent = lab.ask(&ask.ciaddr([10, 77, 0, 99])).one().clone();
        assert!(matches!(sent.destination, Destination::Link { .. }), "{sent:?}");
        assert_eq!(sent.ciaddr(), Ipv4Addr::UNSPECIFIED);
    }
}

#[test]
fn type_and_server_come_first_and_everything_is_sent_where_nothing_is_asked_for() {
    let sent = with_options("ntp-servers = [\"10.77.0.3\"]").ask(&Ask::discover(WEB)).one().clone();
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1, 3, 6, 12, 15, 28, 42]);
    assert_eq!(sent.option(12), Some(b"web".to_vec()));
    assert_eq!(sent.option(15), Some(b"lab.test".to_vec()));
    assert_eq!(sent.option(6), Some(vec![10, 77, 0, 1, 10, 77, 0, 2]));
    assert_eq!(sent.address(28), Some(Ipv4Addr::new(10, 77, 0, 255)));
}

#[test]
fn a_hosts_options_go_before_its_networks_and_its_lease_too() {
    let site = SITE.replace("lease = \"1h\"", "lease = \"1h\"\noptions = { ntp-servers = [\"10.77.0.3\"] }");
    let host = format!("{WEB_HOST}lease = \"2m\"\noptions = {{ ntp-servers = [\"10.77.0.4\"] }}\n");
    let mut lab = Lab::of(&(site + &host));
    let sent = lab.ask(&Ask::discover(WEB).option(55, &[42])).one().clone();
    assert_eq!(sent.address(42), Some(Ipv4Addr::new(10, 77, 0, 4)));
    assert_eq!([51, 58, 59].map(|code| sent.number(code)), [Some(120), Some(60), Some(105)]);
}

#[test]
fn the_domain_is_that_of_the_hosts_own_name() {
    let host = "[zone.\"other.test\"]\n[host.\"db.other.test\"]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n";
    let sent = Lab::new(host).ask(&Ask::discover(WEB).option(55, &[15, 12])).one().clone();
    assert_eq!(sent.option(15), Some(b"other.test".to_vec()));
    assert_eq!(sent.option(12), Some(b"db".to_vec()));
    let site = SITE.replace("lease = \"1h\"", "options = { domain-name = \"corp.test\" }");
    let sent = Lab::of(&(site + host)).ask(&Ask::discover(WEB).option(55, &[15])).one().clone();
    assert_eq!(sent.option(15), Some(b"corp.test".to_vec()), "written for the network");
}

#[test]
fn an_option_that_is_asked_for_twice_is_sent_once() {
    let sent = Lab::new(WEB_HOST).ask(&Ask::discover(WEB).option(55, &[3, 6, 3, 3, 6])).one().clone();
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1, 3, 6]);
}

#[test]
fn what_the_server_says_itself_can_not_be_asked_for() {
    let asked: Vec<u8> = (0..=255).filter(|code| !matches!(code, 3 | 6 | 12 | 15 | 28)).collect();
    let sent = Lab::new(WEB_HOST).ask(&Ask::discover(WEB).option(55, &asked[..250])).one().clone();
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1]);
}

#[test]
fn a_long_option_is_split_and_joined_again() {
    let mut lab = with_options(&long_options(1, 600));
    let ask = Ask::discover(WEB).option(55, &[224, 3]).option(57, &1500_u16.to_be_bytes());
    let sent = lab.ask(&ask).one().clone();
    let lengths: Vec<usize> =
        sent.parts().iter().filter(|(code, _)| *code == 224).map(|(_, data)| data.len()).collect();
    assert_eq!(lengths, [255, 255, 90]);
    assert_eq!(sent.option(224).unwrap(), b"x".repeat(600));
    assert!(sent.option(3).is_some());
}

#[test]
fn options_that_do_not_fit_are_left_out_the_dearest_last() {
    // 576 octets of packet, and 400 octets that hardly anybody needs asked for first.
    let mut lab = with_options(&long_options(2, 200));
    let answer = lab.ask(&Ask::discover(WEB).option(55, &[224, 225, 3, 6, 12]));
    let sent = answer.one();
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1, 224, 3, 6, 12], "in the client's order");
    assert!(sent.octets.len() <= 548);
    assert!(answer.events.contains(&Event::OptionsLeftOut));
    let roomy = Ask::discover(WEB).option(55, &[224, 225, 3, 6, 12]).option(57, &1000_u16.to_be_bytes());
    let answer = lab.ask(&roomy);
    assert_eq!(answer.one().codes(), [53, 54, 51, 58, 59, 1, 224, 225, 3, 6, 12]);
    assert!(!answer.events.contains(&Event::OptionsLeftOut));
}

#[test]
fn options_that_do_not_fit_go_into_the_fields_of_the_boot_file_and_the_servers_name() {
    let mut lab = with_options(&(long_options(3, 100) + ", 230 = \"0x" + &"07".repeat(60) + "\""));
    let ask = Ask::discover(WEB).option(55, &[224, 225, 226, 230, 3, 6, 12]);
    let answer = lab.ask(&ask);
    let sent = answer.one();
    assert!(sent.octets.len() <= 548 && !answer.events.contains(&Event::OptionsLeftOut), "{answer:?}");
    assert_eq!(sent.option(52), Some(vec![3]));
    assert!([224, 225, 226].iter().all(|code| sent.option(*code).is_some_and(|data| data.len() == 100)));
    assert_eq!(sent.option(230), Some(vec![7; 60]));
    // Firmware reads the fields as they are.
    let answer = lab.ask(&ask.clone().option(60, b"PXEClient:Arch:00000"));
    assert!(answer.events.contains(&Event::OptionsLeftOut));
    assert_eq!((answer.one().option(52), &answer.one().octets[44..236]), (None, &[0; 192][..]));
    let answer = lab.ask(&ask.option(57, &1400_u16.to_be_bytes()));
    assert_eq!(
        (answer.one().option(52), &answer.one().octets[44..236]),
        (None, &[0; 192][..]),
        "there is room"
    );
}

#[test]
fn a_reply_is_never_longer_than_the_links_mtu() {
    let links = vec![Link { index: INTERFACE, addresses: vec![SERVER], mtu: 900 }];
    let inventory = format!("{SITE}{WEB_HOST}options = {{ {} }}\n", long_options(6, 200));
    let ask = Ask::discover(WEB).option(55, &[224, 225, 226, 227, 228, 229]).option(57, &[0xff, 0]);
    let sent = Lab::on(&inventory, links).ask(&ask).one().clone();
    assert!((671..=872).contains(&sent.octets.len()), "{}", sent.octets.len());
}

#[test]
fn a_client_that_claims_to_take_less_than_the_least_gets_the_least() {
    let mut lab = with_options(&long_options(4, 100));
    let ask = Ask::discover(WEB).option(55, &[224, 225, 226, 227]);
    let least = lab.ask(&ask).one().clone();
    assert!((450..=548).contains(&least.octets.len()));
    for claim in [0_u16, 100, 575] {
        assert_eq!(lab.ask(&ask.clone().option(57, &claim.to_be_bytes())).one().octets, least.octets);
    }
}

#[test]
fn what_must_be_echoed_keeps_its_room() {
    let mut lab = with_options(&long_options(3, 100));
    let id = [7; 200];
    let ask = Ask::discover(WEB).option(55, &[224, 225, 226, 3]).option(61, &id);
    let sent = lab.ask(&ask).one().clone();
    assert_eq!(sent.option(61), Some(id.to_vec()));
    assert!(sent.octets.len() <= 548);
    let agent = Ask::discover(WEB).option(61, &id).option(82, &[1; 200]).relayed([10, 77, 0, 9], SERVER);
    assert_eq!(lab.ask(&agent).silence(), Reason::NoRoom);
}

#[test]
fn an_inform_has_no_lease_and_a_refusal_says_why() {
    let mut lab = Lab::new(WEB_HOST);
    let refused = lab.ask(&Ask::init_reboot(WEB, [10, 77, 0, 12]).option(61, &[1, 2]).option(55, &[3, 6]));
    let sent = refused.one();
    assert_eq!(sent.codes(), [53, 54, 56, 61]);
    assert_eq!(sent.option(56), Some(b"this machine has another address".to_vec()));
    assert_eq!((sent.yiaddr(), sent.ciaddr(), sent.flags()), (0.into(), 0.into(), [0, 0]));
    assert_eq!(sent.destination, Destination::Broadcast { interface: INTERFACE });
}

/// Lease, T1, T2 of the offer to `web` where its network and its entry have these keys.
fn timers(network: &str, host: &str) -> [u32; 3] {
    let site = SITE.replace("lease = \"1h\"", network);
    let mut lab = Lab::of(&format!("{site}{WEB_HOST}{host}"));
    let answer = lab.ask(&Ask::discover(WEB));
    [51, 58, 59].map(|code| answer.one().number(code).unwrap())
}

#[test]
fn timers_are_a_half_and_seven_eighths_of_the_lease_where_none_are_written() {
    assert_eq!(timers("lease = \"1h\"", ""), [3600, 1800, 3150]);
    assert_eq!(timers("lease = \"12h\"", ""), [43_200, 21_600, 37_800]);
    assert_eq!(timers("lease = \"1h\"", "lease = \"60s\""), [60, 30, 52]);
}

#[test]
fn timers_that_are_written_count_for_leases_that_they_are_within() {
    let written = "lease = \"1h\"\nrenew = \"5m\"\nrebind = \"20m\"";
    assert_eq!(timers(written, ""), [3600, 300, 1200]);
    assert_eq!(timers(written, "lease = \"10m\""), [600, 300, 525]);
    assert_eq!(timers(written, "lease = \"2m\""), [120, 60, 105]);
    assert_eq!(timers("lease = \"1h\"\nrenew = \"55m\"", ""), [3600, 1800, 3150], "not before T2");
    assert_eq!(timers("lease = \"1h\"\nrebind = \"10m\"", ""), [3600, 342, 600]);
}
