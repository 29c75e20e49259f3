//! What machines that boot are told, packet by packet as real firmware sent them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use dhcpd::core::Message;
use inventory_core::mac::MacAddr;

use super::captures::machines;
use super::lab::{INTERFACE, Lab, SERVER};
use super::packet::{Ask, Sent};
use super::vectors::{self, Frame};

/// A machine of no capture.
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 0x42];

/// The inventory in which every captured machine is a host of its own with these lines.
fn inventory(network: &str, host: &str) -> String {
    let machines = machines().into_iter().chain([(OTHER, Ipv4Addr::new(10, 77, 0, 240))]);
    let hosts = (1..).zip(machines).map(|(number, (mac, address))| {
        let mac = MacAddr(mac);
        format!("[host.m{number}]\nnetwork = \"lab\"\nmac = \"{mac}\"\nip = \"{address}\"\n{host}\n")
    });
    format!(
        "[site]\nnameservers = [\"ns1.lab.test\"]\n[zone.\"lab.test\"]\n[network.lab]\nzone = \"lab.test\"\n\
         ipv4 = \"10.77.0.0/24\"\n{network}\n[host.ns1]\nnetwork = \"lab\"\nip = \"10.77.0.1\"\n\
         [boot.debian12]\nkernel = \"debian12/linux\"\n{}",
        hosts.collect::<String>()
    )
}

fn lab(network: &str, host: &str, port: Option<u16>) -> Lab {
    let mut lab = Lab::of(&inventory(network, host));
    lab.core = std::mem::take(&mut lab.core).with_boot(port);
    let link = dhcpd::core::Link { index: INTERFACE, addresses: vec![SERVER], mtu: 1500 };
    let mut out = dhcpd::core::Outputs::default();
    lab.core.handle(&dhcpd::core::Input::Links(vec![link]), lab.now, &lab.view, &mut out);
    lab
}

fn install() -> Lab {
    lab("", "state = \"install\"\nboot = \"debian12\"", Some(80))
}

fn answer(lab: &mut Lab, frame: &Frame) -> Sent {
    lab.hear(&frame.octets, INTERFACE, frame.from, *frame.to.ip()).one().clone()
}

/// The requests of a captured boot, with what the machine was told.
fn boot(lab: &mut Lab, name: &str) -> Vec<(Frame, Sent)> {
    let frames = vectors::file(name);
    let requests = frames.into_iter().filter(Frame::is_request);
    requests.map(|frame| (answer(lab, &frame).clone(), frame)).map(|(sent, frame)| (frame, sent)).collect()
}

fn text(sent: &Sent, code: u8) -> Option<String> {
    sent.option(code).map(|data| String::from_utf8(data).unwrap())
}

/// The field `file`.
fn file(sent: &Sent) -> String {
    let field = &sent.octets[108..236];
    String::from_utf8(field.split(|octet| *octet == 0).next().unwrap().to_vec()).unwrap()
}

fn is_ipxe(frame: &Frame) -> bool {
    frame.option(77).as_deref() == Some(b"iPXE")
}

/// What a boot was told to load, stage by stage.
fn stages(name: &str) -> Vec<String> {
    let mut lab = install();
    let mut all: Vec<String> =
        boot(&mut lab, name).iter().map(|(_, sent)| text(sent, 67).unwrap_or_default()).collect();
    all.dedup();
    all
}

fn script(name: &str) -> String {
    let mac = vectors::file(name)[0].mac();
    let inventory = inventory("", "");
    let mac = MacAddr(mac).to_string();
    let host = inventory.split("[host.").find(|host| host.contains(&mac)).unwrap();
    let host = host.split(']').next().unwrap();
    format!("http://10.77.0.1/hostbook/{host}.lab.test/boot.ipxe")
}

#[test]
fn a_bios_rom_that_is_ipxe_gets_the_script_of_its_host() {
    assert_eq!(stages("bios-rom-ipxe"), [script("bios-rom-ipxe")]);
    assert_eq!(stages("bios-rom-e1000"), [script("bios-rom-e1000")]);
}

#[test]
fn uefi_firmware_gets_ipxe_by_tftp_and_that_the_script() {
    for name in ["uefi-pxe4-snponly", "uefi-pxe4-ipxe-efi"] {
        assert_eq!(stages(name), ["snponly.efi".to_owned(), script(name)], "{name}");
    }
    assert_eq!(stages("arm64-pxe4"), ["snponly-arm64.efi"]);
}

#[test]
fn a_rom_reads_the_next_server_and_the_file_from_the_fields_too() {
    for (frame, sent) in boot(&mut install(), "uefi-pxe4-snponly") {
        if is_ipxe(&frame) {
            assert_eq!(file(&sent), "", "a URL is no file of TFTP");
        } else {
            assert_eq!((sent.siaddr(), &*file(&sent)), (SERVER, "snponly.efi"));
            assert_eq!(text(&sent, 66).as_deref(), Some("10.77.0.1"));
            assert_eq!(sent.option(97), frame.option(97), "the machine's UUID comes back");
        }
    }
}

#[test]
fn a_plain_pxe_rom_of_a_bios_gets_undionly() {
    let mut lab = install();
    for class in ["PXEClient:Arch:00000:UNDI:002001", "PXEClient"] {
        let ask = Ask::discover(OTHER).option(60, class.as_bytes()).option(55, &[1, 3, 66, 67, 150]);
        let sent = lab.ask(&ask).one().clone();
        assert_eq!((text(&sent, 67).as_deref(), &*file(&sent)), (Some("undionly.kpxe"), "undionly.kpxe"));
        assert_eq!(sent.option(150).as_deref(), Some(&[10, 77, 0, 1][..]));
        assert_eq!(sent.option(60), None);
    }
}

#[test]
fn fact_7_after_snponly_the_vendor_class_stays_the_firmwares_and_the_user_class_tells_ipxe() {
    let seen = boot(&mut install(), "uefi-pxe4-snponly");
    let later: Vec<_> = seen.iter().filter(|(frame, _)| is_ipxe(frame)).collect();
    assert!(!later.is_empty());
    for (frame, sent) in later {
        assert_eq!(frame.option(60).as_deref(), Some(&b"PXEClient:Arch:00007:UNDI:003010"[..]));
        assert_eq!(frame.option(93), Some(vec![0, 7]));
        assert_eq!(text(sent, 67), Some(script("uefi-pxe4-snponly")), "not the loader once more");
    }
    // The ROM and undionly send the same, so both get the script at once.
    let (rom, chained) = (vectors::file("bios-rom-ipxe"), vectors::file("bios-undionly"));
    assert_eq!(rom[0].option(175), chained[0].option(175));
    assert_eq!(stages("bios-undionly"), [script("bios-undionly")]);
}

#[test]
fn fact_8_uefi_http_boot_gets_a_url_and_its_vendor_class_back() {
    let seen = boot(&mut install(), "uefi-http4-snponly");
    let (firmware, ipxe): (Vec<_>, Vec<_>) = seen.iter().partition(|(frame, _)| !is_ipxe(frame));
    assert!(!firmware.is_empty() && !ipxe.is_empty());
    for (frame, sent) in firmware {
        assert!(!frame.option(55).unwrap().contains(&66), "it asks for no TFTP server");
        assert_eq!(text(sent, 60).as_deref(), Some("HTTPClient"), "whether asked for or not");
        assert_eq!(text(sent, 67).as_deref(), Some("http://10.77.0.1/snponly.efi"));
        assert_eq!((file(sent), sent.option(66)), (String::new(), None));
    }
    for (_, sent) in ipxe {
        assert_eq!(text(sent, 67), Some(script("uefi-http4-snponly")));
        assert_eq!(sent.option(60), None);
    }
}

#[test]
fn ipxe_is_told_not_to_wait_for_a_proxy() {
    for (frame, sent) in boot(&mut install(), "bios-rom-ipxe") {
        assert!(frame.option(55).unwrap().contains(&175));
        assert_eq!(sent.option(175).as_deref(), Some(&[0xb0, 1, 1][..]));
    }
}

#[test]
fn an_active_host_has_no_boot_file_for_firmware_and_a_script_for_ipxe() {
    let mut lab = lab("", "boot = \"debian12\"", Some(80));
    for (frame, sent) in boot(&mut lab, "uefi-pxe4-snponly") {
        let expected = is_ipxe(&frame).then(|| script("uefi-pxe4-snponly"));
        assert_eq!(text(&sent, 67), expected);
        assert_eq!((sent.option(66), file(&sent)), (None, String::new()));
    }
}

#[test]
fn a_host_that_always_boots_from_the_network_is_told_so_while_it_is_active() {
    let mut lab = lab("", "boot = \"debian12\"\nnetboot = \"always\"", Some(80));
    let first = &boot(&mut lab, "uefi-pxe4-snponly")[0].1;
    assert_eq!(text(first, 67).as_deref(), Some("snponly.efi"));
}

#[test]
fn nobody_is_told_of_a_boot_service_that_is_not_there_or_of_a_profile_that_it_does_not_have() {
    let install = "state = \"install\"\nboot = \"debian12\"";
    for mut lab in [lab("", install, None), lab("", "", Some(80))] {
        for (name, frames) in vectors::all() {
            for frame in frames.iter().filter(|frame| frame.is_request()) {
                let sent = answer(&mut lab, frame);
                let has: Vec<u8> = [60, 66, 67, 97, 150, 175]
                    .into_iter()
                    .filter(|code| sent.option(*code).is_some())
                    .collect();
                assert_eq!((has, sent.siaddr(), file(&sent)), (vec![], 0.into(), String::new()), "{name}");
            }
        }
    }
}

#[test]
fn an_operating_system_is_told_nothing_of_booting() {
    let mut lab = install();
    for name in ["client-dhclient4", "client-dhcpcd4", "client-networkd4", "client-udhcpc4"] {
        for (_, sent) in boot(&mut lab, name) {
            assert_eq!(
                (sent.option(67), sent.siaddr(), file(&sent)),
                (None, 0.into(), String::new()),
                "{name}"
            );
        }
    }
}

#[test]
fn a_boot_server_elsewhere_and_another_port_are_said() {
    let install = "state = \"install\"\nboot = \"debian12\"";
    let mut lab = lab("boot-server = \"10.77.0.9\"", install, Some(8080));
    let seen = boot(&mut lab, "uefi-pxe4-snponly");
    assert_eq!(seen[0].1.siaddr(), Ipv4Addr::new(10, 77, 0, 9));
    let url = text(&seen.last().unwrap().1, 67).unwrap();
    assert!(url.starts_with("http://10.77.0.9:8080/hostbook/"), "{url}");
}

#[test]
fn what_an_operator_writes_goes_before_what_is_worked_out() {
    let install = "state = \"install\"\nboot = \"debian12\"";
    let options = "options = { bootfile-name = \"own.efi\", tftp-server-name = \"10.77.0.8\" }";
    for (network, host) in [(options, install.to_owned()), ("", format!("{install}\n{options}"))] {
        let mut lab = lab(network, &host, Some(80));
        for (_, sent) in boot(&mut lab, "uefi-pxe4-snponly") {
            assert_eq!(text(&sent, 67).as_deref(), Some("own.efi"));
            assert_eq!((sent.siaddr(), &*file(&sent)), ([10, 77, 0, 8].into(), "own.efi"), "for ROMs");
        }
    }
    // A URL is no file of TFTP, and a name is no address.
    let options = "options = { bootfile-name = \"http://boot/x\", tftp-server-name = \"boot\" }";
    let mut lab = lab(options, install, Some(80));
    for (_, sent) in boot(&mut lab, "uefi-pxe4-snponly") {
        assert_eq!((sent.siaddr(), &*file(&sent)), (0.into(), ""));
    }
}

#[test]
fn fact_5_the_answers_of_one_stage_are_the_same_each_time() {
    for (name, _) in vectors::all() {
        let (first, second) = (boot(&mut install(), name), boot(&mut install(), name));
        for ((frame, one), (_, other)) in first.iter().zip(&second) {
            assert_eq!(one, other, "{}", frame.place);
        }
        let mut by_stage: BTreeMap<(bool, Vec<u8>), Vec<String>> = BTreeMap::new();
        for (frame, sent) in &first {
            let stage = (is_ipxe(frame), frame.option(60).unwrap_or_default());
            by_stage.entry(stage).or_default().push(text(sent, 67).unwrap_or_default());
        }
        for (stage, told) in by_stage {
            assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{name} {stage:?}: {told:?}");
        }
    }
}

/// Facts of real boots, table.
#[test]
fn real_firmware_says_what_the_table_of_facts_says() {
    let first = |name: &str| vectors::file(name).into_iter().find(Frame::is_request).unwrap();
    for (name, architecture, class) in [
        ("bios-rom-ipxe", 0, "PXEClient:Arch:00000:UNDI:002001"),
        ("uefi-pxe4-snponly", 7, "PXEClient:Arch:00007:UNDI:003000"),
        ("uefi-http4-snponly", 16, "HTTPClient:Arch:00016:UNDI:003000"),
        ("arm64-pxe4", 11, "PXEClient:Arch:00011:UNDI:003000"),
    ] {
        let frame = first(name);
        assert_eq!(frame.option(93), Some(vec![0, architecture]), "{name}");
        assert_eq!(frame.option(60).as_deref(), Some(class.as_bytes()), "{name}");
        assert_eq!(frame.option(97).map(|uuid| uuid.len()), Some(17), "{name}");
        let message = Message::read(&frame.octets).unwrap();
        assert_eq!(message.wants_broadcast(), name != "bios-rom-ipxe", "{name}");
    }
}

#[test]
fn each_request_of_a_booting_machine_cut_or_changed_anywhere_is_answered_or_counted() {
    let mut lab = install();
    for name in ["bios-rom-ipxe", "uefi-pxe4-snponly", "uefi-http4-snponly", "arm64-pxe4"] {
        for frame in vectors::file(name).iter().filter(|frame| frame.is_request()) {
            for at in 0..frame.octets.len() {
                lab.hear(&frame.octets[..at], INTERFACE, frame.from, *frame.to.ip());
                for flip in [1, 0x80, 0xff] {
                    let mut octets = frame.octets.clone();
                    octets[at] ^= flip;
                    for sent in lab.hear(&octets, INTERFACE, frame.from, *frame.to.ip()).sent {
                        assert!(sent.octets.len() <= 1472, "{}", frame.place);
                    }
                }
            }
        }
    }
}

#[test]
fn a_loader_that_takes_little_gets_its_boot_file_before_all_else() {
    let long: Vec<_> = (224..240).map(|code| format!("{code} = \"text:{}\"", "x".repeat(200))).collect();
    let network = format!("options = {{ {} }}", long.join(", "));
    let mut lab = lab(&network, "state = \"install\"\nboot = \"debian12\"", Some(80));
    let asked: Vec<u8> = (224..240).chain([67, 66, 43]).collect();
    let ask = Ask::discover(OTHER)
        .option(60, b"PXEClient:Arch:00007:UNDI:003000")
        .option(93, &[0, 7])
        .option(57, &576_u16.to_be_bytes())
        .option(55, &asked);
    let sent = lab.ask(&ask).one().clone();
    assert!(sent.octets.len() + 28 <= 576);
    assert_eq!(text(&sent, 67).as_deref(), Some("snponly.efi"));
}
