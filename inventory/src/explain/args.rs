//! The command line of `explain`.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use inventory_core::mac::MacAddr;

use crate::args::{FormatArg, InventoryArg};

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A host, an alias, any name of a zone, a MAC or an IP address.
    #[arg(value_name = "NAME|MAC|IP", required_unless_present_any = ["mac", "port"])]
    pub(crate) what: Option<String>,
    #[command(flatten)]
    pub(crate) packet: Packet,
    /// Address of the DHCP server as its clients know it; without it, the running dhcpd is asked.
    #[arg(long, value_name = "IP")]
    pub(crate) server: Option<Ipv4Addr>,
    /// HTTP port of dhcpd's boot service.
    #[arg(long, value_name = "PORT", default_value_t = 80)]
    pub(crate) boot_port: u16,
    /// Control socket of dhcpd, which knows of leases; without it, the usual place is asked.
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inventory: InventoryArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// A DHCPDISCOVER, described.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Packet {
    /// Hardware address in the packet.
    #[arg(long, value_name = "MAC", value_parser = mac, conflicts_with = "what")]
    pub(crate) mac: Option<MacAddr>,
    /// The firmware that sends it; without it, an operating system does.
    #[arg(long, value_name = "ARCH")]
    pub(crate) arch: Option<Arch>,
    /// Address of the relay agent that passes it on.
    #[arg(long, value_name = "IP")]
    pub(crate) relay: Option<Ipv4Addr>,
    /// Name of the network that it is sent in, where no relay agent says so.
    #[arg(long, value_name = "NETWORK", conflicts_with = "relay")]
    pub(crate) network: Option<String>,
    /// Circuit-id of the port that the relay agent adds.
    #[arg(long, value_name = "PORT", conflicts_with = "what")]
    pub(crate) port: Option<String>,
    /// Remote-id that the relay agent adds.
    #[arg(long, value_name = "TEXT", requires = "port")]
    pub(crate) remote_id: Option<String>,
    /// Vendor class that it says, instead of the firmware's.
    #[arg(long, value_name = "TEXT")]
    pub(crate) vendor_class: Option<String>,
    /// User class that it says, instead of the firmware's.
    #[arg(long, value_name = "TEXT")]
    pub(crate) user_class: Option<String>,
}

fn mac(text: &str) -> Result<MacAddr, String> {
    text.parse().map_err(|_| "write it as in `52:54:00:aa:00:11`".to_owned())
}

/// What sends a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arch {
    /// A PC's BIOS.
    Bios,
    /// UEFI on 32-bit x86.
    Uefi32,
    /// UEFI on 64-bit x86.
    Uefi64,
    /// UEFI on 32-bit Arm.
    Arm32,
    /// UEFI on 64-bit Arm.
    Arm64,
    /// UEFI on 64-bit RISC-V.
    Riscv64,
    /// UEFI on 64-bit x86 that boots a URL.
    Http64,
    /// UEFI on 64-bit Arm that boots a URL.
    HttpArm64,
    /// iPXE.
    Ipxe,
}

impl Arch {
    /// Its number in option 93 (IANA, "Processor Architecture Types").
    pub(crate) fn number(self) -> u16 {
        match self {
            Arch::Bios => 0,
            Arch::Uefi32 => 6,
            Arch::Uefi64 | Arch::Ipxe => 7,
            Arch::Arm32 => 10,
            Arch::Arm64 => 11,
            Arch::Http64 => 16,
            Arch::HttpArm64 => 19,
            Arch::Riscv64 => 27,
        }
    }

    /// Its vendor class, as firmware writes it.
    pub(crate) fn vendor_class(self) -> String {
        let class = if matches!(self, Arch::Http64 | Arch::HttpArm64) { "HTTPClient" } else { "PXEClient" };
        format!("{class}:Arch:{:05}:UNDI:003016", self.number())
    }

    /// As it is written on the command line.
    pub(super) fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
