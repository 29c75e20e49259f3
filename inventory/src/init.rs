//! `hostbook init`: a commented start, made of what this machine's interfaces say.

use std::io::{IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use ipnet::{IpNet, Ipv4Net};
use nix::ifaddrs::getifaddrs;

use crate::edit::quote;
use crate::exit::{Failure, Outcome};
use crate::{inventory, output};

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The directory; it is made if it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// The domain of the hosts; without it, it is asked for.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The interface whose network is written down; without it, the first with a private address.
    #[arg(long, value_name = "IF")]
    interface: Option<String>,
}

/// A network that this machine is in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    interface: String,
    address: Ipv4Addr,
    net: Ipv4Net,
    gateway: Option<Ipv4Addr>,
}

pub(crate) fn run(args: &Init) -> Outcome {
    let there = std::fs::read_dir(&args.directory).into_iter().flatten().flatten();
    if let Some(file) =
        there.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "toml"))
    {
        return Err(Failure::new(format!("`{}` is there already: nothing is written", file.display())));
    }
    let seen = pick(interfaces(), args.interface.as_deref())?;
    let zone = match &args.zone {
        Some(zone) => zone.trim_end_matches('.').to_ascii_lowercase(),
        None => ask("Domain of the hosts", &own_domain())?,
    };
    let name = own_name();
    std::fs::create_dir_all(&args.directory)?;
    for (file, text) in [("site.toml", site(&zone, &name, &seen)), ("hosts.toml", hosts(&name, &seen))] {
        std::fs::write(args.directory.join(file), text)?;
        output::line(&args.directory.join(file).display().to_string());
    }
    if let Err(diagnostics) = inventory::load(&args.directory) {
        return Err(inventory::broken(&diagnostics));
    }
    output::line("");
    output::line("It passes the check. Next:");
    let directory = args.directory.display();
    output::line(&format!("  hostbook list -i {directory}"));
    output::line(&format!("  hostbook add NAME --network {NETWORK} --mac MAC --ip auto -i {directory}"));
    output::line(&format!("  hostbook serve -i {directory} --interface {}", seen.interface));
    Ok(ExitCode::SUCCESS)
}

/// Name of the network that is written.
const NETWORK: &str = "lan";

fn pick(seen: Vec<Seen>, wanted: Option<&str>) -> Result<Seen, Failure> {
    let found =
        seen.iter().find(|one| wanted.map_or(one.address.is_private(), |wanted| one.interface == wanted));
    found.or_else(|| seen.first().filter(|_| wanted.is_none())).cloned().ok_or_else(|| {
        let names: Vec<&str> = seen.iter().map(|one| one.interface.as_str()).collect();
        let names = if names.is_empty() { "there is none".to_owned() } else { names.join(", ") };
        Failure::new(format!("no such interface with an IPv4 address; with one: {names}"))
    })
}

/// Interfaces with an IPv4 address, but for the loopback.
fn interfaces() -> Vec<Seen> {
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let all = getifaddrs().into_iter().flatten().filter_map(|one| {
        let address = one.address?.as_sockaddr_in()?.ip();
        let mask = one.netmask?.as_sockaddr_in()?.ip();
        let net = Ipv4Net::with_netmask(address, mask).ok()?.trunc();
        let gateway = gateway(&routes, &one.interface_name);
        Some(Seen { interface: one.interface_name, address, net, gateway })
    });
    all.filter(|one| !one.address.is_loopback() && one.net.prefix_len() < 31).collect()
}

/// The default router of an interface, of the kernel's table of routes.
fn gateway(routes: &str, interface: &str) -> Option<Ipv4Addr> {
    let lines = routes.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut defaults =
        lines.filter(|words| words.first() == Some(&interface) && words.get(1) == Some(&"00000000"));
    let digits = defaults.next()?.get(2).copied()?;
    Some(Ipv4Addr::from_bits(u32::from_str_radix(digits, 16).ok()?.swap_bytes()))
}

fn own_name() -> String {
    let name = host_name();
    let label = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    if inventory_core::name::reject_host_label(&label).is_none() { label } else { "ns1".to_owned() }
}

/// The domain of this machine's own name; else the one that is meant for homes (RFC 8375).
fn own_domain() -> String {
    let name = host_name();
    name.split_once('.').map_or_else(|| "home.arpa".to_owned(), |(_, domain)| domain.to_ascii_lowercase())
}

/// What the kernel calls this machine.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

fn ask(question: &str, default: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(default.to_owned());
    }
    print!("{question} [{default}]: ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    let answer = answer.trim().trim_end_matches('.');
    Ok(if answer.is_empty() { default.to_owned() } else { answer.to_ascii_lowercase() })
}

fn site(zone: &str, name: &str, seen: &Seen) -> String {
    let gateway = match seen.gateway.filter(|gateway| seen.net.contains(gateway)) {
        Some(gateway) => format!("gateway = \"{gateway}\""),
        None => "# gateway = \"…\" # the router".to_owned(),
    };
    let pool = pool(seen).map_or_else(String::new, |(first, last)| {
        format!("# Addresses for machines that nobody has written down; without them, only known ones are served:\n# pool  = [\"{first}-{last}\"]\n")
    });
    format!(
        "# Everything that is not hosts. Any number of files, any names: tables merge.\n\n\
         [site]\n\
         nameservers = [{}] # NS records of every zone; the first is the SOA's primary\n\
         contact     = {}\n\n\
         [zone.{}]\n\
         # Plain master-file lines for what is no host:\n\
         # records = \"\"\"\n# @  MX 10 mail\n# \"\"\"\n\n\
         [network.{NETWORK}] # as {} is in it\n\
         zone    = {}\n\
         ipv4    = \"{}\"\n\
         {gateway}\n\
         dns     = [\"{}\"] # the machine that runs hostbook-dnsd\n\
         lease   = \"12h\"\n{pool}",
        quote(&format!("{name}.{zone}")),
        quote(&format!("hostmaster@{zone}")),
        quote(zone),
        seen.interface,
        quote(zone),
        seen.net,
        seen.address,
    )
}

/// The last quarter of the network, which holds nobody that is known here.
fn pool(seen: &Seen) -> Option<(IpAddr, IpAddr)> {
    let (first, last) = (seen.net.network().to_bits(), seen.net.broadcast().to_bits());
    let from = last - (last - first) / 4;
    let net = IpNet::V4(seen.net);
    let range = (Ipv4Addr::from_bits(from), Ipv4Addr::from_bits(last - 1));
    let inside = |address: Ipv4Addr| address >= range.0 && address <= range.1;
    let free = !inside(seen.address) && !seen.gateway.is_some_and(inside);
    (net.prefix_len() <= 28 && free).then(|| (range.0.into(), range.1.into()))
}

fn hosts(name: &str, seen: &Seen) -> String {
    format!(
        "# A host is a machine, physical or virtual: the same keys for both.\n\n\
         [host.{name}] # this machine\n\
         network = \"{NETWORK}\"\n\
         ip      = \"{}\"\n\n\
         # [host.printer]\n# network = \"{NETWORK}\"\n# mac     = \"00:11:22:33:44:55\"\n# ip      = \"auto\" is for `hostbook add`; here an address is written\n",
        seen.address
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_passes_the_check() {
        for (address, net, gateway) in [
            ([192, 168, 1, 5], "192.168.1.0/24", Some([192, 168, 1, 1])),
            ([10, 0, 0, 250], "10.0.0.0/24", None),
            ([172, 16, 9, 2], "172.16.9.0/30", Some([172, 16, 9, 1])),
        ] {
            let net = net.parse().unwrap();
            let seen = Seen {
                interface: "eth0".into(),
                address: address.into(),
                net,
                gateway: gateway.map(Into::into),
            };
            let texts =
                [("site.toml", site("lan.example", "ns1", &seen)), ("hosts.toml", hosts("ns1", &seen))];
            let texts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
            inventory_core::load_texts(&texts).unwrap();
        }
    }

    #[test]
    fn the_kernels_routes_name_the_router() {
        let routes = "Iface\tDestination\tGateway \tFlags\neth0\t00000000\t0100A8C0\t0003\neth1\t0000000A\t00000000\t0001\n";
        assert_eq!(gateway(routes, "eth0"), Some([192, 168, 0, 1].into()));
        assert_eq!(gateway(routes, "eth1"), None);
    }
}
