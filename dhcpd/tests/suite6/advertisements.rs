//! Router advertisements: what they say, when, and to whom.

use std::net::Ipv6Addr;

use dhcpd::core::Now;
use dhcpd::core::ra::{Announcement, Announcer, Link, Solicitation};
use dhcpd::view::DhcpView;

use super::lab::{INTERFACE, SITE, view_of};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 0xfe];

fn view(ra: &str) -> DhcpView {
    view_of(&SITE.replace("lease =", &format!("{ra}\nlease =")))
}

fn link() -> Link {
    let addresses = vec!["fe80::1".parse().unwrap(), "2001:db8:77::1".parse().unwrap()];
    Link { index: INTERFACE, addresses, mac: Some(MAC), forwards: false }
}

fn at(seconds: u64) -> Now {
    Now { monotonic_ms: seconds * 1000, unix_ms: 0 }
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// What is announced of this at once.
fn first(ra: &str, link: Link) -> Vec<u8> {
    let mut out = Vec::new();
    let mut announcer = Announcer::new(1);
    announcer.follow(&[link], &view(ra), at(0), &mut out);
    announcer.pass(at(0), &mut out);
    let [one] = &*out else { panic!("{out:?}") };
    assert_eq!((one.interface, one.from, one.to), (INTERFACE, ip("fe80::1"), ip("ff02::1")));
    one.octets.clone()
}

/// The options behind the fixed fields: type and the octets behind type and length.
fn options(octets: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (mut rest, mut all) = (&octets[16..], Vec::new());
    while let [kind, length, ..] = *rest {
        let (option, after) = rest.split_at(usize::from(length) * 8);
        all.push((kind, option[2..].to_vec()));
        rest = after;
    }
    all
}

fn option(octets: &[u8], kind: u8) -> Option<Vec<u8>> {
    options(octets).into_iter().find(|(other, _)| *other == kind).map(|(_, data)| data)
}

#[test]
fn nothing_is_announced_unless_the_network_says_so() {
    for ra in ["", "ra = false"] {
        let (mut announcer, mut out) = (Announcer::new(1), Vec::new());
        announcer.follow(&[link()], &view(ra), at(0), &mut out);
        announcer.pass(at(0), &mut out);
        assert_eq!((out.len(), announcer.deadline(), announcer.count()), (0, None, 0));
        assert!(!announcer.hear(solicitation("fe80::9"), at(1)));
    }
}

#[test]
fn flags_prefix_resolvers_and_domains_follow_from_the_network() {
    let octets = first("ra = true", link());
    assert_eq!(octets[..8], [134, 0, 0, 0, 64, 0xc0, 0, 0], "managed and other, and no default router");
    assert_eq!(option(&octets, 1), Some(MAC.to_vec()));
    let prefix = option(&octets, 3).unwrap();
    assert_eq!(prefix[..10], [64, 0xc0, 0, 1, 0x51, 0x80, 0, 0, 0x38, 0x40], "on link, autonomous");
    assert_eq!(prefix[14..], ip("2001:db8:77::").octets());
    let resolvers = option(&octets, 25).unwrap();
    assert_eq!(resolvers, [&[0, 0, 0, 0, 7, 8][..], &ip("2001:db8:77::1").octets()].concat());
    assert_eq!(option(&octets, 31).unwrap()[..15], *b"\0\0\0\0\x07\x08\x03lab\x04test");
    assert_eq!(options(&octets).iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [1, 3, 25, 31]);
    let quiet = first("dhcp = false\nra = true", link());
    assert_eq!(quiet[5], 0, "no DHCP is offered");
    let router = first("ra = true", Link { forwards: true, ..link() });
    assert_eq!(router[6..8], [7, 8], "it forwards: a default router for half an hour");
}

#[test]
fn a_table_says_lifetime_mtu_slaac_and_nat64_and_options_a_captive_portal() {
    let octets = first(
        "ra = { lifetime = \"90s\", mtu = 1492, slaac = false, pref64 = \"64:ff9b::/96\" }\n\
         options6 = { captive-portal = \"https://lab.test/\" }",
        link(),
    );
    assert_eq!(octets[6..8], [0, 90]);
    assert_eq!(option(&octets, 5), Some(vec![0, 0, 0, 0, 5, 0xd4]));
    assert_eq!(option(&octets, 3).unwrap()[1], 0x80, "not autonomous");
    assert_eq!(option(&octets, 37).unwrap()[..17], *b"https://lab.test/");
    let pref64 = option(&octets, 38).unwrap();
    assert_eq!(u16::from_be_bytes([pref64[0], pref64[1]]), (1800 / 8) << 3, "length 96 is number 0");
    assert_eq!(pref64[2..], ip("64:ff9b::").octets()[..12]);
}

fn solicitation(from: &str) -> Solicitation<'static> {
    Solicitation { octets: &[133, 0, 0, 0, 0, 0, 0, 0], hop_limit: 255, interface: INTERFACE, from: ip(from) }
}

/// A server that has announced itself at the time 0.
fn announced() -> Announcer {
    let (mut announcer, mut out) = (Announcer::new(7), Vec::new());
    announcer.follow(&[link()], &view("ra = true"), at(0), &mut out);
    announcer.pass(at(0), &mut out);
    assert_eq!(out.len(), 1);
    announcer
}

/// Everything that is sent until `seconds`, with its time in milliseconds.
fn until(announcer: &mut Announcer, seconds: u64) -> Vec<(u64, Announcement)> {
    let mut sent = Vec::new();
    while let Some(due) = announcer.deadline().filter(|due| *due <= seconds * 1000) {
        let mut out = Vec::new();
        announcer.pass(Now { monotonic_ms: due, unix_ms: 0 }, &mut out);
        assert!(!out.is_empty());
        sent.extend(out.into_iter().map(|one| (due, one)));
    }
    sent
}

#[test]
fn the_first_ones_come_soon_and_then_one_in_some_minutes() {
    let times: Vec<u64> = until(&mut announced(), 3600).into_iter().map(|(due, _)| due).collect();
    assert_eq!(times[..2], [16_000, 32_000]);
    let gaps: Vec<u64> = times.windows(2).skip(1).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (200_000..600_000).contains(gap)), "{gaps:?}");
    assert!(gaps.len() >= 5 && gaps[0] != gaps[1]);
}

#[test]
fn a_machine_that_asks_is_answered_alone_within_half_a_second_and_once() {
    let mut announcer = announced();
    for _ in 0..3 {
        assert!(announcer.hear(solicitation("fe80::9"), at(5)));
    }
    let sent = until(&mut announcer, 15);
    let [(due, one)] = &*sent else { panic!("{sent:?}") };
    assert!((5_000..=5_500).contains(due));
    assert_eq!(one.to, ip("fe80::9"));
}

#[test]
fn a_machine_without_an_address_and_a_flood_are_answered_to_all_and_never_more_often_than_in_three_seconds() {
    let mut announcer = announced();
    for n in 0..5000_u64 {
        let from = Ipv6Addr::from(0xfe80_u128 << 112 | u128::from(n + 2));
        let flood = Solicitation { from, ..solicitation("::") };
        assert!(announcer.hear(flood, Now { monotonic_ms: 1000 + n / 5, unix_ms: 0 }));
        assert!(announcer.hear(solicitation("::"), Now { monotonic_ms: 1000 + n / 5, unix_ms: 0 }));
    }
    let sent = until(&mut announcer, 10);
    let to_all: Vec<u64> =
        sent.iter().filter(|(_, one)| one.to.is_multicast()).map(|(due, _)| *due).collect();
    assert_eq!((to_all.len(), sent.len()), (1, 17), "sixteen alone, the others at once");
    assert!(to_all[0] >= 3_000);
}

#[test]
fn what_is_no_solicitation_of_this_link_is_not_heeded() {
    let mut announcer = announced();
    let ask = solicitation("fe80::9");
    let odd: [Solicitation<'_>; 8] = [
        Solicitation { hop_limit: 254, ..ask },
        Solicitation { interface: 9, ..ask },
        Solicitation { octets: &[134, 0, 0, 0, 0, 0, 0, 0], ..ask },
        Solicitation { octets: &[133, 1, 0, 0, 0, 0, 0, 0], ..ask },
        Solicitation { octets: &[133, 0, 0, 0, 0, 0, 0], ..ask },
        Solicitation { octets: &[133, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], ..ask },
        Solicitation { octets: &[133, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0], ..ask },
        Solicitation { octets: &[133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 9], ..solicitation("::") },
    ];
    for one in odd {
        assert!(!announcer.hear(one, at(5)), "{one:?}");
    }
    let whole = Solicitation { octets: &[133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 9], ..ask };
    assert!(announcer.hear(whole, at(5)));
}

#[test]
fn an_edit_is_announced_at_once_and_the_end_is_said() {
    let mut announcer = announced();
    let mut out = Vec::new();
    announcer.follow(&[link()], &view("ra = true"), at(60), &mut out);
    assert_eq!((out.len(), announcer.deadline()), (0, Some(16_000)), "nothing has changed");
    announcer.follow(&[link()], &view("ra = { mtu = 1400 }"), at(60), &mut out);
    announcer.pass(at(60), &mut out);
    assert_eq!(out.len(), 1);
    assert!(option(&out[0].octets, 5).is_some());
    out.clear();
    announcer.follow(&[link()], &view(""), at(70), &mut out);
    let [farewell] = &*out else { panic!("{out:?}") };
    assert_eq!(farewell.octets[..16], [134, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((options(&farewell.octets).len(), announcer.deadline()), (1, None));
}

#[test]
fn an_interface_without_a_link_local_address_sends_nothing_yet() {
    let mut announcer = Announcer::new(1);
    let bare = Link { addresses: vec![ip("2001:db8:77::1")], ..link() };
    let mut out = Vec::new();
    announcer.follow(&[bare], &view("ra = true"), at(0), &mut out);
    announcer.pass(at(0), &mut out);
    assert_eq!(out, []);
    announcer.follow(&[link()], &view("ra = true"), at(1), &mut out);
    announcer.pass(at(4), &mut out);
    assert_eq!(out.len(), 1);
}
