//! What is plugged into a port has that port's address: one machine at a time.

use std::net::Ipv4Addr;

use dhcpd::core::{Changed, Input, Probe, Reason, State};

use super::lab::{Lab, SERVER};
use super::packet::Ask;
use super::pools::{POOL, at, mac, site};

const MINUTE: i64 = 60_000;

/// A desk, with probes or without, and what else is written of it.
fn lab(probe: bool, keys: &str) -> Lab {
    let pool = if probe { POOL.replace("probe = false", "") } else { POOL.to_owned() };
    let host = format!("[host.desk]\nnetwork = \"lab\"\nip = \"10.77.0.20\"\nport = \"7\"\n{keys}\n");
    Lab::of(&(site(&pool) + &host))
}

/// As the relay agent passes it on from the port.
fn port(ask: Ask) -> Ask {
    ask.option(82, &[1, 1, b'7']).relayed(at(250), SERVER)
}

/// The address that a machine at the port gets, for how many seconds.
fn join(lab: &mut Lab, n: u8) -> (Ipv4Addr, u32) {
    let mut answer = lab.ask(&port(Ask::discover(mac(n))));
    // The port's address, then one of the pool.
    for _ in 0..2 {
        if answer.sent.is_empty() {
            answer = lab.pass(500);
        }
    }
    let offered = answer.offered();
    let answer = lab.ask(&port(Ask::selecting(mac(n), offered, SERVER)));
    assert!(answer.one().after.is_some(), "it is durable before it is promised");
    (answer.acknowledged(), answer.one().number(51).unwrap())
}

#[test]
fn a_machine_that_replaces_another_one_gets_the_address_when_that_one_does_not_answer() {
    let mut lab = lab(true, "");
    assert_eq!(join(&mut lab, 1), (at(20), 3600));
    lab.pass(2 * MINUTE);
    let asked = lab.ask(&port(Ask::discover(mac(2))));
    assert_eq!(
        (asked.silence(), asked.probes),
        (Reason::Probing, vec![Probe { address: at(20), link: None }])
    );
    assert_eq!(lab.pass(500).offered(), at(20));
    let answer = lab.ask(&port(Ask::selecting(mac(2), at(20), SERVER)));
    assert_eq!(answer.acknowledged(), at(20));
    assert_eq!(answer.changed(), [(at(20), Changed::Withdrawn), (at(20), Changed::Granted)]);
    // The first one comes back and learns of it, also after a crash.
    for _ in 0..2 {
        assert_eq!(lab.ask(&Ask::renewing(mac(1), at(20), SERVER)).refusal(), Reason::OtherClient);
        assert_eq!(lab.ask(&Ask::renewing(mac(2), at(20), SERVER)).acknowledged(), at(20));
        lab.restart(None);
    }
}

#[test]
fn of_two_machines_at_one_port_the_second_gets_an_address_of_the_pool() {
    let mut lab = lab(true, "");
    assert_eq!(join(&mut lab, 1), (at(20), 3600));
    lab.pass(2 * MINUTE);
    assert_eq!(lab.ask(&port(Ask::discover(mac(2)))).silence(), Reason::Probing);
    let answer = lab.input(&Input::InUse { address: at(20), mac: None });
    assert!(answer.changes.is_empty(), "it is whoever leases it: {answer:?}");
    assert_eq!(lab.pass(500).offered(), at(100));
    let answer = lab.ask(&port(Ask::selecting(mac(2), at(100), SERVER)));
    assert_eq!((answer.acknowledged(), answer.one().number(51)), (at(100), Some(300)), "meanwhile");
    assert_eq!(lab.ask(&Ask::renewing(mac(1), at(20), SERVER)).acknowledged(), at(20));
}

#[test]
fn whoever_has_just_got_the_address_is_not_looked_for_before_it_can_answer() {
    let mut lab = lab(true, "");
    // Both are offered the address while nobody has it.
    for n in [1, 2] {
        assert_eq!(lab.ask_and_wait(&port(Ask::discover(mac(n)))).offered(), at(20));
    }
    assert_eq!(lab.ask(&port(Ask::selecting(mac(1), at(20), SERVER))).acknowledged(), at(20));
    assert_eq!(lab.ask(&port(Ask::selecting(mac(2), at(20), SERVER))).refusal(), Reason::NotOffered);
    assert_eq!(join(&mut lab, 2), (at(100), 300));
}

#[test]
fn an_address_of_a_port_that_its_machine_declines_is_on_probation() {
    let mut lab = lab(true, "");
    assert_eq!(join(&mut lab, 1), (at(20), 3600));
    let answer = lab.ask(&port(Ask::new(4, mac(1)).address(50, at(20)).address(54, SERVER)));
    assert_eq!(answer.changed(), [(at(20), Changed::Declined)]);
    assert_eq!(join(&mut lab, 1), (at(100), 300));
    lab.pass(60 * MINUTE);
    assert_eq!(join(&mut lab, 1), (at(20), 3600));
}

#[test]
fn without_probes_the_address_is_free_when_its_lease_is_over() {
    let mut lab = lab(false, "");
    assert_eq!(join(&mut lab, 1), (at(20), 3600));
    lab.pass(30 * MINUTE);
    assert_eq!(join(&mut lab, 2), (at(100), 300));
    lab.pass(60 * MINUTE);
    assert_eq!(join(&mut lab, 2), (at(20), 3600));
    lab.ask(&Ask::releasing(mac(2), at(20), SERVER));
    assert_eq!(join(&mut lab, 3), (at(20), 3600), "given back");
}

#[test]
fn a_machine_that_is_written_down_keeps_its_address_from_what_is_at_its_port() {
    let mut lab = lab(true, "mac = \"02:00:00:00:01:09\"");
    assert_eq!(lab.ask(&Ask::renewing(mac(9), at(20), SERVER)).acknowledged(), at(20));
    assert_eq!(lab.ask(&port(Ask::discover(mac(1)))).silence(), Reason::Probing);
    lab.input(&Input::InUse { address: at(20), mac: None });
    assert_eq!(lab.pass(500).offered(), at(100));
    assert_eq!(lab.ask(&Ask::renewing(mac(9), at(20), SERVER)).acknowledged(), at(20));
    // Another one says that it had the address before, or that it was offered it.
    lab.pass(30 * MINUTE);
    for ask in [Ask::init_reboot(mac(1), at(20)), Ask::selecting(mac(1), at(20), SERVER)] {
        assert_eq!(lab.ask(&port(ask)).refusal(), Reason::NotOffered);
    }
    // It is away, and another machine has the address when it comes back.
    assert_eq!(join(&mut lab, 1), (at(20), 3600));
    assert_eq!(lab.ask(&port(Ask::init_reboot(mac(1), at(20)))).acknowledged(), at(20));
    assert_eq!(lab.ask(&Ask::init_reboot(mac(9), at(20))).refusal(), Reason::OtherClient);
}

#[test]
fn while_the_store_fails_a_port_gives_its_address_to_no_other_machine() {
    let mut lab = lab(true, "");
    assert_eq!(join(&mut lab, 1), (at(20), 3600));
    lab.pass(2 * MINUTE);
    lab.commits = false;
    lab.input(&Input::StoreFailing);
    lab.ask(&port(Ask::discover(mac(2))));
    lab.pass(500);
    assert_eq!(lab.ask(&port(Ask::selecting(mac(2), at(20), SERVER))).silence(), Reason::StoreFailing);
    assert_eq!(lab.ask(&Ask::renewing(mac(1), at(20), SERVER)).acknowledged(), at(20), "it is covered");
    assert_eq!(lab.journal.last().unwrap().1.state, State::Bound);
}
