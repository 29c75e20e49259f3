//! Live leases of other servers, for dhcpd's store: so that a migration loses nobody.
//!
//! Written as JSON lines, which `hostbook-dhcpd --import-leases -` takes in before it starts.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use dhcpd::core::{ClientKey, Record, State};
use inventory_core::mac::MacAddr;

use crate::exit::{Failure, Outcome};
use crate::{moment, output};

#[derive(Debug, Args)]
pub(crate) struct ImportLeases {
    /// Whose they are.
    #[arg(value_name = "FORMAT")]
    format: Format,
    /// The files; what a later one says of an address counts.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Lease files that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Kea's memfile, kea-leases4.csv.
    Kea,
    /// ISC's dhcpd.leases.
    Isc,
    /// dnsmasq.leases.
    Dnsmasq,
}

/// Seconds of a lease that never ends.
const FOR_EVER: u32 = u32::MAX;

/// Prints the leases that have not ended, a JSON object a line.
pub(crate) fn run(args: &ImportLeases) -> Outcome {
    let now = moment::now();
    let mut found: BTreeMap<Ipv4Addr, Option<Record>> = BTreeMap::new();
    let mut lost = 0;
    for path in &args.files {
        let octets = std::fs::read(path)
            .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
        let text = String::from_utf8_lossy(&octets);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut take = |number: usize, entry: Result<Option<Lease>, String>| match entry {
            Ok(Some(lease)) => drop(found.insert(lease.address, lease.record(now))),
            Ok(None) => {}
            Err(why) => {
                eprintln!("{name}:{number}: {why}");
                lost += 1;
            }
        };
        match args.format {
            Format::Kea => kea(&text).into_iter().for_each(|(number, entry)| take(number, entry)),
            Format::Isc => isc(&text).into_iter().for_each(|(number, entry)| take(number, entry)),
            Format::Dnsmasq => {
                dnsmasq(&text, now).into_iter().for_each(|(number, entry)| take(number, entry));
            }
        }
    }
    for record in found.values().flatten() {
        output::line(&serde_json::to_string(record).map_err(Failure::new)?);
    }
    if lost > 0 {
        Err(Failure::new(format!("{lost} leases could not be read")))
    } else {
        Ok(ExitCode::SUCCESS)
    }
}

/// A lease as another server wrote it.
#[derive(Debug)]
struct Lease {
    address: Ipv4Addr,
    mac: Option<MacAddr>,
    /// Client identifier, whole value.
    id: Option<Vec<u8>>,
    name: Option<String>,
    /// Seconds since 1970; `None`: it never ends.
    ends: Option<i64>,
    /// Seconds that it was given for, where that is written.
    given: Option<u32>,
    state: Option<State>,
}

type Entries = Vec<(usize, Result<Option<Lease>, String>)>;

impl Lease {
    /// The one of `address`, of which nothing else is known yet.
    fn of(address: Ipv4Addr) -> Lease {
        Lease { address, mac: None, id: None, name: None, ends: None, given: None, state: None }
    }

    /// As dhcpd keeps it; `None` if it has ended, or is nobody's.
    fn record(&self, now: i64) -> Option<Record> {
        let state = self.state?;
        let (written, seconds) = match self.ends {
            None => (now, FOR_EVER),
            Some(ends) if ends <= now => return None,
            Some(ends) => {
                let given = self.given.unwrap_or_else(|| u32::try_from(ends - now).unwrap_or(FOR_EVER));
                (ends - i64::from(given), given)
            }
        };
        let of_mac = self.mac.map(|mac| [&[1], &mac.0[..]].concat());
        let client = match (&self.id, self.mac) {
            (Some(id), _) if id.len() >= 2 && Some(id) != of_mac.as_ref() => {
                let digits: String = id.iter().map(|octet| format!(":{octet:02x}")).collect();
                format!("id{digits}").parse().ok()?
            }
            (_, Some(mac)) => ClientKey::of_mac(mac),
            _ => return None,
        };
        let name = self.name.clone().filter(|name| !name.is_empty()).map(Into::into);
        Some(Record {
            address: self.address.into(),
            client,
            mac: self.mac,
            name,
            relay_agent: None,
            state,
            written,
            seconds,
            clock: None,
        })
    }
}

fn octets(text: &str) -> Option<Vec<u8>> {
    text.split(':').map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// Columns are named by the first line.
fn kea(text: &str) -> Entries {
    let mut lines = (1..).zip(text.lines());
    let heads: Vec<&str> = lines.next().map(|(_, line)| line.split(',').collect()).unwrap_or_default();
    let read = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |name: &str| {
            let at = heads.iter().position(|head| *head == name)?;
            cells.get(at).copied().filter(|cell| !cell.is_empty())
        };
        let address = cell("address").and_then(|text| text.parse().ok()).ok_or("no IPv4 address")?;
        let ends: i64 = cell("expire").and_then(|text| text.parse().ok()).ok_or("no time of its end")?;
        let given = cell("valid_lifetime").and_then(|text| text.parse().ok());
        Ok(Some(Lease {
            address,
            mac: cell("hwaddr").and_then(|text| text.parse().ok()),
            id: cell("client_id").and_then(octets),
            name: cell("hostname").map(|name| name.trim_end_matches('.').replace("&#x2c", ",")),
            ends: (given != Some(FOR_EVER)).then_some(ends),
            given,
            state: match cell("state") {
                Some("0") | None => Some(State::Bound),
                Some("1") => Some(State::Declined),
                _ => None,
            },
        }))
    };
    lines.filter(|(_, line)| !line.trim().is_empty()).map(|(number, line)| (number, read(line))).collect()
}

/// `lease ADDRESS { … }`; a later block of an address counts.
fn isc(text: &str) -> Entries {
    let mut entries = Entries::new();
    let mut open: Option<(usize, Lease)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let words: Vec<&str> = line.trim().trim_end_matches([';', '{']).split_whitespace().collect();
        match words.as_slice() {
            ["lease", address] => match address.parse() {
                Ok(address) => open = Some((number, Lease::of(address))),
                Err(_) => entries.push((number, Err(format!("`{address}` is no IPv4 address")))),
            },
            ["}"] => entries.extend(open.take().map(|(number, lease)| (number, Ok(Some(lease))))),
            words => {
                let told = open.as_mut().map_or(Ok(()), |(_, lease)| lease.isc(words, line));
                if let Err(why) = told {
                    open = None;
                    entries.push((number, Err(why)));
                }
            }
        }
    }
    entries
}

impl Lease {
    /// Takes one statement of a block.
    fn isc(&mut self, words: &[&str], line: &str) -> Result<(), String> {
        match words {
            ["ends", "never"] => self.ends = None,
            ["ends", "epoch", seconds, ..] => self.ends = seconds.parse().ok(),
            ["ends", _, date, time] => {
                self.ends = Some(unix(date, time).ok_or_else(|| format!("`{line}` is no time"))?);
            }
            ["binding", "state", "active"] => self.state = Some(State::Bound),
            ["binding", "state", "abandoned"] => self.state = Some(State::Declined),
            ["binding", "state", _] => self.state = None,
            ["hardware", "ethernet", mac] => self.mac = mac.parse().ok(),
            ["uid", ..] => {
                let value = line.trim().trim_start_matches("uid").trim().trim_end_matches(';');
                self.id = if value.starts_with('"') {
                    Some(unescaped(value.trim_matches('"')))
                } else {
                    octets(value)
                };
            }
            ["client-hostname", ..] => self.name = line.split('"').nth(1).map(str::to_owned),
            _ => {}
        }
        Ok(())
    }
}

/// A string with escapes of three octal digits.
fn unescaped(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                octets.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            (b'\\', [escaped, after @ ..]) => {
                octets.push(*escaped);
                rest = after;
            }
            _ => octets.push(*first),
        }
    }
    octets
}

/// `2026/11/25` and `12:00:00`, in UTC, as seconds since 1970.
fn unix(date: &str, time: &str) -> Option<i64> {
    moment::parse(&format!("{}T{time}Z", date.replace('/', "-"))).ok()
}

/// `ENDS MAC ADDRESS NAME CLIENT-ID`; `*` stands for nothing.
fn dnsmasq(text: &str, now: i64) -> Entries {
    let read = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [ends, mac, address, rest @ ..] = words.as_slice() else {
            // The server's DUID stands before the leases of DHCPv6.
            return if words.first() == Some(&"duid") { Ok(None) } else { Err(format!("`{line}`")) };
        };
        let Ok(address) = address.parse() else {
            return if address.contains(':') {
                Ok(None)
            } else {
                Err(format!("`{address}` is no IPv4 address"))
            };
        };
        let ends: i64 = ends.parse().map_err(|_| format!("`{ends}` is no time"))?;
        let given = |at: usize| rest.get(at).copied().filter(|word| *word != "*");
        Ok(Some(Lease {
            address,
            mac: mac.parse().ok(),
            id: given(1).and_then(octets),
            name: given(0).map(str::to_owned),
            ends: (ends != 0).then_some(ends),
            given: u32::try_from(ends - now).ok(),
            state: Some(State::Bound),
        }))
    };
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| (number, read(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000;

    fn records(entries: Entries) -> Vec<String> {
        let records =
            entries.into_iter().filter_map(|(_, entry)| entry.unwrap().and_then(|lease| lease.record(NOW)));
        records.map(|record| serde_json::to_string(&record).unwrap()).collect()
    }

    #[test]
    fn keas_leases_keep_their_client_and_their_end() {
        let text = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n\
            10.0.0.5,52:54:00:00:00:01,01:52:54:00:00:00:01,3600,1795000600,1,0,0,laptop.,0,,0\n\
            10.0.0.6,52:54:00:00:00:02,ff:00:00:00:01:aa,3600,1795000600,1,0,0,,0,,0\n\
            10.0.0.7,52:54:00:00:00:03,,3600,1794999999,1,0,0,,0,,0\n\
            10.0.0.8,52:54:00:00:00:04,,3600,1795000600,1,0,0,,2,,0\n";
        assert_eq!(
            records(kea(text)),
            [
                r#"{"address":"10.0.0.5","client":"hw:01:52:54:00:00:00:01","mac":"52:54:00:00:00:01","name":"laptop","state":"bound","written":1794997000,"seconds":3600}"#,
                r#"{"address":"10.0.0.6","client":"id:ff:00:00:00:01:aa","mac":"52:54:00:00:00:02","state":"bound","written":1794997000,"seconds":3600}"#,
            ]
        );
    }

    #[test]
    fn iscs_blocks_are_read_with_their_times_and_escapes() {
        assert_eq!(unix("1970/01/01", "00:00:00"), Some(0));
        assert_eq!(unix("2000/02/29", "12:00:00"), Some(951_825_600));
        let text = "lease 10.0.0.5 {\n  starts 3 2026/11/18 09:00:00;\n  ends epoch 1795000600;\n  binding state active;\n  hardware ethernet 52:54:00:00:00:01;\n  uid \"\\001RT\\000\\000\\000\\001\";\n  client-hostname \"laptop\";\n}\nlease 10.0.0.6 {\n  ends never;\n  binding state active;\n  hardware ethernet 52:54:00:00:00:02;\n  uid ff:00:01;\n}\nlease 10.0.0.7 {\n  ends epoch 1795000600;\n  binding state free;\n  hardware ethernet 52:54:00:00:00:03;\n}\n";
        assert_eq!(
            records(isc(text)),
            [
                r#"{"address":"10.0.0.5","client":"hw:01:52:54:00:00:00:01","mac":"52:54:00:00:00:01","name":"laptop","state":"bound","written":1795000000,"seconds":600}"#,
                r#"{"address":"10.0.0.6","client":"id:ff:00:01","mac":"52:54:00:00:00:02","state":"bound","written":1795000000,"seconds":4294967295}"#,
            ]
        );
        assert!(isc("lease 10.0.0.9 {\n  ends 3 nonsense 1;\n}\n")[0].1.is_err());
    }

    #[test]
    fn dnsmasqs_lines_are_read() {
        let text = "1795000600 52:54:00:00:00:01 10.0.0.5 laptop 01:52:54:00:00:00:01\n0 52:54:00:00:00:02 10.0.0.6 * *\nduid 00:01:00:01\n1795000600 123 2001:db8::5 six 00:01\n";
        assert_eq!(
            records(dnsmasq(text, NOW)),
            [
                r#"{"address":"10.0.0.5","client":"hw:01:52:54:00:00:00:01","mac":"52:54:00:00:00:01","name":"laptop","state":"bound","written":1795000000,"seconds":600}"#,
                r#"{"address":"10.0.0.6","client":"hw:01:52:54:00:00:00:02","mac":"52:54:00:00:00:02","state":"bound","written":1795000000,"seconds":4294967295}"#,
            ]
        );
    }
}
