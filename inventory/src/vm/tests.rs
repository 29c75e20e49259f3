use super::*;

fn machine(firmware: Firmware) -> Machine {
    Machine {
        name: "web1.lab.example.org".to_owned(),
        uuid: uuid("web1.lab.example.org"),
        cpu: 4,
        memory_mib: 8192,
        firmware,
        cards: vec![Card { mac: MacAddr([0x52, 0x54, 0, 0xaa, 0, 0x11]), bridge: "br-servers".to_owned() }],
        disks: vec![Disk { path: "/images/a b,c.img".into(), octets: 40 << 30 }],
        images: "/images".into(),
        accel: "kvm",
    }
}

#[test]
fn qemus_last_line_has_all_of_the_entry_and_boots_from_the_network_first() {
    let script = qemu::script(&machine(Firmware::Bios));
    let lines: Vec<&str> = script.lines().collect();
    assert_eq!(lines[0], "[ -e '/images/a b,c.img' ] || truncate -s 42949672960 '/images/a b,c.img'");
    for words in [
        "exec qemu-system-x86_64 -name web1.lab.example.org ",
        " -smp 4 -m 8192 -machine pc,graphics=off ",
        " -netdev bridge,id=net0,br=br-servers ",
        " -device virtio-net-pci,netdev=net0,mac=52:54:00:aa:00:11,bootindex=1 ",
        " -drive 'if=none,id=disk0,format=raw,discard=unmap,file=/images/a b,,c.img' ",
        " -device virtio-blk-pci,drive=disk0,bootindex=2 ",
    ] {
        assert!(lines[1].contains(words), "{words}: {}", lines[1]);
    }
    assert_eq!(lines.len(), 2);
}

#[test]
fn uefi_has_variables_of_its_own_that_are_made_once() {
    let script = qemu::script(&machine(Firmware::Uefi));
    let own = "/images/web1.lab.example.org-uefi.fd";
    assert!(script.contains(&format!("[ -e {own} ] || cp /usr/share/OVMF/OVMF_VARS_4M.fd {own}\n")));
    assert!(script.contains(&format!(" -drive if=pflash,format=raw,file={own} ")), "{script}");
    let xml = libvirt::domain(&machine(Firmware::Uefi));
    assert!(xml.contains("<os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type></os>"), "{xml}");
}

#[test]
fn a_machine_has_the_same_uuid_at_every_start_and_no_other_has_it() {
    assert_eq!(uuid("web1.lab.example.org"), uuid("web1.lab.example.org"));
    assert_ne!(uuid("web1.lab.example.org"), uuid("web2.lab.example.org"));
    let uuid = uuid("web1.lab.example.org");
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "8"));
    assert!("89ab".contains(&uuid[19..20]), "{uuid}");
}

#[test]
fn names_in_a_definition_are_text_whatever_they_hold() {
    let mut machine = machine(Firmware::Bios);
    machine.disks[0].path = "/images/it's <1> & 2".into();
    assert!(qemu::script(&machine).starts_with("[ -e '/images/it'\\''s <1> & 2' ]"));
    assert!(libvirt::domain(&machine).contains("file='/images/it&apos;s &lt;1> &amp; 2'"));
    assert_eq!(file_name("../root disk"), "___root_disk");
}
