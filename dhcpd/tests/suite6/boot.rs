//! Network boot by IPv6: each stage is told the URL of the next (RFC 5970).

use std::net::Ipv6Addr;

use dhcpd::core::v6::{Link, Packet};

use super::captures::{Frame, frames};
use super::lab::{INTERFACE, Lab, SITE, STRANGER, WEB, link};
use super::packet::{Ask, Sent, duid_ll, link_local};

const PROFILE: &str = "[boot.debian12]\nkernel = \"debian12/linux\"\n";
const X64: u8 = 7;
const HTTP_X64: u8 = 16;

fn lab(network: &str, host: &str) -> Lab {
    let site = SITE.replace("lease = \"1h\"\n", &format!("lease = \"1h\"\n{network}\n"));
    let web = format!("[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\n{host}\n");
    let mut lab = Lab::on(&format!("{site}{web}{PROFILE}"), vec![link()]);
    lab.core = dhcpd::core::v6::Core::new(super::lab::SERVER).with_boot(Some(80));
    lab.give(&dhcpd::core::v6::Input::Links(vec![link()]));
    lab
}

fn install() -> Lab {
    lab("", "ip = \"2001:db8:77::11\"\nstate = \"install\"\nboot = \"debian12\"")
}

/// As firmware says it: enterprise, then items that have their length before them.
fn vendor_class(text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).unwrap();
    [&[0, 0, 1, 0x57][..], &len.to_be_bytes(), text.as_bytes()].concat()
}

fn firmware(mac: [u8; 6], class: &str, architecture: u8) -> Ask {
    let ask = Ask::new(1, &duid_ll(mac)).na(1, &[]).oro(&[59, 60, 23, 16]);
    ask.with(61, &[0, architecture]).with(16, &vendor_class(class))
}

fn ipxe(mac: [u8; 6]) -> Ask {
    firmware(mac, "PXEClient:Arch:00007:UNDI:003010", X64).with(15, b"\0\x04iPXE")
}

fn url(sent: &Sent) -> Option<String> {
    sent.option(59).map(|data| String::from_utf8(data).unwrap())
}

fn told(lab: &mut Lab, mac: [u8; 6], ask: &Ask) -> Option<String> {
    url(lab.ask(mac, ask).one())
}

#[test]
fn firmware_is_sent_to_ipxe_and_ipxe_to_the_script_of_its_host() {
    let mut lab = install();
    let pxe = firmware(WEB, "PXEClient:Arch:00007:UNDI:003000", X64);
    assert_eq!(told(&mut lab, WEB, &pxe).unwrap(), "tftp://[2001:db8:77::1]/snponly.efi");
    assert_eq!(
        told(&mut lab, WEB, &ipxe(WEB)).unwrap(),
        "http://[2001:db8:77::1]/hostbook/web.lab.test/boot.ipxe"
    );
}

#[test]
fn firmware_that_boots_by_http_finds_the_vendor_class_that_it_waits_for() {
    let http = firmware(WEB, "HTTPClient:Arch:00016:UNDI:003000", HTTP_X64);
    let answer = install().ask(WEB, &http);
    assert_eq!(url(answer.one()).unwrap(), "http://[2001:db8:77::1]/snponly.efi");
    assert_eq!(answer.one().option(16).unwrap(), b"\0\0\x01\x57\0\x0aHTTPClient");
    let pxe = firmware(WEB, "PXEClient:Arch:00007:UNDI:003000", X64);
    assert_eq!(install().ask(WEB, &pxe).one().option(16), None);
}

#[test]
fn who_does_not_ask_and_who_boots_nothing_is_told_nothing() {
    let silent = Ask::new(1, &duid_ll(WEB)).na(1, &[]).oro(&[23]).with(61, &[0, X64]);
    assert_eq!(told(&mut install(), WEB, &silent.with(16, &vendor_class("PXEClient"))), None);
    let system = Ask::new(1, &duid_ll(WEB)).na(1, &[]).oro(&[23, 59]);
    assert_eq!(told(&mut install(), WEB, &system), None);
    let mut other = lab("", "ip = \"2001:db8:77::11\"");
    assert_eq!(told(&mut other, WEB, &ipxe(WEB)), None, "it has no boot profile");
}

#[test]
fn an_active_host_boots_from_its_disk_and_its_script_says_so() {
    let mut lab = lab("", "ip = \"2001:db8:77::11\"\nboot = \"debian12\"");
    let pxe = firmware(WEB, "PXEClient:Arch:00007:UNDI:003000", X64);
    assert_eq!(told(&mut lab, WEB, &pxe), None);
    assert!(told(&mut lab, WEB, &ipxe(WEB)).unwrap().ends_with("/hostbook/web.lab.test/boot.ipxe"));
}

#[test]
fn a_host_with_an_ipv4_address_alone_boots_by_ipv4() {
    let network = "pool = [\"2001:db8:77::100-2001:db8:77::1ff\"]";
    let mut both = lab(network, "ip = \"10.77.0.11\"\nstate = \"install\"\nboot = \"debian12\"");
    assert_eq!(told(&mut both, WEB, &ipxe(WEB)), None, "the boot service would not know it");
    let mut none = lab(network, "state = \"install\"\nboot = \"debian12\"");
    assert!(told(&mut none, WEB, &ipxe(WEB)).is_some(), "it has whatever address it is given");
}

#[test]
fn machines_that_nobody_has_written_down_boot_the_networks_profile() {
    let network = "pool = [\"2001:db8:77::100-2001:db8:77::1ff\"]\nunknown = \"boot:debian12\"";
    let mut lab = lab(network, "ip = \"2001:db8:77::11\"");
    let http = told(&mut lab, STRANGER, &ipxe(STRANGER)).unwrap();
    assert_eq!(http, "http://[2001:db8:77::1]/hostbook/-/lab/boot.ipxe");
}

#[test]
fn a_boot_server_elsewhere_and_another_port_are_said() {
    let network = "boot-server = [\"10.77.0.9\", \"2001:db8:77::9\"]";
    let host = "ip = \"2001:db8:77::11\"\nstate = \"install\"\nboot = \"debian12\"";
    let mut lab = lab(network, host);
    lab.core = dhcpd::core::v6::Core::new(super::lab::SERVER).with_boot(Some(8080));
    lab.give(&dhcpd::core::v6::Input::Links(vec![link()]));
    let pxe = firmware(WEB, "PXEClient:Arch:00007:UNDI:003000", X64);
    assert_eq!(told(&mut lab, WEB, &pxe).unwrap(), "tftp://[2001:db8:77::9]/snponly.efi");
    let script = told(&mut lab, WEB, &ipxe(WEB)).unwrap();
    assert!(script.starts_with("http://[2001:db8:77::9]:8080/hostbook/"), "{script}");
}

#[test]
fn what_an_operator_writes_goes_before_what_is_worked_out() {
    let option =
        "options6 = { bootfile-url = \"http://[2001:db8::5]/own\", bootfile-param = [\"a=1\", \"b\"] }";
    let host = "ip = \"2001:db8:77::11\"\nstate = \"install\"\nboot = \"debian12\"";
    for (network, host) in [(option, host.to_owned()), ("", format!("{host}\n{option}"))] {
        let answer = lab(network, &host).ask(WEB, &ipxe(WEB));
        assert_eq!(url(answer.one()).unwrap(), "http://[2001:db8::5]/own");
        assert_eq!(answer.one().option(60).unwrap(), b"\0\x03a=1\0\x01b");
    }
}

/// Where a relay agent has sent to, the client comes as well.
#[test]
fn the_server_is_said_by_an_address_that_the_client_can_reach() {
    let link =
        Link { addresses: vec!["fe80::1".parse().unwrap(), "2001:db8:1::1".parse().unwrap()], ..link() };
    let mut lab = install();
    lab.give(&dhcpd::core::v6::Input::Links(vec![link]));
    let own: Ipv6Addr = "2001:db8:1::1".parse().unwrap();
    let agent: Ipv6Addr = "2001:db8:77::fe".parse().unwrap();
    let octets = super::packet::relay(0, "2001:db8:77::fe", link_local(WEB), &[], &ipxe(WEB).octets());
    for destination in [own, "ff05::1:3".parse().unwrap()] {
        let from = std::net::SocketAddrV6::new(agent, 547, 0, 0);
        let packet = Packet {
            bytes: octets.as_slice().into(),
            interface: INTERFACE,
            from,
            destination: Some(destination),
        };
        let answer = lab.packet(packet);
        let said = url(&answer.one().relayed().inner).unwrap();
        assert_eq!(said, "http://[2001:db8:1::1]/hostbook/web.lab.test/boot.ipxe");
    }
}

/// OVMF's own messages, then iPXE's: BOOT-FACTS, fact 3 (two identity associations in one boot).
#[test]
fn a_captured_boot_is_led_from_firmware_to_the_script() {
    let site = SITE.replace("2001:db8:77::", "fd77::");
    let host = "[host.uefi]\nnetwork = \"lab\"\nmac = \"52:54:00:77:00:16\"\nip = \"fd77::22\"\n\
                state = \"install\"\nboot = \"debian12\"\n";
    let addresses = vec!["fe80::1".parse().unwrap(), "fd77::1".parse().unwrap()];
    let links = vec![Link { addresses, ..link() }];
    let mut lab = Lab::on(&format!("{site}{host}{PROFILE}"), links.clone());
    lab.core = dhcpd::core::v6::Core::new(super::lab::SERVER).with_boot(Some(80));
    lab.give(&dhcpd::core::v6::Input::Links(links));
    let boots = |frame: &&Frame| {
        frame.place.starts_with("uefi-pxe6") && frame.is_request() && frame.kind == "solicit"
    };
    let urls: Vec<Option<String>> = frames()
        .iter()
        .filter(boots)
        .map(|frame| url(lab.hear(&frame.octets, *frame.from.ip(), *frame.to.ip()).one()))
        .collect();
    let script = "http://[fd77::1]/hostbook/uefi.lab.test/boot.ipxe";
    assert_eq!(
        urls.iter().map(Option::as_deref).collect::<Vec<_>>(),
        [None, Some("tftp://[fd77::1]/snponly.efi"), Some(script)]
    );
}
