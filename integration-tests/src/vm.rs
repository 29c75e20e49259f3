//! Virtual machines that boot over the network, by QEMU's own processor: slow, and the same everywhere.
//!
//! A machine's disk holds nothing but a boot sector that says so; its installer is a kernel of Debian with
//! busybox, which does what the file of its boot profile says.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::net::Lan;
use crate::run::{sh, succeed};
use crate::temp::TempDir;

/// What the boot sector of a disk says.
pub const FROM_DISK: &str = "this is the disk";
/// What a machine's firmware calls it.
pub const UUID: &str = "00112233-4455-6677-8899-aabbccddeeff";
/// A boot takes some 30 seconds of BIOS and two minutes of UEFI where nothing else runs.
const PATIENCE: Duration = Duration::from_secs(600);

/// How a machine starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS, with iPXE in the network card.
    Bios,
    /// OVMF, which loads by TFTP.
    Uefi,
    /// OVMF, which loads by TFTP over IPv6.
    Uefi6,
    /// OVMF, which loads by HTTP alone, over the family that the network has.
    UefiHttp,
    /// AAVMF, which loads by TFTP.
    UefiArm64,
}

/// A machine that can be switched on.
#[derive(Debug)]
pub struct Vm {
    directory: TempDir,
    tap: String,
    mac: String,
    firmware: Firmware,
}

/// A machine that is on. It is switched off with the value.
#[derive(Debug)]
pub struct Running {
    child: Child,
    console: PathBuf,
}

impl Vm {
    /// A machine on `lan`, off. `name` is that of its cable: at most 15 octets.
    pub fn new(lan: &Lan, name: &str, mac: &str, firmware: Firmware) -> Vm {
        let vm = Vm::unplugged(name, mac, firmware);
        sh(&format!("ip link set {name} master {}", lan.interface()));
        vm
    }

    /// The same, with the far end of its cable plugged in nowhere.
    pub fn unplugged(name: &str, mac: &str, firmware: Firmware) -> Vm {
        sh(&format!("ip tuntap add {name} mode tap && ip link set {name} up"));
        let directory = TempDir::new("vm");
        fs::write(directory.path().join("disk"), boot_sector()).unwrap();
        Vm { directory, tap: name.to_owned(), mac: mac.to_owned(), firmware }
    }

    /// Switches it on.
    pub fn start(&self) -> Running {
        let console = self.directory.path().join("console");
        let _ = fs::remove_file(&console);
        let (tap, mac) = (&self.tap, &self.mac);
        let mut command = Command::new(match self.firmware {
            Firmware::UefiArm64 => "qemu-system-aarch64",
            Firmware::Bios | Firmware::Uefi | Firmware::Uefi6 | Firmware::UefiHttp => "qemu-system-x86_64",
        });
        command.args(["-accel", "tcg", "-nodefaults", "-display", "none", "-no-reboot"]);
        command.args(["-uuid", UUID]);
        command.arg("-serial").arg(format!("file:{}", console.display()));
        command.arg("-netdev").arg(format!("tap,id=lan,ifname={tap},script=no,downscript=no"));
        let disk = self.directory.path().join("disk");
        command.arg("-drive").arg(format!("file={},format=raw,if=none,id=disk", disk.display()));
        command.args(["-device", "virtio-blk-pci,drive=disk,bootindex=2"]);
        let card = format!("virtio-net-pci,netdev=lan,mac={mac},bootindex=1");
        match self.firmware {
            Firmware::Bios => {
                command.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);
                command.args(["-machine", "pc,graphics=off", "-m", "512", "-device", &card])
            }
            Firmware::UefiArm64 => {
                self.uefi(
                    &mut command,
                    &card,
                    "/usr/share/AAVMF/AAVMF_CODE.fd",
                    "/usr/share/AAVMF/AAVMF_VARS.fd",
                );
                command.args(["-machine", "virt,graphics=off", "-cpu", "cortex-a57", "-m", "1024"])
            }
            Firmware::Uefi | Firmware::Uefi6 | Firmware::UefiHttp => {
                let [code, variables] =
                    ["CODE", "VARS"].map(|part| format!("/usr/share/OVMF/OVMF_{part}_4M.fd"));
                self.uefi(&mut command, &card, &code, &variables);
                command.args(["-machine", "q35", "-m", "512"]);
                for (family, own) in [("IPv4", Firmware::Uefi), ("IPv6", Firmware::Uefi6)] {
                    let tftp = if self.firmware == own { "y" } else { "n" };
                    let name = format!("opt/org.tianocore/{family}PXESupport");
                    command.args(["-fw_cfg", &format!("name={name},string={tftp}")]);
                }
                &mut command
            }
        };
        let child =
            command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Running { child, console }
    }

    /// Firmware from these files, and a card without a ROM, so that the firmware's own drivers are at work.
    fn uefi(&self, command: &mut Command, card: &str, code: &str, variables: &str) {
        let own = self.directory.path().join("variables");
        fs::copy(variables, &own).unwrap_or_else(|error| panic!("{variables}: {error}"));
        command.arg("-drive").arg(format!("if=pflash,format=raw,readonly=on,file={code}"));
        command.arg("-drive").arg(format!("if=pflash,format=raw,file={}", own.display()));
        command.arg("-device").arg(format!("{card},romfile="));
    }

    /// Switches a machine on by the script that `hostbook vm` printed.
    pub fn start_by(&self, script: &str) -> Running {
        let console = self.directory.path().join("console");
        let shown = File::create(&console).unwrap();
        let mut command = Command::new("sh");
        command.args(["-ec", script]).stdin(Stdio::null()).stdout(shown.try_clone().unwrap()).stderr(shown);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Running { child, console }
    }

    /// Switches it on and waits until it switches itself off; what its console showed.
    ///
    /// # Panics
    /// It goes on for ever.
    pub fn run(&self) -> String {
        let mut running = self.start();
        running.wait_off();
        running.console()
    }
}

impl Running {
    /// What its console has shown so far.
    pub fn console(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.console).unwrap_or_default()).into_owned()
    }

    /// Waits until it is off.
    ///
    /// # Panics
    /// It goes on for ever.
    pub fn wait_off(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "the machine goes on:\n{}", self.console());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes the disk in the file `image`, whose size stays, one that starts and says so.
pub fn write_boot_sector(image: &Path) {
    let mut file = File::options().write(true).open(image).unwrap();
    file.write_all(&boot_sector()).unwrap();
}

/// Fills a boot root: iPXE for firmware, `linux` and `initrd.gz`.
///
/// The installer asks for an address, looks its own name up at the name server that it was told of (by IPv6 it
/// waits for the address that it makes itself from an advertisement), fetches
/// the URL in `file=` of its command line, does what that says, and switches the machine off.
pub fn fill_boot_root(root: &Path) {
    fs::create_dir_all(root).unwrap();
    for loader in ["undionly.kpxe", "snponly.efi"] {
        fs::copy(Path::new("/usr/lib/ipxe").join(loader), root.join(loader)).unwrap();
    }
    let release = kernel_release();
    fs::copy(format!("/boot/vmlinuz-{release}"), root.join("linux")).unwrap();
    let modules = PathBuf::from(format!("/lib/modules/{release}/kernel"));
    let mut archive = Archive::default();
    archive.directories(&["bin", "dev", "etc", "lib", "proc", "sys", "tmp"]);
    archive.file("bin/busybox", 0o755, &fs::read("/bin/busybox").unwrap());
    for module in MODULES {
        let name = module.rsplit('/').next().unwrap();
        archive.file(&format!("lib/{name}"), 0o644, &fs::read(modules.join(module)).unwrap());
    }
    archive.file("init", 0o755, INIT.as_bytes());
    archive.file("bin/lease", 0o755, LEASE.as_bytes());
    let plain = root.join("initrd");
    fs::write(&plain, archive.end()).unwrap();
    let mut gzip = Command::new("gzip");
    gzip.arg("-1f").arg(&plain);
    succeed(gzip);
}

/// Fills a boot root for 64-bit Arm from Debian's package of its installer: GRUB in the place of iPXE, which
/// Debian does not have for it, `linux-arm64` and `initrd-arm64.gz`.
///
/// GRUB goes on with `grub_cfg`. The installer is Debian's RAM disk with another `init`: it does what that
/// of [`fill_boot_root`] does, and asks the server by the name `server`.
pub fn fill_boot_root_arm64(root: &Path, grub_cfg: &str, server: &str) {
    let package = Path::new("/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64");
    let grub = root.join("debian-installer/arm64/grub");
    fs::create_dir_all(&grub).unwrap();
    fs::copy(package.join("grubaa64.efi"), root.join("snponly-arm64.efi"))
        .unwrap_or_else(|error| panic!("debian-installer-12-netboot-arm64: {error}"));
    fs::copy(package.join("linux"), root.join("linux-arm64")).unwrap();
    sh(&format!("cp -r {} {}", package.join("grub/arm64-efi").display(), grub.display()));
    fs::write(grub.join("grub.cfg"), grub_cfg).unwrap();
    let mut archive = Archive::default();
    archive.file("init", 0o755, INIT_ARM64.replace("SERVER", server).as_bytes());
    archive.file("bin/lease", 0o755, LEASE.as_bytes());
    // The kernel unpacks one archive after the other, compressed or not.
    let mut initrd = fs::read(package.join("initrd.gz")).unwrap();
    initrd.resize(initrd.len().next_multiple_of(4), 0);
    initrd.extend_from_slice(&archive.end());
    fs::write(root.join("initrd-arm64.gz"), initrd).unwrap();
}

/// The newest kernel of Debian's package for clouds.
fn kernel_release() -> String {
    let kernels =
        fs::read_dir("/boot").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let releases = kernels.filter_map(|name| name.strip_prefix("vmlinuz-").map(str::to_owned));
    releases.filter(|release| release.contains("cloud")).max().expect("linux-image-cloud-amd64")
}

/// In the order in which they need each other.
const MODULES: [&str; 8] = [
    "drivers/virtio/virtio_ring.ko",
    "drivers/virtio/virtio.ko",
    "drivers/virtio/virtio_pci_legacy_dev.ko",
    "drivers/virtio/virtio_pci_modern_dev.ko",
    "drivers/virtio/virtio_pci.ko",
    "net/core/failover.ko",
    "drivers/net/net_failover.ko",
    "drivers/net/virtio_net.ko",
];

const INIT: &str = r#"#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install /bin
mount -t proc none /proc
mount -t devtmpfs none /dev
exec </dev/ttyS0 >/dev/ttyS0 2>&1
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net; do
    insmod /lib/$module.ko
done
ip link set lo up
ip link set eth0 up
for word in $(cat /proc/cmdline); do
    case $word in file=*) url=${word#file=} ;; esac
done
case $url in
http://\[*)
    for try in $(seq 300); do
        ip=$(ip -6 addr show dev eth0 scope global | grep -v tentative | sed -n 's,.*inet6 \(.*\)/.*,\1,p')
        [ -n "$ip" ] && break
        sleep 1
    done
    ;;
*)
    udhcpc -i eth0 -n -q -t 20 -s /bin/lease
    . /tmp/lease
    named=$(nslookup "$hostname.$domain" "$dns" | tail -n +3 | grep Address)
    ;;
esac
echo "installer: I have $ip"
echo "installer: name server says $named"
wget -q -O /tmp/file "$url" && echo "installer: fetched" && . /tmp/file
echo "installer: off"
poweroff -f
"#;

const INIT_ARM64: &str = r#"#!/bin/busybox sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc none /proc
mount -t devtmpfs none /dev
exec </dev/ttyAMA0 >/dev/ttyAMA0 2>&1
for module in net/core/failover drivers/net/net_failover drivers/virtio/virtio_pci_modern_dev \
    drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci drivers/net/virtio_net; do
    insmod /lib/modules/*/kernel/$module.ko
done
ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -n -q -t 20 -s /bin/lease
. /tmp/lease
echo "nameserver $dns" >/etc/resolv.conf
echo "installer: I have $ip"
for word in $(cat /proc/cmdline); do
    case $word in file=*) url=${word#file=http://*/} ;; esac
done
wget -q -O /tmp/file "http://SERVER/$url" && echo "installer: fetched from SERVER" && . /tmp/file
echo "installer: off"
poweroff -f
"#;

const LEASE: &str = r#"#!/bin/busybox sh
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev eth0
[ -z "$router" ] || ip route add default via "$router"
for name in ip hostname domain dns; do
    eval "echo $name=\"\$$name\""
done >/tmp/lease
"#;

/// Says [`FROM_DISK`] on the serial port and switches the machine off by `isa-debug-exit`.
fn boot_sector() -> Vec<u8> {
    let mut sector = vec![
        0x31, 0xc0, 0x8e, 0xd8, // ds = 0
        0xbe, 0x1c, 0x7c, 0xfc, // si = text; forwards
        0xac, 0x84, 0xc0, 0x74, 0x06, // next character, or on
        0xba, 0xf8, 0x03, 0xee, 0xeb, 0xf5, // out 0x3f8; again
        0xba, 0xf4, 0x00, 0xb0, 0x01, 0xee, // out 0xf4
        0xf4, 0xeb, 0xfd, // halt
    ];
    sector.extend_from_slice(format!("\r\n{FROM_DISK}\r\n\0").as_bytes());
    sector.resize(510, 0);
    sector.extend_from_slice(&[0x55, 0xaa]);
    sector.resize(1 << 20, 0);
    sector
}

/// A cpio archive in the form that the kernel unpacks (`newc`).
#[derive(Default)]
struct Archive {
    octets: Vec<u8>,
    inode: u32,
}

impl Archive {
    fn directories(&mut self, paths: &[&str]) {
        paths.iter().for_each(|path| self.entry(path, 0o040_755, &[]));
    }

    fn file(&mut self, path: &str, mode: u32, contents: &[u8]) {
        self.entry(path, 0o100_000 | mode, contents);
    }

    fn entry(&mut self, path: &str, mode: u32, contents: &[u8]) {
        self.inode += 1;
        let size = u32::try_from(contents.len()).unwrap();
        let name = u32::try_from(path.len() + 1).unwrap();
        let fields = [self.inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name, 0];
        self.octets.extend_from_slice(b"070701");
        for field in fields {
            write!(self.octets, "{field:08x}").unwrap();
        }
        self.octets.extend_from_slice(path.as_bytes());
        self.octets.push(0);
        self.pad();
        self.octets.extend_from_slice(contents);
        self.pad();
    }

    fn pad(&mut self) {
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
    }

    fn end(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.octets
    }
}
