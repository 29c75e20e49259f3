//! Packets of real firmware, boot loaders and clients get right answers from an inventory that knows
//! their machines.

use std::net::{Ipv6Addr, SocketAddrV6};

use dhcpd::core::v6::{Kind, Link, Message, Outcome, Reason};

use super::lab::{Answer, Lab, SERVER, SITE, link};
use super::packet::walk;

/// A captured packet.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// File and line, for messages.
    pub(crate) place: String,
    pub(crate) kind: String,
    pub(crate) from: SocketAddrV6,
    pub(crate) to: SocketAddrV6,
    pub(crate) octets: Vec<u8>,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../vectors/", $name, ".txt")))),*] };
}

const FILES: [(&str, &str); 4] =
    files!["client-dhclient6", "client-dhcpcd6", "client-networkd6", "uefi-pxe6-snponly-v6"];

/// The frames of all files, in the order in which they went over the wire.
pub(crate) fn frames() -> Vec<Frame> {
    let lines = FILES.iter().flat_map(|(name, text)| (1..).zip(text.lines()).map(move |line| (name, line)));
    let lines = lines.filter(|(_, (_, line))| !line.starts_with('#'));
    lines
        .map(|(name, (number, line))| {
            let fields: Vec<&str> = line.split(' ').collect();
            let [kind, from, to, hex] = *fields else { panic!("{name}:{number}: four fields") };
            let octets = hex.as_bytes().chunks(2);
            let octets =
                octets.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
            Frame {
                place: format!("{name}:{number}"),
                kind: kind.to_owned(),
                from: from.parse().unwrap(),
                to: to.parse().unwrap(),
                octets: octets.collect(),
            }
        })
        .collect()
}

impl Frame {
    pub(crate) fn is_request(&self) -> bool {
        self.from.port() == 546
    }

    fn option(&self, code: u16) -> Option<Vec<u8>> {
        walk(&self.octets[4..]).find(|(other, _)| *other == code).map(|(_, data)| data.to_vec())
    }

    /// With our DUID in the place of the captured server's.
    fn to_us(&self) -> Vec<u8> {
        let mut octets = self.octets[..4].to_vec();
        for (code, data) in walk(&self.octets[4..]) {
            octets.extend(super::packet::option(code, if code == 2 { SERVER } else { data }));
        }
        octets
    }
}

/// Machines of the captures by their cards, which their link-local addresses tell.
const MACHINES: &str = r#"
[host.dhclient]
network = "lab"
mac = "02:77:00:00:00:02"
ip = "fd77::61"
[host.dhcpcd]
network = "lab"
mac = "02:77:00:00:00:05"
ip = "fd77::64"
[host.networkd]
network = "lab"
mac = "02:77:00:00:00:07"
ip = "fd77::66"
[host.uefi]
network = "lab"
mac = "52:54:00:77:00:16"
ip = "fd77::22"
options6 = { bootfile-url = "tftp://[fd77::1]/snponly.efi" }
"#;

/// A server whose inventory has them all.
pub(crate) fn lab() -> Lab {
    let site = SITE.replace("2001:db8:77::", "fd77::");
    let addresses = vec!["fe80::1".parse().unwrap(), "fd77::1".parse().unwrap()];
    Lab::on(&format!("{site}{MACHINES}"), vec![Link { addresses, ..link() }])
}

fn expected(frame: &Frame) -> Ipv6Addr {
    let address = match frame.place.split(':').next().unwrap() {
        "client-dhclient6" => "fd77::61",
        "client-dhcpcd6" => "fd77::64",
        "client-networkd6" => "fd77::66",
        _ => "fd77::22",
    };
    address.parse().unwrap()
}

fn answer(lab: &mut Lab, frame: &Frame) -> Answer {
    lab.hear(&frame.to_us(), *frame.from.ip(), *frame.to.ip())
}

#[test]
fn there_are_the_messages_of_three_clients_and_of_a_network_boot() {
    let all = frames();
    let count = |kind: &str| all.iter().filter(|frame| frame.kind == kind).count();
    assert_eq!(["solicit", "advertise", "request", "reply", "release"].map(count), [6, 5, 5, 8, 2]);
}

#[test]
fn every_captured_packet_decodes_and_agrees_with_dhcproto() {
    for frame in frames() {
        let message = Message::read(&frame.octets).unwrap();
        let theirs = <dhcproto::v6::Message as dhcproto::Decodable>::from_bytes(&frame.octets).unwrap();
        assert_eq!(message.xid(), theirs.xid(), "{}", frame.place);
        let codes: Vec<u16> = message.options.iter().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), theirs.opts().iter().count(), "{}", frame.place);
        let known = !matches!(message.kind(), Kind::Other(_));
        assert_eq!(known, frame.is_request(), "{}", frame.place);
    }
}

#[test]
fn every_solicit_and_request_gets_the_address_of_its_machine_whatever_its_iaid() {
    let mut lab = lab();
    for frame in frames().iter().filter(|frame| ["solicit", "request"].contains(&&*frame.kind)) {
        let answer = answer(&mut lab, frame);
        assert_eq!(answer.address(), expected(frame), "{}", frame.place);
        let sent = answer.one();
        let rapid = frame.option(14).is_some();
        let kind = if frame.kind == "solicit" && !rapid { 2 } else { 7 };
        assert_eq!(sent.kind(), kind, "{}", frame.place);
        assert_eq!(sent.octets[1..4], frame.octets[1..4], "{}: xid", frame.place);
        assert_eq!(sent.option(1), frame.option(1), "{}", frame.place);
        assert_eq!(sent.option(2).as_deref(), Some(SERVER), "{}", frame.place);
        assert_eq!(sent.option(14).is_some(), rapid, "{}", frame.place);
        let ia = sent.na();
        assert_eq!(ia.id.to_be_bytes(), frame.option(3).unwrap()[..4], "{}", frame.place);
        assert_eq!((ia.timers, ia.addresses[0].2), ((1800, 2880), 3600), "{}", frame.place);
        assert_eq!(answer.way().to, frame.source_on_link(), "{}", frame.place);
    }
}

impl Frame {
    fn source_on_link(&self) -> SocketAddrV6 {
        SocketAddrV6::new(*self.from.ip(), 546, 0, super::lab::INTERFACE)
    }
}

#[test]
fn fact_3_firmware_with_two_identity_associations_is_one_host_in_both() {
    let mut lab = lab();
    let boots = frames().into_iter().filter(|frame| frame.place.starts_with("uefi") && frame.is_request());
    let boots: Vec<Frame> = boots.collect();
    let ids: std::collections::BTreeSet<Vec<u8>> =
        boots.iter().map(|frame| frame.option(3).unwrap()[..4].to_vec()).collect();
    assert_eq!(ids.len(), 3, "two of the firmware, one of iPXE");
    for frame in &boots {
        let answer = answer(&mut lab, frame);
        if frame.kind == "release" {
            assert_eq!((answer.outcome, answer.one().status()), (Outcome::Acknowledged, Some(0)));
        } else {
            assert_eq!(answer.address(), expected(frame), "{}", frame.place);
        }
    }
}

#[test]
fn the_boot_file_is_told_to_who_asks_for_it() {
    let mut lab = lab();
    for frame in frames().iter().filter(|frame| frame.kind == "request") {
        let asked = frame.option(6).unwrap().as_chunks().0.contains(&[0, 59]);
        let url = answer(&mut lab, frame).one().option(59);
        let expected = asked.then(|| b"tftp://[fd77::1]/snponly.efi".to_vec());
        assert_eq!(url, expected, "{}", frame.place);
    }
}

#[test]
fn fact_9_networkd_gets_all_in_two_messages_and_its_name_and_no_prefix() {
    let frames = frames();
    let frame = frames.iter().find(|frame| frame.place.starts_with("client-networkd6")).unwrap();
    let answer = answer(&mut lab(), frame);
    let sent = answer.one();
    assert_eq!(sent.codes(), [1, 2, 14, 3, 25, 23, 39]);
    assert_eq!(sent.option(23).unwrap(), "fd77::1".parse::<Ipv6Addr>().unwrap().octets());
    assert_eq!(sent.option(39).unwrap(), b"\x01\x08networkd\x03lab\x04test\x00");
    let prefixes = sent.option(25).unwrap();
    assert_eq!(prefixes[..4], frame.option(25).unwrap()[..4]);
    assert_eq!(prefixes[12..14], [0, 13], "a status and nothing else");
    assert_eq!(prefixes[16..18], [0, 6], "no prefix available");
}

#[test]
fn a_captured_request_to_another_server_is_left_to_it() {
    let mut lab = lab();
    for frame in frames().iter().filter(|frame| ["request", "release"].contains(&&*frame.kind)) {
        let answer = lab.hear(&frame.octets, *frame.from.ip(), *frame.to.ip());
        assert_eq!(answer.silence(), Reason::OtherServer, "{}", frame.place);
    }
}

#[test]
fn a_client_that_repeats_itself_gets_the_same_answer_again() {
    let mut lab = lab();
    for frame in frames().iter().filter(|frame| frame.is_request()) {
        let first = answer(&mut lab, frame);
        lab.now.monotonic_ms += 250;
        assert_eq!(answer(&mut lab, frame).sent, first.sent, "{}", frame.place);
    }
}
