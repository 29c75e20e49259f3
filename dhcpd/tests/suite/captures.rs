//! Packets of real firmware, boot loaders and clients get right answers from an inventory that knows
//! their machines.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use dhcpd::core::{Destination, Message, Outcome};
use inventory_core::mac::MacAddr;

use super::lab::{INTERFACE, Lab, SERVER};
use super::packet::{Ask, Sent};
use super::vectors::{self, Frame};

/// Machines of all captures, with the addresses that they got when they were captured.
pub(crate) fn machines() -> BTreeMap<[u8; 6], Ipv4Addr> {
    let frames = vectors::all().flat_map(|(_, frames)| frames);
    let replies = frames.filter(|frame| !frame.is_request());
    replies.map(|frame| (frame.mac(), yiaddr(&frame.octets))).collect()
}

fn yiaddr(octets: &[u8]) -> Ipv4Addr {
    let octets: [u8; 4] = octets[16..20].try_into().unwrap();
    octets.into()
}

/// A server whose inventory has them all.
pub(crate) fn lab() -> Lab {
    let hosts = (1..).zip(machines()).map(|(number, (mac, address))| {
        let mac = MacAddr(mac);
        format!("[host.m{number}]\nnetwork = \"boot\"\nmac = \"{mac}\"\nip = \"{address}\"\n")
    });
    let site = r#"
[site]
nameservers = ["ns1.lab.test"]
contact = "hostmaster@lab.test"
[zone."lab.test"]
[network.boot]
zone = "lab.test"
ipv4 = "10.77.0.0/24"
gateway = "10.77.0.1"
dns = ["10.77.0.1"]
lease = "1h"
options = { ntp-servers = ["10.77.0.3"], domain-search = ["lab.test", "test"], interface-mtu = 1400, tftp-server-name = "10.77.0.1", bootfile-name = "undionly.kpxe" }
[host.ns1]
network = "boot"
ip = "10.77.0.1"
"#;
    Lab::of(&(site.to_owned() + &hosts.collect::<String>()))
}

fn each_request(mut check: impl FnMut(&mut Lab, &Frame)) {
    let mut lab = lab();
    for (_, frames) in vectors::all() {
        for frame in frames.iter().filter(|frame| frame.is_request()) {
            check(&mut lab, frame);
        }
    }
}

fn answer(lab: &mut Lab, frame: &Frame) -> (Sent, Outcome) {
    let answer = lab.hear(&frame.octets, INTERFACE, frame.from, *frame.to.ip());
    (answer.one().clone(), answer.outcome.unwrap())
}

#[test]
fn there_are_discovers_and_requests_of_twelve_boots_and_clients() {
    let all: Vec<Frame> = vectors::all().flat_map(|(_, frames)| frames).collect();
    let count = |kind: &str| all.iter().filter(|frame| frame.kind == kind).count();
    assert_eq!([count("discover"), count("offer"), count("request"), count("ack")], [24, 24, 17, 17]);
    assert_eq!(all.len(), 82, "of other types there are none");
}

#[test]
fn every_captured_packet_decodes_and_agrees_with_dhcproto() {
    for (_, frames) in vectors::all() {
        for frame in frames {
            let mut octets = frame.octets.clone();
            octets[0] = 1; // The server's own are read as well: their options are as good as any.
            let message =
                Message::read(&octets).unwrap_or_else(|reason| panic!("{}: {reason:?}", frame.place));
            assert!(!message.options.are_cut_short(), "{}", frame.place);
            assert_eq!(message.mac(), Some(MacAddr(frame.mac())), "{}", frame.place);
            let theirs = <dhcproto::v4::Message as dhcproto::Decodable>::from_bytes(&octets).unwrap();
            assert_eq!(message.xid(), theirs.xid(), "{}", frame.place);
            for code in 1..=254 {
                let known = theirs.opts().get(code.into()).is_some();
                assert_eq!(message.options.has(code), known, "{}: option {code}", frame.place);
                assert_eq!(message.options.get(code).as_deref(), frame.option(code).as_deref());
            }
        }
    }
}

#[test]
fn every_discover_and_request_gets_the_address_of_its_machine() {
    let machines = machines();
    each_request(|lab, frame| {
        let (sent, outcome) = answer(lab, frame);
        let address = machines[&frame.mac()];
        assert_eq!(sent.yiaddr(), address, "{}", frame.place);
        let network = lab.view.networks().next().unwrap().id;
        let (kind, expected) = match &*frame.kind {
            "discover" if frame.option(80).is_some() => (5, Outcome::Acknowledged(network, address)),
            "discover" => (2, Outcome::Offered(network, address)),
            _ => (5, Outcome::Acknowledged(network, address)),
        };
        assert_eq!((sent.kind(), outcome), (kind, expected), "{}", frame.place);
        assert_eq!((sent.address(54), sent.source), (Some(SERVER), SERVER), "{}", frame.place);
        assert_eq!([51, 58, 59].map(|code| sent.number(code)), [Some(3600), Some(1800), Some(3150)]);
        assert_eq!(sent.address(1), Some(Ipv4Addr::new(255, 255, 255, 0)));
        assert_eq!(sent.octets[4..8], frame.octets[4..8], "{}: xid", frame.place);
        assert_eq!(sent.octets[28..44], frame.octets[28..44], "{}: chaddr", frame.place);
        assert_eq!((sent.ciaddr(), sent.siaddr(), sent.giaddr()), (0.into(), SERVER, 0.into()));
    });
}

#[test]
fn answers_go_the_way_that_the_captured_ones_took() {
    for (name, frames) in vectors::all() {
        let mut lab = lab();
        let replies: BTreeMap<_, _> = frames
            .iter()
            .filter(|frame| !frame.is_request())
            .map(|frame| (&frame.octets[4..8], frame))
            .collect();
        for frame in frames.iter().filter(|frame| frame.is_request()) {
            let (sent, _) = answer(&mut lab, frame);
            let took = *replies[&frame.octets[4..8]].to.ip();
            let expected = if took == Ipv4Addr::BROADCAST {
                Destination::Broadcast { interface: INTERFACE }
            } else {
                Destination::Link { interface: INTERFACE, mac: MacAddr(frame.mac()), address: took }
            };
            assert_eq!(sent.destination, expected, "{name}: {}", frame.place);
        }
    }
}

#[test]
fn options_come_in_the_order_of_the_parameter_request_list_and_no_others_do() {
    let has = [3, 6, 12, 15, 26, 28, 42, 66, 67, 119];
    each_request(|lab, frame| {
        let (sent, _) = answer(lab, frame);
        let asked = frame.option(55).unwrap();
        let mut expected = vec![53, 54];
        expected.extend(frame.option(80).map(|_| 80));
        expected.extend([51, 58, 59, 1]);
        expected.extend(asked.iter().filter(|code| has.contains(code)));
        expected.extend(frame.option(61).map(|_| 61));
        assert_eq!(sent.codes(), expected, "{}", frame.place);
        assert_eq!(sent.option(61), frame.option(61), "{}", frame.place);
        assert!(asked.iter().filter(|code| has.contains(code)).count() >= 4, "{}", frame.place);
    });
}

#[test]
fn answers_fit_into_what_the_client_takes() {
    each_request(|lab, frame| {
        let (sent, _) = answer(lab, frame);
        let takes = frame.option(57).map_or(576, |data| u16::from_be_bytes([data[0], data[1]]));
        assert!(sent.octets.len() + 28 <= usize::from(takes.min(1500)), "{}", frame.place);
    });
}

#[test]
fn fact_5_a_client_that_repeats_itself_gets_the_same_answer_again() {
    each_request(|lab, frame| {
        let first = answer(lab, frame);
        lab.now.monotonic_ms += 250;
        assert_eq!(answer(lab, frame), first, "{}", frame.place);
    });
    // The ROM of `bios-rom-ipxe` sent its request twice, 250 ms apart, with other seconds since boot.
    let frames = vectors::file("bios-rom-ipxe");
    let requests: Vec<&Frame> = frames.iter().filter(|frame| frame.kind == "request").collect();
    let mut lab = lab();
    let [first, second] = [0, 1].map(|n| answer(&mut lab, requests[n]));
    assert_eq!(first, second);
}

#[test]
fn fact_1_firmware_boot_loader_and_system_of_one_machine_are_one_host_by_its_card() {
    // Option 61: absent in OVMF, 01 and the MAC in iPXE; a DUID in dhcpcd.
    for name in ["uefi-pxe4-snponly", "uefi-pxe4-ipxe-efi", "uefi-http4-snponly"] {
        let frames = vectors::file(name);
        let requests: Vec<&Frame> = frames.iter().filter(|frame| frame.is_request()).collect();
        let ids: Vec<_> = requests.iter().map(|frame| frame.option(61)).collect();
        assert!(ids.contains(&None) && ids.iter().any(Option::is_some), "{name}");
        let mut lab = lab();
        let addresses: Vec<_> = requests.iter().map(|frame| answer(&mut lab, frame).0.yiaddr()).collect();
        assert!(addresses.windows(2).all(|pair| pair[0] == pair[1]), "{name}: {addresses:?}");
    }
    let dhcpcd = vectors::file("client-dhcpcd4");
    assert_eq!(dhcpcd[0].option(61).unwrap()[0], 255);
    assert_eq!(answer(&mut lab(), &dhcpcd[0]).0.yiaddr(), machines()[&dhcpcd[0].mac()]);
}

#[test]
fn fact_4_a_request_that_claims_to_take_65280_octets_gets_no_more_than_the_mtu() {
    let frames = vectors::file("uefi-pxe4-snponly");
    let request = frames.iter().find(|frame| frame.kind == "request").unwrap();
    assert_eq!(request.option(57), Some(vec![0xff, 0x00]));
    let text = format!("text:{}", "x".repeat(255));
    let long: Vec<_> = (224..232).map(|code| format!("{code} = {text:?}")).collect();
    let hosts = format!(
        "[host.big]\nnetwork = \"lab\"\nmac = \"{}\"\nip = \"10.77.0.77\"\noptions = {{ {} }}\n",
        MacAddr(request.mac()),
        long.join(", ")
    );
    let mut lab = Lab::new(&hosts);
    let asks = Ask::init_reboot(request.mac(), [10, 77, 0, 77])
        .option(55, &[224, 225, 226, 227, 228, 229, 230, 231]);
    for claim in [1472_u16, 1500, 9000, 0xff00, 0xffff] {
        let sent = lab.ask(&asks.clone().option(57, &claim.to_be_bytes())).one().clone();
        assert!(sent.octets.len() + 28 <= usize::from(claim.min(1500)), "{claim}");
        assert!(sent.octets.len() > 1000, "{claim}");
    }
}

#[test]
fn fact_9_dhcpcd_gets_its_address_at_once_by_rapid_commit() {
    let frames = vectors::file("client-dhcpcd4");
    let discover = &frames[0];
    assert_eq!((discover.option(80), discover.option(145)), (Some(vec![]), Some(vec![1])));
    let (sent, outcome) = answer(&mut lab(), discover);
    assert!(matches!(outcome, Outcome::Acknowledged(..)), "{outcome:?}");
    assert_eq!((sent.kind(), sent.option(80)), (5, Some(vec![])));
    // Whoever is to have an address from the pool is offered one first.
    let mut lab = Lab::of(
        "[site]\nnameservers = [\"ns.lab.test\"]\n[zone.\"lab.test\"]\n[network.lab]\n\
         zone = \"lab.test\"\nipv4 = \"10.77.0.0/24\"\npool = \"10.77.0.100-10.77.0.110\"\nprobe = false\n",
    );
    let sent = lab.ask(&Ask::discover(super::lab::STRANGER).option(80, &[])).one().clone();
    assert_eq!((sent.kind(), sent.option(80)), (2, None));
}

#[test]
fn fact_6_option_77_of_ipxe_has_no_inner_lengths_and_is_read_as_it_is() {
    let frames = vectors::file("bios-rom-ipxe");
    let message = Message::read(&frames[0].octets).unwrap();
    assert_eq!(message.options.get(77).as_deref(), Some(&b"iPXE"[..]));
}
