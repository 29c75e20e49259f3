//! A domain for `virsh define`: <https://libvirt.org/formatdomain.html>.

use std::fmt::Write as _;

use inventory_core::model::Firmware;

use super::{Machine, NETWORK_FIRST, text};

/// The domain's XML. Its disks are sparse files that must be there: `truncate -s SIZE PATH`.
pub(super) fn domain(machine: &Machine) -> String {
    let kind = if machine.accel == "tcg" { "qemu" } else { "kvm" };
    let (os, chipset) = match machine.firmware {
        Firmware::Bios => ("<os>", "pc"),
        Firmware::Uefi => ("<os firmware='efi'>", "q35"),
    };
    let mut xml = format!("<domain type='{kind}'>\n");
    let _ = writeln!(xml, "  <name>{}</name>", escaped(&machine.name));
    let _ = writeln!(xml, "  <uuid>{}</uuid>", machine.uuid);
    let _ = writeln!(xml, "  <memory unit='MiB'>{}</memory>", machine.memory_mib);
    let _ = writeln!(xml, "  <vcpu>{}</vcpu>", machine.cpu);
    let _ = writeln!(xml, "  {os}<type arch='x86_64' machine='{chipset}'>hvm</type></os>");
    xml.push_str("  <features><acpi/><apic/></features>\n");
    let _ = writeln!(xml, "  <cpu mode='{}'/>", if kind == "kvm" { "host-passthrough" } else { "maximum" });
    xml.push_str("  <devices>\n");
    for (card, order) in machine.cards.iter().zip(NETWORK_FIRST..) {
        let _ = writeln!(xml, "    <interface type='bridge'>");
        let _ = writeln!(xml, "      <mac address='{}'/>", card.mac);
        let _ = writeln!(xml, "      <source bridge='{}'/>", escaped(&card.bridge));
        let _ =
            writeln!(xml, "      <model type='virtio'/>\n      <boot order='{order}'/>\n    </interface>");
    }
    for ((disk, order), letter) in machine.disks.iter().zip(machine.first_disk()..).zip('a'..='z') {
        let _ = writeln!(xml, "    <disk type='file' device='disk'>");
        let _ = writeln!(xml, "      <driver name='qemu' type='raw' discard='unmap'/>");
        let _ = writeln!(xml, "      <source file='{}'/>", escaped(&text(&disk.path)));
        let _ = writeln!(xml, "      <target dev='vd{letter}' bus='virtio'/>");
        let _ = writeln!(xml, "      <boot order='{order}'/>\n    </disk>");
    }
    xml.push_str("    <serial type='pty'/>\n    <console type='pty'/>\n");
    xml.push_str("    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\n");
    xml.push_str("  </devices>\n</domain>\n");
    xml
}

fn escaped(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;")
}
