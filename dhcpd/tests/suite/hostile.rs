//! Whatever the octets: one transaction, a well-formed reply or a counted reason, never a panic.

use std::net::{Ipv4Addr, SocketAddrV4};

use dhcpd::core::{Destination, FIXED_OCTETS, Outcome, Reason};
use proptest::prelude::*;

use super::captures;
use super::lab::{INTERFACE, Lab, SERVER, WEB, WEB_HOST, cases_or};
use super::packet::{Ask, COOKIE};
use super::vectors;

/// Hears the octets and looks at the reply as a client would.
fn survives(lab: &mut Lab, octets: &[u8], from: SocketAddrV4, to: Ipv4Addr) -> Outcome {
    let answer = lab.hear(octets, INTERFACE, from, to);
    match answer.outcome.unwrap() {
        Outcome::Unanswered(_) => assert!(answer.sent.is_empty()),
        _ => {
            let sent = answer.one();
            assert!(!sent.parts().is_empty());
            assert!(sent.octets.len() <= 1472);
            assert_eq!(sent.octets[4..8], octets[4..8], "xid");
            if let Destination::Link { mac, .. } = sent.destination {
                assert_eq!(mac.0, octets[28..34]);
            }
        }
    }
    answer.outcome.unwrap()
}

#[test]
fn each_captured_request_cut_at_every_octet_is_answered_or_counted() {
    let mut lab = captures::lab();
    for (_, frames) in vectors::all() {
        for frame in frames {
            for len in 0..frame.octets.len() {
                let outcome = survives(&mut lab, &frame.octets[..len], frame.from, *frame.to.ip());
                if len < FIXED_OCTETS {
                    assert_eq!(outcome, Outcome::Unanswered(Reason::Short), "{} cut at {len}", frame.place);
                }
            }
        }
    }
}

#[test]
fn each_captured_request_with_any_bit_flipped_is_answered_or_counted() {
    let mut lab = captures::lab();
    for (_, frames) in vectors::all() {
        for frame in frames {
            let mut octets = frame.octets.clone();
            for bit in 0..octets.len() * 8 {
                octets[bit / 8] ^= 1 << (bit % 8);
                survives(&mut lab, &octets, frame.from, *frame.to.ip());
                octets[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}

#[test]
fn a_hardware_address_that_claims_more_octets_than_the_field_has_is_a_counted_reason() {
    let mut lab = Lab::new(WEB_HOST);
    for hlen in 17..=255 {
        // One such packet ends a server that trusts dhcproto's `chaddr`, borrowed or not.
        for octets in [Ask::discover(WEB).at(2, &[hlen]).octets(), minimal(hlen)] {
            assert_eq!(lab.octets(&octets).silence(), Reason::HardwareAddress, "{hlen}");
        }
    }
}

/// Fixed fields and cookie, no options: the shortest packet that dhcproto takes.
fn minimal(hlen: u8) -> Vec<u8> {
    let mut octets = vec![0; FIXED_OCTETS];
    octets[..3].copy_from_slice(&[1, 1, hlen]);
    octets[236..].copy_from_slice(&COOKIE);
    octets
}

#[test]
fn a_host_name_that_is_no_text_does_not_hide_the_options_after_it() {
    let mut lab = Lab::new(WEB_HOST);
    // Option 12 before all others, with octets that are no UTF-8.
    let mut octets = minimal(6);
    octets[28..34].copy_from_slice(&WEB);
    octets.extend([
        12, 3, 0xff, 0xfe, 0xc0, 53, 1, 3, 50, 4, 10, 77, 0, 11, 61, 2, 7, 7, 82, 4, 1, 2, 8, 8, 255,
    ]);
    let answer = lab.octets(&octets);
    assert_eq!(answer.acknowledged(), Ipv4Addr::new(10, 77, 0, 11));
    assert_eq!(answer.one().option(61), Some(vec![7, 7]));
    assert_eq!(answer.one().option(82), Some(vec![1, 2, 8, 8]));
}

#[test]
fn parts_of_an_option_that_do_not_touch_are_one_option() {
    let mut lab = Lab::new(WEB_HOST);
    let ask = Ask::new(3, WEB).option(50, &[10, 77]).option(55, &[1, 3]).option(50, &[0, 11]);
    assert_eq!(lab.ask(&ask).acknowledged(), Ipv4Addr::new(10, 77, 0, 11));
}

#[test]
fn options_in_the_file_and_server_name_fields_count_where_option_52_says_so() {
    let mut lab = Lab::new(WEB_HOST);
    // The requested address stands in `sname`, the client identifier in `file`.
    let fields = |overload: u8| {
        let ask = Ask::new(3, WEB).option(52, &[overload]);
        ask.at(44, &[50, 4, 10, 77, 0, 11, 255]).at(108, &[61, 3, 9, 8, 7, 255])
    };
    assert_eq!(lab.ask(&fields(0)).silence(), Reason::NoAddressNamed);
    assert_eq!(lab.ask(&fields(1)).silence(), Reason::NoAddressNamed);
    let both = lab.ask(&fields(3));
    assert_eq!(both.acknowledged(), Ipv4Addr::new(10, 77, 0, 11));
    assert_eq!(both.one().option(61), Some(vec![9, 8, 7]));
    assert_eq!(lab.ask(&fields(2)).one().option(61), None);
}

#[test]
fn a_packet_without_the_cookie_is_no_dhcp() {
    let mut octets = Ask::discover(WEB).octets();
    for at in 236..240 {
        octets[at] ^= 1;
        assert_eq!(Lab::new(WEB_HOST).octets(&octets).silence(), Reason::NoCookie);
        octets[at] ^= 1;
    }
}

#[test]
fn replies_offers_and_types_of_servers_are_not_answered() {
    let mut lab = Lab::new(WEB_HOST);
    for kind in [0, 2, 5, 6, 9, 13, 255] {
        assert_eq!(lab.ask(&Ask::new(kind, WEB)).silence(), Reason::MessageType, "{kind}");
    }
    assert_eq!(lab.ask(&Ask::discover(WEB).at(0, &[2])).silence(), Reason::NotARequest);
    assert_eq!(lab.ask(&Ask::discover(WEB).at(0, &[0])).silence(), Reason::NotARequest);
}

#[test]
fn addresses_of_the_wrong_length_are_a_counted_reason() {
    let mut lab = Lab::new(WEB_HOST);
    for data in [&[][..], &[10], &[10, 77, 0], &[10, 77, 0, 11, 0]] {
        let request = Ask::new(3, WEB).option(50, data);
        assert_eq!(lab.ask(&request).silence(), Reason::BadOption, "{data:?}");
        let request = Ask::init_reboot(WEB, [10, 77, 0, 11]).option(54, data);
        assert_eq!(lab.ask(&request).silence(), Reason::BadOption, "{data:?}");
    }
}

#[test]
fn a_hardware_address_for_many_is_never_sent_to() {
    // A broadcast or group address as the client's own would make the server shout.
    let text = "[host.any]\nnetwork = \"lab\"\nclient-id = \"0x0707\"\nip = \"10.77.0.12\"\n";
    let mut lab = Lab::new(text);
    for mac in [[0xff; 6], [1, 0, 0x5e, 0, 0, 1], [0; 6]] {
        let sent = lab.ask(&Ask::discover(mac).option(61, &[7, 7])).one().clone();
        assert_eq!(sent.destination, Destination::Broadcast { interface: INTERFACE });
    }
}

prop_compose! {
    /// Options that mean something, with data that may mean nothing.
    fn option()(
        code in prop::sample::select(vec![0, 12, 43, 50, 51, 52, 53, 54, 55, 57, 60, 61, 77, 81, 82, 93, 97, 118, 255]),
        data in prop::collection::vec(any::<u8>(), 0..12),
        lie in -2..3_i16,
    ) -> Vec<u8> {
        let len = i16::try_from(data.len()).unwrap().saturating_add(lie.signum() * (lie.abs() / 2)).max(0);
        let mut octets = vec![code, u8::try_from(len).unwrap()];
        octets.extend(data);
        octets
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases_or(2000)))]

    #[test]
    fn any_octets_are_answered_or_counted(
        octets in prop::collection::vec(any::<u8>(), 0..700),
        unicast: bool,
    ) {
        let to = if unicast { SERVER } else { Ipv4Addr::BROADCAST };
        survives(&mut Lab::new(WEB_HOST), &octets, SocketAddrV4::new(0.into(), 68), to);
    }

    #[test]
    fn any_options_behind_good_fields_are_answered_or_counted(
        kind in 0..10_u8,
        fields in any::<[[u8; 4]; 2]>(),
        sane in any::<[bool; 2]>(),
        options in prop::collection::vec(option(), 0..12),
        unicast: bool,
    ) {
        let mut octets = minimal(6);
        octets[28..34].copy_from_slice(&WEB);
        let place = |sane, field| if sane { [10, 77, 0, 11] } else { field };
        octets[12..16].copy_from_slice(&place(sane[0], fields[0]));
        octets[24..28].copy_from_slice(&if sane[1] { [0; 4] } else { fields[1] });
        octets.extend([53, 1, kind]);
        octets.extend(options.concat());
        let to = if unicast { SERVER } else { Ipv4Addr::BROADCAST };
        survives(&mut Lab::new(WEB_HOST), &octets, SocketAddrV4::new(0.into(), 68), to);
    }
}
