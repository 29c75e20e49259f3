//! A shell script of which the last line is QEMU's command line.

use inventory_core::model::Firmware;

use super::{Machine, NETWORK_FIRST, text};

const UEFI_CODE: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const UEFI_VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/// Makes what is missing, then starts the machine with its console on the terminal.
pub(super) fn script(machine: &Machine) -> String {
    let mut lines = Vec::new();
    for disk in &machine.disks {
        let path = quoted(&text(&disk.path));
        lines.push(format!("[ -e {path} ] || truncate -s {} {path}", disk.octets));
    }
    if machine.firmware == Firmware::Uefi {
        let path = quoted(&text(&machine.variables()));
        lines.push(format!("[ -e {path} ] || cp {UEFI_VARIABLES} {path}"));
    }
    lines.push(command(machine).join(" "));
    lines.join("\n") + "\n"
}

fn command(machine: &Machine) -> Vec<String> {
    let mut words: Vec<String> = vec!["exec".into(), "qemu-system-x86_64".into()];
    let mut option = |name: &str, value: String| words.extend([format!("-{name}"), quoted(&value)]);
    option("name", escaped(&machine.name));
    option("uuid", machine.uuid.clone());
    option("accel", machine.accel.to_owned());
    option("cpu", "max".to_owned());
    option("smp", machine.cpu.to_string());
    option("m", machine.memory_mib.to_string());
    match machine.firmware {
        Firmware::Bios => option("machine", "pc,graphics=off".to_owned()),
        Firmware::Uefi => {
            option("machine", "q35".to_owned());
            option("drive", format!("if=pflash,format=raw,readonly=on,file={UEFI_CODE}"));
            let variables = escaped(&text(&machine.variables()));
            option("drive", format!("if=pflash,format=raw,file={variables}"));
        }
    }
    for ((number, card), order) in machine.cards.iter().enumerate().zip(NETWORK_FIRST..) {
        option("netdev", format!("bridge,id=net{number},br={}", escaped(&card.bridge)));
        option("device", format!("virtio-net-pci,netdev=net{number},mac={},bootindex={order}", card.mac));
    }
    for ((number, disk), order) in machine.disks.iter().enumerate().zip(machine.first_disk()..) {
        let path = escaped(&text(&disk.path));
        option("drive", format!("if=none,id=disk{number},format=raw,discard=unmap,file={path}"));
        option("device", format!("virtio-blk-pci,drive=disk{number},bootindex={order}"));
    }
    words.push("-nographic".to_owned());
    words
}

/// As QEMU reads values among others: a comma is written twice.
fn escaped(value: &str) -> String {
    value.replace(',', ",,")
}

/// As the shell reads a word.
fn quoted(word: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._/:=,+@%".contains(&octet);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
