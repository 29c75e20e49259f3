//! The command line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use clap::Parser;
use daemon::control;

/// Authoritative DNS, served directly from the inventory.
#[derive(Clone, Debug, Parser)]
#[command(name = "hostbook-dnsd", version)]
pub struct Options {
    /// The inventory: a directory of TOML files, or a branch, as in `/srv/site.git#main`; repeated: several,
    /// kept apart; where two clash, the one named first goes first
    #[arg(short, long, value_name = "PATH", env = "HOSTBOOK_INVENTORY", default_value = ".")]
    pub inventory: Vec<PathBuf>,
    /// Address to listen on, UDP and TCP; may be repeated [default: all addresses, port 53]
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = |text: &str| at(text, PORT))]
    pub listen: Vec<SocketAddr>,
    /// Address to answer DNS over TLS on; may be repeated [default: none; port 853]
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = |text: &str| at(text, TLS_PORT), requires = "certificate")]
    pub tls: Vec<SocketAddr>,
    /// Address to answer DNS over HTTPS on, at `/dns-query`; may be repeated [default: none; port 443]
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = |text: &str| at(text, HTTPS_PORT), requires = "certificate")]
    pub https: Vec<SocketAddr>,
    /// Address to answer DNS over QUIC on; may be repeated [default: none; port 853]
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = |text: &str| at(text, TLS_PORT), requires = "certificate")]
    pub quic: Vec<SocketAddr>,
    /// The certificate for these, PEM, followed by those that vouch for it; read again when it changes
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// Directory for what must outlive a restart: serials, the last good inventory
    #[arg(long, value_name = "DIR", default_value = "/var/lib/hostbook/dnsd")]
    pub state: PathBuf,
    /// Socket that `hostbook status` asks
    #[arg(long, value_name = "PATH", default_value = control::DNSD)]
    pub control: PathBuf,
    /// Address to serve Prometheus metrics on, by HTTP
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Write one of N questions to the log, at most 100 a second; `hostbook queries` shows them without
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub query_log: Option<u32>,
    /// Threads that answer on each address [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// User to become once the sockets are open
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
}

/// Port of DNS.
const PORT: u16 = 53;
/// Port of DNS over TLS (RFC 7858, section 3.1) and QUIC (RFC 9250, section 8.2).
const TLS_PORT: u16 = 853;
/// Port of HTTPS.
const HTTPS_PORT: u16 = 443;

/// Where to listen when nobody says: every address of both families.
pub(super) const EVERYWHERE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), PORT),
];

/// Reads `ADDR:PORT`, `[ADDR]:PORT` or `ADDR` alone, which means `port`.
fn at(text: &str, port: u16) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    text.parse()
        .or_else(|_| bare.parse().map(|ip| SocketAddr::new(ip, port)))
        .map_err(|_| format!("not an address, such as 10.20.0.2:{port} or [2001:db8::2]:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_that_of_the_contract() {
        let options = Options::try_parse_from([
            "hostbook-dnsd",
            "-i",
            "/inv",
            "--listen",
            "10.20.0.2",
            "--listen",
            "[::1]:5353",
            "--listen",
            "::1",
            "--state",
            "/s",
            "--control",
            "/c",
            "--metrics",
            "127.0.0.1:9153",
            "--workers",
            "4",
        ]);
        let options = options.unwrap();
        let listen: Vec<String> = options.listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen, ["10.20.0.2:53", "[::1]:5353", "[::1]:53"]);
        assert_eq!(options.workers, Some(4));
        assert!(Options::try_parse_from(["hostbook-dnsd", "--workers", "0"]).is_err());
        let pair = ["--certificate", "/c", "--key", "/k"];
        let encrypted = ["hostbook-dnsd", "--tls", "::1", "--https", "::1", "--quic", "::1"];
        let options = Options::try_parse_from(encrypted.iter().chain(&pair)).unwrap();
        let ports = [&options.tls, &options.https, &options.quic].map(|addresses| addresses[0].port());
        assert_eq!(ports, [853, 443, 853]);
        assert!(Options::try_parse_from(encrypted).is_err(), "without a certificate");
        assert!(Options::try_parse_from(["hostbook-dnsd", "--certificate", "/c"]).is_err());
        assert!(Options::try_parse_from(["hostbook-dnsd", "--listen", "eth0"]).is_err());
    }
}
