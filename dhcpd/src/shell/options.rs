//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use daemon::control;
use inventory_core::units::{parse_duration, parse_size};

use crate::history::Limits;

/// DHCP, served directly from the inventory.
#[derive(Clone, Debug, Parser)]
#[command(name = "hostbook-dhcpd", version)]
pub struct Options {
    /// The inventory: a directory of TOML files, or a branch, as in `/srv/site.git#main`; repeated: several,
    /// kept apart; where two clash, the one named first goes first
    #[arg(short, long, value_name = "PATH", env = "HOSTBOOK_INVENTORY", default_value = ".")]
    pub inventory: Vec<PathBuf>,
    /// Interface to serve, for clients on its link and for relay agents that reach it; may be repeated
    #[arg(long, value_name = "IF", required_unless_present_any = ["export_leases", "import_leases"])]
    pub interface: Vec<String>,
    /// Directory for what must outlive a restart: leases, the last good inventory
    #[arg(long, value_name = "DIR", default_value = "/var/lib/hostbook/dhcpd")]
    pub state: PathBuf,
    /// Directory of the files that machines boot; with it, TFTP and HTTP are served on every interface
    #[arg(long, value_name = "DIR")]
    pub boot_root: Option<PathBuf>,
    /// Port that boot files are served on by HTTP
    #[arg(long, value_name = "PORT", default_value_t = 80, requires = "boot_root")]
    pub boot_port: u16,
    /// Socket that `hostbook status` asks
    #[arg(long, value_name = "PATH", default_value = control::DHCPD)]
    pub control: PathBuf,
    /// Address to serve Prometheus metrics on, by HTTP
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,
    /// How long the history of leases is kept, for `hostbook who`; `0s`: none is
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = seconds)]
    pub history: u64,
    /// How large the history of leases may become; the oldest of it goes first
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = octets)]
    pub history_size: u64,
    /// Write the leases of `--state` to standard output as JSON lines, and end
    #[arg(long)]
    pub export_leases: bool,
    /// Take leases in from JSON lines (`-`: standard input), and end
    #[arg(long, value_name = "FILE")]
    pub import_leases: Option<PathBuf>,
    /// User to become once the sockets are open
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
}

fn seconds(text: &str) -> Result<u64, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

fn octets(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|error| error.to_string())
}

impl Options {
    /// How much of the history is kept; `None`: nothing.
    pub(super) fn history(&self) -> Option<Limits> {
        let limits = Limits { age_seconds: self.history, octets: self.history_size };
        (limits.age_seconds > 0 && limits.octets > 0).then_some(limits)
    }

    /// Whether leases are to be written out or taken in, and nothing is to be served.
    pub(super) fn is_transfer(&self) -> bool {
        self.export_leases || self.import_leases.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_that_of_the_contract() {
        let options = Options::try_parse_from([
            "hostbook-dhcpd",
            "-i",
            "/inv",
            "--interface",
            "eth0",
            "--interface",
            "eth1.20",
            "--state",
            "/s",
            "--control",
            "/c",
            "--metrics",
            "127.0.0.1:9167",
        ]);
        let options = options.unwrap();
        assert_eq!(options.interface, ["eth0", "eth1.20"]);
        assert_eq!(options.history(), Some(Limits { age_seconds: 90 * 86_400, octets: 256 << 20 }));
        assert_eq!(options.metrics, "127.0.0.1:9167".parse().ok());
        assert!(Options::try_parse_from(["hostbook-dhcpd", "-i", "/inv"]).is_err(), "no interface");
    }
}
