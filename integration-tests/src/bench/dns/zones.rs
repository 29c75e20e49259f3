//! The zones of a generated inventory as master files, for servers that need them: the same names and records
//! that ours serves, worked out anew.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use inventory_core::name::Name;

use crate::generate::{Host, Plan};

/// Zones and their files.
#[derive(Clone, Debug)]
pub struct Zones {
    /// Apex, without the dot at its end, and the file.
    pub all: Vec<(String, PathBuf)>,
    /// Every record, for those who count.
    pub records: usize,
}

/// Writes the master files of all zones below `directory`.
///
/// # Errors
/// One cannot be written.
pub fn write(plan: Plan, directory: &Path) -> io::Result<Zones> {
    fs::create_dir_all(directory)?;
    let networks = plan.networks();
    let mut texts: Vec<[(String, String); 3]> = (0..networks).map(zones_of).collect();
    for host in (0..plan.hosts).map(|number| plan.host(number)).filter(|host| host.served) {
        let network: usize = host.network.trim_start_matches('n').parse().map_err(io::Error::other)?;
        add(&mut texts[network], &host);
    }
    let mut zones = Zones { all: Vec::new(), records: 0 };
    for (apex, text) in texts.into_iter().flatten() {
        let file = directory.join(format!("{apex}.zone"));
        zones.records += text.lines().count() - 1;
        fs::write(&file, text)?;
        zones.all.push((apex, file));
    }
    Ok(zones)
}

/// The zone of a network, and those of its addresses.
fn zones_of(network: usize) -> [(String, String); 3] {
    let prefix = Ipv6Addr::new(0x2001, 0xdb8, u16::try_from(network).unwrap_or(0), 0, 0, 0, 0, 0);
    let whole = Name::reverse(prefix.into()).to_string();
    // A /64 is the last half of the 32 digits.
    let half = whole.trim_end_matches('.')[32..].to_owned();
    let mut forward = head(&format!("n{network}.example.net"));
    forward.1.push_str("@ MX 10 mail.example.net.\n");
    [forward, head(&format!("{network}.10.in-addr.arpa")), head(&half)]
}

fn head(apex: &str) -> (String, String) {
    let text = format!(
        "$ORIGIN {apex}.\n@ 3600 SOA ns1.example.net. hostmaster.example.net. 1 86400 900 3600000 3600\n\
         @ 3600 NS ns1.example.net.\n"
    );
    (apex.to_owned(), text)
}

fn add([forward, v4, v6]: &mut [(String, String); 3], host: &Host) {
    let Host { name, fqdn, ipv4, ipv6, .. } = host;
    let reverse = |address: std::net::IpAddr| {
        let text = Name::reverse(address).to_string();
        format!("{}.", text.trim_end_matches('.'))
    };
    let _ = writeln!(forward.1, "{name} 3600 A {ipv4}\n{name} 3600 AAAA {ipv6}");
    if let Some(alias) = &host.alias {
        let _ = writeln!(forward.1, "{alias} 3600 CNAME {fqdn}.");
    }
    let _ = writeln!(v4.1, "{} 3600 PTR {fqdn}.", reverse((*ipv4).into()));
    let _ = writeln!(v6.1, "{} 3600 PTR {fqdn}.", reverse((*ipv6).into()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temp::TempDir;

    #[test]
    fn every_zone_has_a_file_that_names_its_hosts() {
        let place = TempDir::new("zones");
        let plan = Plan { hosts: 1000, seed: 1 };
        let zones = write(plan, place.path()).unwrap();
        assert_eq!(zones.all.len(), plan.networks() * 3);
        let text = |apex: &str| fs::read_to_string(place.path().join(format!("{apex}.zone"))).unwrap();
        assert!(text("n0.example.net").contains("h0 3600 A 10.0.1.0\n"));
        assert!(text("0.10.in-addr.arpa").contains("\n0.1.0.10.in-addr.arpa. 3600 PTR h0.n0.example.net.\n"));
        assert!(text("0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa").contains(" PTR h0.n0.example.net.\n"));
    }
}
