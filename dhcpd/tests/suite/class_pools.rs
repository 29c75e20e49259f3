//! Addresses for some clients of a network alone.

use std::net::Ipv4Addr;

use dhcpd::core::{Changed, Reason};

use super::lab::{Lab, SERVER};
use super::packet::Ask;
use super::pools::{at, mac, site};

const HOUR: i64 = 3_600_000;
const AGENT: [u8; 4] = [10, 77, 0, 254];

/// An open pool of two addresses, and one of two for whoever answers to `description`.
fn two_pools(description: &str) -> String {
    let keys = "pool = \"10.77.0.100-10.77.0.101\"\nprobe = false";
    let part = format!("[network.lab.match.some]\n{description}\npool = \"10.77.0.110-10.77.0.111\"\n");
    site(keys) + &part
}

fn phone(ask: Ask) -> Ask {
    ask.option(60, b"phone")
}

/// DISCOVER and REQUEST of a client that says what `as_said` adds.
fn join(lab: &mut Lab, n: u8, as_said: impl Fn(Ask) -> Ask) -> Ipv4Addr {
    let offered = lab.ask(&as_said(Ask::discover(mac(n)))).offered();
    lab.ask(&as_said(Ask::selecting(mac(n), offered, SERVER))).acknowledged()
}

#[test]
fn who_answers_to_the_description_gets_an_address_of_its_pool_alone_and_nobody_else_does() {
    let mut lab = Lab::of(&two_pools("vendor-class = \"phone\""));
    assert_eq!([join(&mut lab, 1, phone), join(&mut lab, 2, phone)], [at(110), at(111)]);
    assert_eq!(
        lab.ask(&phone(Ask::discover(mac(3)))).silence(),
        Reason::PoolFull,
        "the open one is not theirs"
    );
    lab.pass(5 * HOUR);
    let asks_for = |ask: Ask, n: u8| ask.address(50, at(n));
    assert_eq!(lab.ask(&asks_for(Ask::discover(mac(4)), 110)).offered(), at(100), "another's, though free");
    assert_eq!(lab.ask(&asks_for(phone(Ask::discover(mac(5))), 101)).offered(), at(110));
    assert_eq!([join(&mut lab, 6, |ask| ask), join(&mut lab, 4, |ask| ask)], [at(101), at(100)]);
    assert_eq!(lab.ask(&Ask::discover(mac(7))).silence(), Reason::PoolFull);
}

#[test]
fn each_of_the_conditions_selects_a_pool() {
    let relayed = |ask: Ask| ask.relayed(AGENT, SERVER);
    type Says = Box<dyn Fn(Ask) -> Ask>;
    let cases: [(&str, Says); 5] = [
        ("user-class = \"iPXE\"", Box::new(|ask| ask.option(77, b"iPXE"))),
        ("architecture = \"uefi-x64\"", Box::new(|ask| ask.option(93, &[0, 7]))),
        ("relay = \"10.77.0.254\"", Box::new(relayed)),
        ("circuit-id = \"eth1/*\"", Box::new(move |ask| relayed(ask.option(82, b"\x01\x06eth1/7")))),
        ("remote-id = \"sw1\"", Box::new(move |ask| relayed(ask.option(82, b"\x02\x03sw1")))),
    ];
    for (description, says) in &cases {
        let mut lab = Lab::of(&two_pools(description));
        assert_eq!(join(&mut lab, 1, says), at(110), "{description}");
        assert_eq!(join(&mut lab, 2, |ask| ask), at(100), "{description}");
    }
}

#[test]
fn a_host_without_an_address_of_its_own_has_one_by_its_tag() {
    let hosts = "[host.a]\nnetwork = \"lab\"\nmac = \"02:00:00:00:01:01\"\ntags = \"kiosk\"\n\
                 [host.b]\nnetwork = \"lab\"\nmac = \"02:00:00:00:01:02\"\n";
    let mut lab = Lab::of(&(two_pools("tag = \"kiosk\"") + hosts));
    assert_eq!([lab.join(mac(1)), lab.join(mac(2)), lab.join(mac(3))], [at(110), at(100), at(101)]);
}

#[test]
fn a_network_whose_addresses_are_all_for_some_serves_no_other_stranger() {
    let mut lab =
        Lab::of(&two_pools("vendor-class = \"phone\"").replace("pool = \"10.77.0.100-10.77.0.101\"\n", ""));
    assert_eq!(join(&mut lab, 1, phone), at(110));
    assert_eq!(lab.ask(&Ask::discover(mac(2))).silence(), Reason::UnknownMachine);
    let ignoring = two_pools("vendor-class = \"phone\"").replace("probe = false", "unknown = \"ignore\"");
    let ask = phone(Ask::discover(mac(1)));
    assert_eq!(Lab::of(&ignoring).ask(&ask).silence(), Reason::UnknownMachine, "`unknown` goes before");
}

#[test]
fn a_client_keeps_its_address_as_long_as_it_answers_to_the_description() {
    let mut lab = Lab::of(&two_pools("vendor-class = \"phone\""));
    assert_eq!(join(&mut lab, 1, phone), at(110));
    let renew = || Ask::renewing(mac(1), at(110), SERVER);
    assert_eq!(lab.ask(&phone(renew())).acknowledged(), at(110));
    assert_eq!(lab.ask(&phone(Ask::init_reboot(mac(1), at(110)))).acknowledged(), at(110));
    let refused = lab.ask(&renew());
    assert_eq!(refused.refusal(), Reason::NotGiven);
    assert_eq!(refused.changed(), [(at(110), Changed::Withdrawn)]);
    assert_eq!(join(&mut lab, 1, |ask| ask), at(100));
}

#[test]
fn an_edit_that_makes_a_pool_one_for_some_moves_the_others_when_they_renew() {
    let all = site("pool = [\"10.77.0.100-10.77.0.101\", \"10.77.0.110-10.77.0.111\"]\nprobe = false");
    let mut lab = Lab::of(&all);
    let given = [1, 2, 3].map(|n| join(&mut lab, n, phone));
    assert_eq!(given, [at(100), at(101), at(110)]);
    lab.edit(&two_pools("vendor-class = \"phone\""));
    let renew = |n: u8, address: Ipv4Addr| phone(Ask::renewing(mac(n), address, SERVER));
    assert_eq!(lab.ask(&renew(3, at(110))).acknowledged(), at(110));
    assert_eq!(lab.ask(&renew(1, at(100))).refusal(), Reason::NotGiven);
    assert_eq!(join(&mut lab, 1, phone), at(111));
}

#[test]
fn a_client_that_renews_without_its_relay_agent_keeps_what_it_has_by_that() {
    let mut lab = Lab::of(&two_pools("circuit-id = \"7\"\nvendor-class = \"phone\""));
    let behind = |ask: Ask| phone(ask).option(82, b"\x01\x017").relayed(AGENT, SERVER);
    assert_eq!(join(&mut lab, 1, behind), at(110));
    let renew = || Ask::renewing(mac(1), at(110), SERVER);
    assert_eq!(lab.ask(&phone(renew())).acknowledged(), at(110), "by unicast, without option 82");
    assert_eq!(lab.ask(&renew()).refusal(), Reason::NotGiven, "what it says itself must hold still");
    assert_eq!(join(&mut lab, 2, |ask| phone(ask).relayed(AGENT, SERVER)), at(100));
    assert_eq!(lab.ask(&phone(Ask::renewing(mac(2), at(100), SERVER))).acknowledged(), at(100));
}
