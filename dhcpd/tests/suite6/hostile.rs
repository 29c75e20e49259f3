//! Whatever the octets: one transaction, a well-formed reply or a counted reason, never a panic.

use std::net::{Ipv6Addr, SocketAddrV6};

use dhcpd::core::v6::{IAS_MAX, Message, OPTIONS_MAX, Outcome, Packet, RELAYS_MAX, Reason};
use proptest::prelude::*;

use super::captures::{self, frames};
use super::lab::{INTERFACE, Lab, SERVER, WEB, WEB_HOST, cases_or, everybody};
use super::packet::{Ask, duid_ll, link_local, option, relay, walk};

/// Hears the octets and looks at the reply as a client would.
fn survives(lab: &mut Lab, octets: &[u8], from: Ipv6Addr, to: Ipv6Addr) -> Outcome {
    let answer = lab.hear(octets, from, to);
    match answer.outcome {
        Outcome::Unanswered(_) => assert!(answer.sent.is_empty()),
        _ => {
            let sent = answer.one();
            assert!(sent.octets.len() <= 1452, "{}", sent.octets.len());
            // The walk panics if an option runs over the end.
            let head = if sent.octets[0] == 13 { 34 } else { 4 };
            assert!(walk(&sent.octets[head..]).count() >= 1);
        }
    }
    answer.outcome
}

/// The captured messages as they came, and wrapped by one and by two relay agents.
fn vectors() -> Vec<(String, Vec<u8>)> {
    frames()
        .into_iter()
        .flat_map(|frame| {
            let peer = *frame.from.ip();
            let once = relay(0, "fd77::254", peer, &option(18, b"eth1"), &frame.octets);
            let twice = relay(1, "::", peer, &option(79, &[0, 1, 2, 0, 0, 0, 0, 1]), &once);
            [frame.octets, once, twice].map(|octets| (frame.place.clone(), octets))
        })
        .collect()
}

#[test]
fn each_captured_packet_cut_at_every_octet_is_answered_or_counted() {
    let mut lab = captures::lab();
    for (place, octets) in vectors() {
        for len in 0..octets.len() {
            let outcome = survives(&mut lab, &octets[..len], link_local(WEB), everybody());
            // What is cut within an option is refused whole; between two, something may be missing.
            let cut = matches!(
                outcome,
                Outcome::Unanswered(Reason::Short | Reason::OptionCutShort | Reason::NoRelayedMessage)
            );
            assert_eq!(cut, Message::read(&octets[..len]).is_err(), "{place} cut at {len}: {outcome:?}");
        }
    }
}

#[test]
fn each_captured_packet_with_any_bit_flipped_is_answered_or_counted() {
    let mut lab = captures::lab();
    for (_, mut octets) in vectors() {
        for bit in 0..octets.len() * 8 {
            octets[bit / 8] ^= 1 << (bit % 8);
            survives(&mut lab, &octets, link_local(WEB), everybody());
            octets[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

/// dhcproto's decoder ends the process on this one, by its stack: it is not shown it here.
#[test]
fn identity_associations_nested_thousands_deep_cost_no_stack() {
    let mut inner = Vec::new();
    while inner.len() < 60_000 {
        inner = option(3, &[&[0; 12][..], &inner].concat());
    }
    let octets = Ask::new(1, &duid_ll(WEB)).octets();
    let octets = [octets, inner].concat();
    let mut lab = Lab::new(WEB_HOST);
    let on_a_small_stack = std::thread::Builder::new().stack_size(64 * 1024);
    let outcome = on_a_small_stack
        .spawn(move || survives(&mut lab, &octets, link_local(WEB), everybody()))
        .unwrap()
        .join()
        .unwrap();
    assert!(matches!(outcome, Outcome::Answered(_, Some(_))), "what is in it does not matter: {outcome:?}");
}

#[test]
fn relay_agents_nested_thousands_deep_are_a_counted_reason() {
    let mut octets = Ask::new(1, &duid_ll(WEB)).na(1, &[]).octets();
    let mut outcomes = Vec::new();
    let mut lab = Lab::new(WEB_HOST);
    for hops in 0..=u8::try_from(RELAYS_MAX).unwrap() {
        octets = relay(hops, "2001:db8:77::254", link_local(WEB), &[], &octets);
        outcomes.push(lab.hear(&octets, "2001:db8:77::254".parse().unwrap(), everybody()).outcome);
    }
    let (last, answered) = outcomes.split_last().unwrap();
    assert!(matches!(answered[..20], [Outcome::Answered(..), ..]), "{answered:?}");
    assert_eq!(*last, Outcome::Unanswered(Reason::TooManyRelays));
    while octets.len() < 65_000 {
        octets = relay(255, "::", link_local(WEB), &[], &octets);
    }
    assert_eq!(Message::read(&octets).unwrap_err(), Reason::TooManyRelays);
}

#[test]
fn a_flood_of_options_or_of_identity_associations_is_a_counted_reason() {
    let mut lab = Lab::new(WEB_HOST);
    let mut ask = Ask::new(1, &duid_ll(WEB));
    for id in 0..=IAS_MAX {
        ask = ask.na(u32::try_from(id).unwrap(), &[]);
    }
    assert_eq!(lab.ask(WEB, &ask).silence(), Reason::TooManyOptions);
    let mut ask = Ask::new(1, &duid_ll(WEB));
    for _ in 0..OPTIONS_MAX {
        ask = ask.with(0xfefe, &[]);
    }
    assert_eq!(lab.ask(WEB, &ask).silence(), Reason::TooManyOptions);
}

#[test]
fn a_duid_that_is_none_is_a_counted_reason() {
    let mut lab = Lab::new(WEB_HOST);
    for len in [0, 1, 2, 131, 1000] {
        assert_eq!(lab.ask(WEB, &Ask::new(1, &vec![7; len])).silence(), Reason::BadOption, "{len}");
    }
    for len in [3, 130] {
        lab.ask(WEB, &Ask::new(1, &vec![7; len]).na(1, &[])).address();
    }
}

#[test]
fn nothing_is_sent_to_an_address_that_is_nobodys() {
    let mut lab = Lab::new(WEB_HOST);
    let octets = Ask::new(1, &duid_ll(WEB)).na(1, &[]).octets();
    for from in ["::", "ff02::1", "ff05::1:3"] {
        assert_eq!(lab.hear(&octets, from.parse().unwrap(), everybody()).silence(), Reason::NoSource);
    }
    let from = SocketAddrV6::new(link_local(WEB), 546, 0, INTERFACE);
    let packet = Packet { bytes: octets.into(), interface: 99, from, destination: Some(everybody()) };
    assert_eq!(lab.packet(packet).silence(), Reason::OtherInterface);
}

prop_compose! {
    /// Options that mean something, with data that may mean nothing.
    fn any_option()(
        code in prop::sample::select(vec![1_u16, 2, 3, 4, 5, 6, 8, 9, 13, 14, 16, 18, 25, 26, 37, 39, 43, 79, 135]),
        data in prop::collection::vec(any::<u8>(), 0..40),
        ours: bool,
        lie in -1..2_i32,
    ) -> Vec<u8> {
        let data = if ours && code == 2 { SERVER.to_vec() } else { data };
        let len = i32::try_from(data.len()).unwrap() + lie / 2;
        let len = u16::try_from(len.max(0)).unwrap();
        [&code.to_be_bytes()[..], &len.to_be_bytes(), &data].concat()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases_or(2000)))]

    #[test]
    fn any_octets_are_answered_or_counted(octets in prop::collection::vec(any::<u8>(), 0..700)) {
        survives(&mut Lab::new(WEB_HOST), &octets, link_local(WEB), everybody());
    }

    #[test]
    fn any_options_of_any_message_are_answered_or_counted(
        kind in 0..14_u8,
        options in prop::collection::vec(any_option(), 0..12),
        relays in 0..4_u8,
        unicast: bool,
    ) {
        let mut octets = [&[kind, 1, 2, 3][..], &options.concat()].concat();
        for hops in 0..relays {
            octets = relay(hops, "2001:db8:77::254", link_local(WEB), &options.concat(), &octets);
        }
        let to = if unicast { "2001:db8:77::1".parse().unwrap() } else { everybody() };
        survives(&mut Lab::new(WEB_HOST), &octets, link_local(WEB), to);
    }
}
