//! `hostbook vm`: the definition of a virtual machine, from its entry.
//!
//! Nothing is started here and nothing is remembered: the entry is the truth, and the same entry gives the
//! same definition. Memory and processors that the entry does not name are small; a disk is a file below
//! `--images` that is made when it is not there, so that no definition ever empties one.

mod libvirt;
mod qemu;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use inventory_core::mac::MacAddr;
use inventory_core::model::{Firmware, Globals, Host, Nic, is_interface_name};
use sha2::{Digest, Sha256};

use crate::args::{Vm, VmFormat};
use crate::exit::{Failure, Outcome};
use crate::{inventory, output, show};

const CPU_DEFAULT: u32 = 1;
const MEMORY_DEFAULT: u64 = 1 << 30;
/// The first card's place in the order of booting.
const NETWORK_FIRST: u32 = 1;

/// A machine as a hypervisor knows it.
#[derive(Debug)]
struct Machine {
    /// FQDN without the dot at its end.
    name: String,
    uuid: String,
    cpu: u32,
    memory_mib: u64,
    firmware: Firmware,
    cards: Vec<Card>,
    disks: Vec<Disk>,
    images: PathBuf,
    accel: &'static str,
}

#[derive(Debug)]
struct Card {
    mac: MacAddr,
    bridge: String,
}

#[derive(Debug)]
struct Disk {
    path: PathBuf,
    octets: u64,
}

/// Prints the definition of the one host that is meant.
pub(crate) fn run(args: &Vm) -> Outcome {
    let snapshot = inventory::require(&args.inventory.inventory)?;
    let found = show::find(&args.host, &snapshot.inventory)?;
    let [(_, host)] = found.as_slice() else {
        return Err(Failure::new(format!("`{}` means several hosts: write the whole name", args.host)));
    };
    let machine = Machine::of(host, &snapshot.inventory.globals, args)?;
    output::line(
        match args.as_ {
            VmFormat::Qemu => qemu::script(&machine),
            VmFormat::Libvirt => libvirt::domain(&machine),
        }
        .trim_end(),
    );
    Ok(ExitCode::SUCCESS)
}

impl Machine {
    fn of(host: &Host, globals: &Globals, args: &Vm) -> Result<Machine, Failure> {
        let name = host.name.fqdn.to_string().trim_end_matches('.').to_owned();
        let hardware = &host.hardware;
        let images = std::path::absolute(&args.images)?;
        let disks = hardware.disks.iter().map(|disk| Disk {
            path: images.join(format!("{name}-{}.img", file_name(&disk.name))),
            octets: disk.size,
        });
        let cards: Vec<Card> =
            host.nics.iter().filter_map(|nic| card(nic, globals).transpose()).collect::<Result<_, _>>()?;
        if cards.is_empty() {
            let why = format!("no nic of `{name}` has a `mac`, so that a VM of it would be a stranger");
            return Err(Failure::new(format!("{why}; `hostbook set {name} mac=auto` makes one")));
        }
        Ok(Machine {
            uuid: uuid(&name),
            cpu: hardware.cpu.unwrap_or(CPU_DEFAULT),
            memory_mib: hardware.memory.unwrap_or(MEMORY_DEFAULT) >> 20,
            firmware: hardware.firmware.unwrap_or(Firmware::Bios),
            cards,
            disks: disks.collect(),
            images,
            accel: args.accel.word(),
            name,
        })
    }

    /// Cards go first: what is installed and what goes on to its disk is decided by the boot service.
    fn first_disk(&self) -> u32 {
        NETWORK_FIRST + u32::try_from(self.cards.len()).unwrap_or(u32::MAX)
    }

    fn variables(&self) -> PathBuf {
        self.images.join(format!("{}-uefi.fd", self.name))
    }
}

/// `None`: a nic without a hardware address, which no hypervisor can make.
fn card(nic: &Nic, globals: &Globals) -> Result<Option<Card>, Failure> {
    let Some(mac) = nic.mac else { return Ok(None) };
    let network = globals.network(nic.network);
    let bridge = network.bridge.as_deref().unwrap_or(&network.name);
    if !is_interface_name(bridge) {
        let why = format!("`{bridge}` cannot be the name of a bridge");
        return Err(Failure::new(format!("{why}: write `bridge` in `[network.{}]`", network.name)));
    }
    Ok(Some(Card { mac, bridge: bridge.to_owned() }))
}

/// A name for a file, whatever the disk is called.
fn file_name(disk: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    disk.chars().map(plain).collect()
}

/// A UUID that follows from the name (RFC 9562, version 8), so that it is the same at every start.
fn uuid(name: &str) -> String {
    let hash = Sha256::digest(format!("hostbook vm {name}"));
    let mut octets = [0; 16];
    octets.iter_mut().zip(hash).for_each(|(octet, hash)| *octet = hash);
    octets[6] = octets[6] & 0x0f | 0x80;
    octets[8] = octets[8] & 0x3f | 0x80;
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex[part].to_owned());
    parts.join("-")
}

/// A path as text; the images' directory is the operator's, and no path of ours is anything but text.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
