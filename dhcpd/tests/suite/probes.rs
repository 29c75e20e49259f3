//! Probes: whether anybody uses an address, asked before it is offered, and who waits for that.

use std::net::Ipv4Addr;

use dhcpd::core::{Changed, Event, Input, Outcome, Probe, Reason};

use super::lab::{Answer, INTERFACE, Lab, SERVER};
use super::packet::Ask;
use super::pools::{POOL, at, mac, site};

#[test]
fn an_address_is_probed_before_it_is_offered_and_the_offer_comes_when_nobody_answers() {
    let mut lab = Lab::of(&site(&POOL.replace("probe = false", "")));
    let asked = lab.ask(&Ask::discover(mac(1)));
    assert_eq!(asked.silence(), Reason::Probing);
    assert_eq!(asked.probes, [Probe { address: at(100), link: Some(INTERFACE) }]);
    // Repeated meanwhile: one probe, and one answer.
    let again = lab.ask(&Ask::discover(mac(1)));
    assert_eq!((again.silence(), again.probes.len()), (Reason::Probing, 0));
    assert_eq!(lab.core.deadline(), Some(lab.now.monotonic_ms + 200));
    assert!(lab.pass(199).sent.is_empty());
    let offer = lab.pass(1);
    assert_eq!(offer.offered(), at(100));
    assert!(!offer.events.contains(&Event::Discover), "it was counted when it came");
    let once_more = lab.ask(&Ask::discover(mac(1)));
    assert_eq!((once_more.offered(), once_more.probes.len()), (at(100), 0));
    lab.ask(&Ask::selecting(mac(1), at(100), SERVER)).acknowledged();
    assert_eq!(lab.ask(&Ask::discover(mac(1))).offered(), at(100), "whoever has it is not probed");
}

#[test]
fn an_address_that_answers_a_probe_is_left_alone_and_the_next_one_is_tried() {
    let mut lab = Lab::of(&site(&POOL.replace("probe = false", "")));
    lab.ask(&Ask::discover(mac(1)));
    let squatter = Input::InUse { address: at(100), mac: Some([2, 0, 0, 0, 9, 9]) };
    let next = lab.input(&squatter);
    assert_eq!(next.changed(), [(at(100), Changed::InUse)]);
    assert_eq!(next.probes, [Probe { address: at(101), link: Some(INTERFACE) }]);
    assert_eq!(lab.pass(200).offered(), at(101));
    assert!(lab.input(&squatter).changes.is_empty(), "an answer that nobody waits for means nothing");
    lab.pass(600_000);
    lab.ask(&Ask::discover(mac(2)).address(50, at(100)));
    assert_eq!(lab.pass(200).offered(), at(100), "not for ever");
}

#[test]
fn a_client_that_answers_the_probe_of_its_old_address_itself_gets_it() {
    let mut lab = Lab::of(&site(&POOL.replace("probe = false", "")));
    lab.ask(&Ask::discover(mac(1)));
    lab.input(&Input::InUse { address: at(100), mac: Some(mac(1)) });
    assert_eq!(lab.pass(200).offered(), at(100));
}

/// Two hosts, of which the second has got the address that the first one uses.
fn moved() -> Lab {
    let mut lab = Lab::of(&hosts(11, 12));
    assert_eq!(lab.join(mac(1)), at(11));
    lab.edit(&hosts(13, 11));
    lab.pass(0);
    lab
}

#[test]
fn an_address_that_a_host_has_got_from_another_one_is_looked_for_before_it_is_offered() {
    let mut lab = moved();
    let answer = lab.ask(&Ask::discover(mac(2)));
    assert_eq!(answer.silence(), Reason::Probing);
    let address = Ipv4Addr::new(10, 77, 0, 11);
    assert_eq!(answer.probes, [Probe { address, link: Some(INTERFACE) }]);
    assert_eq!(lab.pass(200).offered(), address);
    assert_eq!(lab.ask(&Ask::selecting(mac(2), address, SERVER)).acknowledged(), address);
    assert_eq!(lab.ask(&Ask::discover(mac(2))).offered(), address, "once is enough");
    // Whoever keeps its address is not looked for, nor is one that nobody had.
    assert_eq!(lab.ask(&Ask::discover(mac(1))).offered(), Ipv4Addr::new(10, 77, 0, 13));
}

#[test]
fn while_its_old_host_uses_it_the_new_one_gets_an_address_of_the_pool() {
    let mut lab = moved();
    let address = Ipv4Addr::new(10, 77, 0, 11);
    assert_eq!(lab.ask(&Ask::discover(mac(2))).silence(), Reason::Probing);
    let answer = lab.input(&Input::InUse { address, mac: Some(mac(1)) });
    assert_eq!(answer.changed(), [(address, Changed::InUse)]);
    let meanwhile = lab.pass(200).offered();
    assert!(meanwhile.octets()[3] >= 100, "{meanwhile}");
    // The old host renews, and is refused into its new address.
    assert_eq!(lab.ask(&Ask::renewing(mac(1), address, SERVER)).refusal(), Reason::WrongAddress);
    lab.pass(600_000);
    assert_eq!(lab.ask(&Ask::discover(mac(2))).silence(), Reason::Probing, "looked for again");
    assert_eq!(lab.pass(200).offered(), address);
}

#[test]
fn after_the_longest_lease_that_the_old_host_can_have_nobody_is_looked_for() {
    let mut lab = moved();
    lab.pass(3_600_000);
    assert_eq!(lab.ask(&Ask::discover(mac(2))).offered(), Ipv4Addr::new(10, 77, 0, 11));
}

#[test]
fn behind_a_relay_agent_the_probe_is_an_echo() {
    let mut lab = Lab::of(&site(&POOL.replace("probe = false", "")));
    let asked = lab.ask(&Ask::discover(mac(1)).relayed(at(250), SERVER));
    assert_eq!(asked.probes, [Probe { address: at(100), link: None }]);
    assert!(lab.pass(499).sent.is_empty());
    assert_eq!(lab.pass(1).offered(), at(100));
}

/// The lab's two hosts, with these addresses.
fn hosts(web: u8, db: u8) -> String {
    let host = |name: &str, n: u8, ip: u8| {
        format!("[host.{name}]\nnetwork = \"lab\"\nmac = \"02:00:00:00:01:{n:02x}\"\nip = \"10.77.0.{ip}\"\n")
    };
    format!("{}{}{}", site("pool = [\"10.77.0.100-10.77.0.105\"]"), host("web", 1, web), host("db", 2, db))
}

/// The hardware addresses of who was sent something, with the exchange's number and the address.
fn sent(answer: &Answer) -> Vec<(u8, u32, Ipv4Addr)> {
    let sent = answer.sent.iter().map(|sent| {
        let xid = u32::from_be_bytes(sent.octets[4..8].try_into().unwrap());
        (sent.octets[33], xid, sent.yiaddr())
    });
    sent.collect()
}

#[test]
fn a_client_that_repeats_itself_while_its_address_is_probed_has_each_of_its_messages_answered() {
    let mut lab = Lab::of(&site(&POOL.replace("probe = false", "")));
    for xid in 1..=3 {
        let asked = lab.ask(&Ask::discover(mac(1)).xid(xid));
        assert_eq!((asked.silence(), asked.probes.len()), (Reason::Probing, usize::from(xid == 1)));
        assert!(lab.pass(50).sent.is_empty());
    }
    assert_eq!(sent(&lab.pass(50)), [(1, 1, at(100)), (1, 2, at(100)), (1, 3, at(100))]);
}

#[test]
fn what_waits_for_one_probe_is_bounded() {
    let mut lab = Lab::of(&site(&POOL.replace("probe = false", "")));
    for xid in 1..=4 {
        assert_eq!(lab.ask(&Ask::discover(mac(1)).xid(xid)).silence(), Reason::Probing);
    }
    assert_eq!(lab.ask(&Ask::discover(mac(1)).xid(5)).silence(), Reason::Busy);
    assert_eq!(lab.pass(200).sent.len(), 4);
}

#[test]
fn an_edit_that_gives_a_probed_address_to_another_host_leaves_nobody_without_an_answer() {
    let mut lab = moved();
    assert_eq!(lab.ask(&Ask::discover(mac(2))).silence(), Reason::Probing);
    lab.pass(100);
    // The first host gets its address back while it is looked for on behalf of the second.
    lab.edit(&hosts(11, 14));
    assert_eq!(lab.ask(&Ask::discover(mac(1))).silence(), Reason::Probing);
    let over = lab.pass(100);
    assert_eq!(sent(&over).iter().map(|(mac, _, ip)| (*mac, *ip)).collect::<Vec<_>>(), [(2, at(14))]);
    // The probe was asked before the edit: it tells nothing about a machine that had the address until then.
    assert_eq!(over.probes, [Probe { address: at(11), link: Some(INTERFACE) }]);
    assert_eq!(lab.pass(200).offered(), at(11));
}

#[test]
fn an_edit_of_networks_leaves_nobody_who_waits_without_an_answer() {
    let mut lab = moved();
    assert_eq!(lab.ask(&Ask::discover(mac(2))).silence(), Reason::Probing);
    lab.edit(&hosts(13, 11).replace("lease = \"1h\"", "lease = \"2h\""));
    assert_eq!(lab.pass(200).offered(), at(11));
}

#[test]
fn a_pool_that_shrinks_while_its_address_is_probed_gives_another_one() {
    let mut lab = Lab::of(&site("pool = [\"10.77.0.100-10.77.0.105\"]"));
    assert_eq!(lab.ask(&Ask::discover(mac(1))).silence(), Reason::Probing);
    lab.edit(&site("pool = [\"10.77.0.104-10.77.0.105\"]"));
    let over = lab.pass(200);
    assert_eq!(over.outcome, Some(Outcome::Unanswered(Reason::Probing)));
    assert_eq!(lab.pass(200).offered(), at(104));
}

#[test]
fn an_address_that_was_leased_while_it_was_probed_stays_its_clients_whoever_answers() {
    let mut lab = Lab::of(&site(&POOL.replace("probe = false", "")));
    lab.ask(&Ask::discover(mac(1)));
    assert_eq!(lab.pass(200).offered(), at(100));
    lab.ask(&Ask::selecting(mac(1), at(100), SERVER)).acknowledged();
    lab.pass(2 * 3_600_000);
    assert_eq!(lab.ask(&Ask::discover(mac(1))).silence(), Reason::Probing);
    assert_eq!(lab.ask(&Ask::init_reboot(mac(1), at(100))).acknowledged(), at(100));
    let answer = lab.input(&Input::InUse { address: at(100), mac: None });
    assert_eq!((answer.offered(), answer.changes.len()), (at(100), 0));
}
