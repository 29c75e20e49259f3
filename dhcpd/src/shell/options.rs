//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// DHCP, served directly from the inventory.
#[derive(Clone, Debug, Parser)]
#[command(name = "hostbook-dhcpd", version)]
pub struct Options {
    /// The inventory: a directory of TOML files
    #[arg(short, long, value_name = "PATH", env = "HOSTBOOK_INVENTORY", default_value = ".")]
    pub inventory: PathBuf,
    /// Interface to serve, for clients on its link and for relay agents that reach it; may be repeated
    #[arg(long, value_name = "IF", required = true)]
    pub interface: Vec<String>,
    /// Directory for what must outlive a restart: the last good inventory
    #[arg(long, value_name = "DIR", default_value = "/var/lib/hostbook/dhcpd")]
    pub state: PathBuf,
    /// Directory of the files that machines boot; with it, TFTP and HTTP are served on every interface
    #[arg(long, value_name = "DIR")]
    pub boot_root: Option<PathBuf>,
    /// Port that boot files are served on by HTTP
    #[arg(long, value_name = "PORT", default_value_t = 80, requires = "boot_root")]
    pub boot_port: u16,
    /// Socket that `hostbook status` asks
    #[arg(long, value_name = "PATH", default_value = "/run/hostbook/dhcpd.sock")]
    pub control: PathBuf,
    /// Address to serve Prometheus metrics on, by HTTP
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,
    /// User to become once the sockets are open
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
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
        assert_eq!(options.metrics, "127.0.0.1:9167".parse().ok());
        assert!(Options::try_parse_from(["hostbook-dhcpd", "-i", "/inv"]).is_err(), "no interface");
    }
}
