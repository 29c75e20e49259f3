//! Who asks: firmware of which architecture, or iPXE; and what it loads next.
//!
//! The architecture is option 93 (RFC 4578, and IANA's registry of processor architecture types), which
//! all firmware sends; its vendor class says the same (`PXEClient:Arch:00007:…`). iPXE calls itself so in
//! its user class (option 77, raw, without the lengths of RFC 3004) and has options of its own (175); its
//! vendor class stays the firmware's.

/// How far a machine is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Firmware that loads a file by TFTP.
    Pxe(Architecture),
    /// Firmware that loads a URL (UEFI 2.5, section 23.7).
    Http(Architecture),
    /// iPXE, which runs a script.
    Ipxe,
}

/// What the firmware can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// A PC with a BIOS.
    Bios,
    /// UEFI on 32-bit x86.
    Ia32,
    /// UEFI on 64-bit x86.
    X64,
    /// UEFI on 32-bit Arm.
    Arm32,
    /// UEFI on 64-bit Arm.
    Arm64,
    /// UEFI on 64-bit RISC-V.
    Riscv64,
}

impl Architecture {
    /// The type's meaning, and whether it is HTTP boot. `None` for what cannot be served.
    pub fn of(number: u16) -> Option<(Architecture, bool)> {
        Some(match number {
            0 => (Architecture::Bios, false),
            6 => (Architecture::Ia32, false),
            // 9 was x64 in RFC 4578 and is EBC since its erratum; firmware says either.
            7 | 9 => (Architecture::X64, false),
            10 => (Architecture::Arm32, false),
            11 => (Architecture::Arm64, false),
            15 => (Architecture::Ia32, true),
            16 | 17 => (Architecture::X64, true),
            18 => (Architecture::Arm32, true),
            19 => (Architecture::Arm64, true),
            20 => (Architecture::Bios, true),
            27 => (Architecture::Riscv64, false),
            28 => (Architecture::Riscv64, true),
            _ => return None,
        })
    }

    /// The file that brings iPXE to it, below the boot root.
    pub fn loader(self) -> &'static str {
        match self {
            Architecture::Bios => "undionly.kpxe",
            Architecture::Ia32 => "snponly-ia32.efi",
            Architecture::X64 => "snponly.efi",
            Architecture::Arm32 => "snponly-arm32.efi",
            Architecture::Arm64 => "snponly-arm64.efi",
            Architecture::Riscv64 => "snponly-riscv64.efi",
        }
    }

    /// As people call it.
    pub fn word(self) -> &'static str {
        match self {
            Architecture::Bios => "bios",
            Architecture::Ia32 => "uefi-ia32",
            Architecture::X64 => "uefi-x64",
            Architecture::Arm32 => "uefi-arm32",
            Architecture::Arm64 => "uefi-arm64",
            Architecture::Riscv64 => "uefi-riscv64",
        }
    }
}

/// What a client says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Saying<'a> {
    /// Vendor class (option 60).
    pub vendor_class: Option<&'a [u8]>,
    /// Architecture types (option 93), two octets each.
    pub architectures: Option<&'a [u8]>,
    /// User class (option 77).
    pub user_class: Option<&'a [u8]>,
    /// It has iPXE's own options (175).
    pub has_ipxe_options: bool,
}

impl Stage {
    /// The stage of a client; `None` for whoever boots nothing, such as an operating system.
    pub fn of(saying: &Saying<'_>) -> Option<Stage> {
        // Before the vendor class, which iPXE takes over from the firmware.
        if saying.has_ipxe_options || saying.user_class.is_some_and(is_ipxe) {
            return Some(Stage::Ipxe);
        }
        let vendor_class = saying.vendor_class?;
        let http = vendor_class.starts_with(b"HTTPClient");
        if !http && !vendor_class.starts_with(b"PXEClient") {
            return None;
        }
        let types = saying.architectures.unwrap_or_default().chunks_exact(2);
        let types = types.filter_map(|two| Some(u16::from_be_bytes(two.try_into().ok()?)));
        let named = in_vendor_class(vendor_class).filter(|_| saying.architectures.is_none());
        let architecture = types.chain(named).find_map(Architecture::of);
        match architecture {
            Some((architecture, false)) if !http => Some(Stage::Pxe(architecture)),
            Some((architecture, _)) => Some(Stage::Http(architecture)),
            // A PXE ROM from before option 93.
            None if !http && saying.architectures.is_none() => Some(Stage::Pxe(Architecture::Bios)),
            None => None,
        }
    }
}

fn is_ipxe(user_class: &[u8]) -> bool {
    matches!(user_class, b"iPXE" | [4, b'i', b'P', b'X', b'E', ..])
}

/// The number in `PXEClient:Arch:00007:UNDI:003000`.
fn in_vendor_class(vendor_class: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(vendor_class).ok()?;
    let (_, rest) = text.split_once(":Arch:")?;
    rest.split(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vendor_class: &str, architectures: Option<&[u8]>, user_class: Option<&[u8]>) -> Option<Stage> {
        Stage::of(&Saying {
            vendor_class: Some(vendor_class.as_bytes()),
            architectures,
            user_class,
            has_ipxe_options: false,
        })
    }

    #[test]
    fn firmware_is_told_apart_by_its_architecture() {
        let pxe = |number: u8| of("PXEClient:Arch:0:UNDI:003000", Some(&[0, number]), None);
        assert_eq!(pxe(0), Some(Stage::Pxe(Architecture::Bios)));
        assert_eq!(pxe(7), Some(Stage::Pxe(Architecture::X64)));
        assert_eq!(pxe(9), Some(Stage::Pxe(Architecture::X64)));
        assert_eq!(pxe(11), Some(Stage::Pxe(Architecture::Arm64)));
        assert_eq!(pxe(16), Some(Stage::Http(Architecture::X64)), "some say so by the type alone");
        let http = |number: u8| of("HTTPClient:Arch:00016:UNDI:003000", Some(&[0, number]), None);
        assert_eq!(http(16), Some(Stage::Http(Architecture::X64)));
        assert_eq!(http(19), Some(Stage::Http(Architecture::Arm64)));
        assert_eq!(pxe(2), None, "Itanium");
    }

    #[test]
    fn the_vendor_class_says_it_where_the_option_does_not() {
        assert_eq!(of("PXEClient:Arch:00011:UNDI:003000", None, None), Some(Stage::Pxe(Architecture::Arm64)));
        assert_eq!(of("PXEClient", None, None), Some(Stage::Pxe(Architecture::Bios)));
        assert_eq!(of("HTTPClient", None, None), None);
        assert_eq!(of("PXEClient", Some(&[0, 99, 0, 7]), None), Some(Stage::Pxe(Architecture::X64)));
        assert_eq!(of("PXEClient", Some(&[7]), None), None, "cut short");
    }

    #[test]
    fn ipxe_is_ipxe_whatever_its_vendor_class_says() {
        let class = "PXEClient:Arch:00007:UNDI:003010";
        assert_eq!(of(class, Some(&[0, 7]), Some(b"iPXE")), Some(Stage::Ipxe), "raw, as iPXE sends it");
        assert_eq!(of(class, Some(&[0, 7]), Some(b"\x04iPXE")), Some(Stage::Ipxe), "as RFC 3004 wants it");
        assert_eq!(of(class, Some(&[0, 7]), Some(b"other")), Some(Stage::Pxe(Architecture::X64)));
        let options = Saying { has_ipxe_options: true, ..Saying::default() };
        assert_eq!(Stage::of(&options), Some(Stage::Ipxe));
    }

    #[test]
    fn an_operating_system_boots_nothing() {
        for class in ["", "udhcp 1.35", "MSFT 5.0", "dhcpcd-9.4.1:Linux", "PXEClien"] {
            assert_eq!(of(class, None, None), None, "{class}");
        }
        assert_eq!(Stage::of(&Saying::default()), None);
    }
}
