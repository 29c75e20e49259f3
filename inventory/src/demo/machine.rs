//! A machine for the demo: QEMU's, with a network card whose ROM is iPXE and a disk that says so.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::lab::{Lab, sh, wait_for};
use crate::exit::Failure;

/// What the disk says when it is booted.
pub(super) const FROM_DISK: &str = "this is the disk of the machine";
const QEMU: &str = "qemu-system-x86_64";
/// Where Debian's `ipxe-qemu` has the ROM.
const ROM: &str = "/usr/lib/ipxe/qemu/pxe-virtio.rom";
/// What its firmware calls it.
const UUID: &str = "4c4c4544-0042-4810-8034-b7c04f303332";
const TAP: &str = "vm0";

/// A machine that can be switched on.
pub(super) struct Machine {
    mac: &'static str,
    disk: PathBuf,
    console: PathBuf,
}

/// A machine that is on; it is switched off with the value.
pub(super) struct Running {
    child: Child,
    console: PathBuf,
}

/// What is missing for a machine, as one installs it; `None` if nothing is.
pub(super) fn missing() -> Option<&'static str> {
    let has_qemu = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(QEMU).is_file()));
    let is_there =
        has_qemu && fs::exists(ROM).unwrap_or(false) && fs::exists("/dev/net/tun").unwrap_or(false);
    (!is_there).then_some("qemu-system-x86 ipxe-qemu")
}

impl Machine {
    /// A machine on the network of `lab`, off.
    pub(super) fn new(lab: &Lab, mac: &'static str) -> Result<Machine, Failure> {
        sh(&format!("ip tuntap add {TAP} mode tap && ip link set {TAP} master lab0 up"))?;
        let disk = lab.directory.join("disk");
        fs::write(&disk, boot_sector())?;
        Ok(Machine { mac, disk, console: lab.directory.join("console") })
    }

    /// Switches it on.
    pub(super) fn start(&self) -> Result<Running, Failure> {
        File::create(&self.console)?;
        let mut command = Command::new(QEMU);
        command.args([
            "-accel",
            "tcg",
            "-machine",
            "pc,graphics=off",
            "-m",
            "256",
            "-nodefaults",
            "-no-reboot",
        ]);
        command
            .args(["-uuid", UUID, "-display", "none", "-serial"])
            .arg(format!("file:{}", self.console.display()));
        command.arg("-netdev").arg(format!("tap,id=lan,ifname={TAP},script=no,downscript=no"));
        command.arg("-device").arg(format!("virtio-net-pci,netdev=lan,mac={},bootindex=1", self.mac));
        command.arg("-drive").arg(format!("file={},format=raw,if=none,id=disk", self.disk.display()));
        command.args(["-device", "virtio-blk-pci,drive=disk,bootindex=2"]);
        let child = command.stdin(Stdio::null()).spawn()?;
        Ok(Running { child, console: self.console.clone() })
    }
}

impl Running {
    /// Waits until its console shows `text`; the lines of it that begin with `mark`.
    pub(super) fn wait_console(&self, text: &str, mark: &str) -> Result<Vec<String>, Failure> {
        let shown = || String::from_utf8_lossy(&fs::read(&self.console).unwrap_or_default()).into_owned();
        wait_for(&format!("`{text}` on the machine's console"), || shown().contains(text))
            .inspect_err(|_| eprintln!("--- its console:\n{}---", shown()))?;
        let lines = shown();
        let lines = lines.split(['\r', '\n']).map(str::trim).filter(|line| line.starts_with(mark));
        Ok(lines.map(str::to_owned).collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says [`FROM_DISK`] by the BIOS and halts.
fn boot_sector() -> Vec<u8> {
    let mut sector = vec![
        0x31, 0xc0, 0x8e, 0xd8, 0xfc, // ds = 0, forwards
        0xbe, 0x1a, 0x7c, // si = text
        0xac, 0x84, 0xc0, 0x74, 0x09, // next character, or on
        0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10, 0xeb, 0xf2, // teletype; again
        // With interrupts on: by their timer the BIOS brings what is left to the serial port.
        0xfb, 0xf4, 0xeb, 0xfd,
    ];
    sector.extend_from_slice(format!("\r\n{FROM_DISK}\r\n\0").as_bytes());
    sector.resize(510, 0);
    sector.extend_from_slice(&[0x55, 0xaa]);
    sector.resize(1 << 20, 0);
    sector
}
