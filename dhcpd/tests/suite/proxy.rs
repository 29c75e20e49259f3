//! ProxyDHCP: what machines are told to boot that another server gives their address.

use std::net::{Ipv4Addr, SocketAddrV4};

use dhcpd::core::{Destination, Input, Link, Outputs, Packet, Reason};

use super::lab::{Answer, INTERFACE, Lab, SERVER, SITE, STRANGER, WEB};
use super::packet::Ask;

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 50);

/// A lab with a boot service in a network with other addresses; `web` is in this state.
fn lab(network: &str, state: &str) -> Lab {
    let site = SITE.replace("lease = \"1h\"\n", &format!("dhcp = \"proxy\"\n{network}\n"));
    let mut lab = Lab::of(&format!(
        "{site}[boot.debian12]\nkernel = \"linux\"\n[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\n\
         boot = \"debian12\"\nstate = \"{state}\"\n"
    ));
    lab.core = std::mem::take(&mut lab.core).with_boot(Some(80));
    let link = Link { index: INTERFACE, addresses: vec![SERVER], mtu: 1500 };
    lab.core.handle(&Input::Links(vec![link]), lab.now, &lab.view, &mut Outputs::default());
    lab
}

fn firmware(kind: u8, mac: [u8; 6], class: &str, architecture: u8) -> Ask {
    Ask::new(kind, mac).option(60, class.as_bytes()).option(93, &[0, architecture]).option(97, &[0; 17])
}

fn at_4011(lab: &mut Lab, ask: &Ask) -> Answer {
    let from = SocketAddrV4::new(CLIENT, 4011);
    let bytes = ask.octets();
    lab.input(&Input::BootPacket(Packet {
        bytes: bytes.as_slice().into(),
        interface: INTERFACE,
        from,
        destination: Some(SERVER),
    }))
}

#[test]
fn firmware_is_offered_its_loader_and_no_address() {
    let mut lab = lab("", "install");
    let sent = lab.ask(&firmware(1, WEB, "PXEClient:Arch:00000", 0)).one().clone();
    assert_eq!((sent.kind(), sent.yiaddr(), sent.siaddr()), (2, Ipv4Addr::UNSPECIFIED, SERVER));
    assert_eq!(sent.option(60).as_deref(), Some(&b"PXEClient"[..]));
    assert_eq!(sent.option(67).as_deref(), Some(&b"undionly.kpxe"[..]));
    assert_eq!(sent.option(43).as_deref(), Some(&[6, 1, 8, 255][..]));
    assert_eq!(sent.option(97), Some(vec![0; 17]));
    assert!(sent.octets[108..].starts_with(b"undionly.kpxe\0"), "many ROMs read nothing else");
    for code in [1, 3, 6, 12, 51, 58, 59] {
        assert_eq!(sent.option(code), None, "option {code} is the other server's");
    }
    assert_eq!(sent.destination, Destination::Broadcast { interface: INTERFACE });
    let http = lab.ask(&firmware(1, WEB, "HTTPClient:Arch:00016", 16)).one().clone();
    assert_eq!(http.option(60).as_deref(), Some(&b"HTTPClient"[..]));
    assert_eq!(http.option(67).as_deref(), Some(&b"http://10.77.0.1/snponly.efi"[..]));
}

#[test]
fn ipxe_is_offered_the_script_of_its_host() {
    let ask = firmware(1, WEB, "PXEClient:Arch:00000", 0).option(77, b"iPXE");
    let sent = lab("", "install").ask(&ask).one().clone();
    let url = "http://10.77.0.1/hostbook/web.lab.test/boot.ipxe";
    assert_eq!(sent.option(67).as_deref(), Some(url.as_bytes()));
    assert_eq!(sent.option(60).as_deref(), Some(&b"PXEClient"[..]), "iPXE takes no other for ProxyDHCP");
}

#[test]
fn whoever_asks_again_at_port_4011_is_told_again_from_there() {
    let mut lab = lab("", "install");
    let ask = firmware(3, WEB, "PXEClient:Arch:00007", 7).ciaddr(CLIENT);
    let sent = at_4011(&mut lab, &ask).one().clone();
    assert_eq!((sent.kind(), sent.yiaddr(), sent.siaddr()), (5, Ipv4Addr::UNSPECIFIED, SERVER));
    assert_eq!(sent.option(67).as_deref(), Some(&b"snponly.efi"[..]));
    let to = Destination::Boot { interface: INTERFACE, address: CLIENT, port: 4011 };
    assert_eq!(sent.destination, to);
    assert_eq!(lab.ask(&ask).silence(), Reason::DhcpOff, "at port 67 that is the other server's");
}

#[test]
fn nobody_is_told_anything_who_boots_nothing() {
    let pxe = |mac| firmware(1, mac, "PXEClient:Arch:00000", 0);
    assert_eq!(lab("", "install").ask(&Ask::discover(WEB)).silence(), Reason::DhcpOff, "an operating system");
    assert_eq!(lab("", "install").ask(&pxe(STRANGER)).silence(), Reason::UnknownMachine);
    assert_eq!(lab("", "active").ask(&pxe(WEB)).silence(), Reason::DhcpOff, "it starts from its disk");
    assert_eq!(lab("", "retired").ask(&pxe(WEB)).silence(), Reason::NotServed);
    let mut open = lab("unknown = \"boot:debian12\"", "install");
    assert_eq!(open.ask(&pxe(STRANGER)).one().option(67).as_deref(), Some(&b"undionly.kpxe"[..]));
    let mut far = lab("", "install");
    let ask = firmware(3, WEB, "PXEClient:Arch:00007", 7).ciaddr([192, 0, 2, 9]);
    assert_eq!(at_4011(&mut far, &ask).silence(), Reason::NoNetwork);
}

#[test]
fn leases_are_left_to_the_other_server() {
    let mut lab = lab("pool = \"10.77.0.100-10.77.0.110\"", "install");
    let asks = [
        Ask::selecting(WEB, CLIENT, Ipv4Addr::new(10, 77, 0, 9)),
        Ask::init_reboot(WEB, CLIENT),
        Ask::rebinding(WEB, CLIENT),
        Ask::init_reboot(STRANGER, CLIENT),
        Ask::discover(STRANGER),
    ];
    for ask in asks {
        lab.ask(&ask).silence();
    }
}
