//! BIND's zones: A, AAAA and PTR records are joined to hosts, the rest stays as records.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use inventory_core::diag::{Finding, Rule};
use inventory_core::name::Name;
use inventory_core::records::{Files, Record, Unopened, present, read_master};
use inventory_core::span::FileId;

use super::book::{Book, Card, Machine};
use crate::edit::quote;

/// Files beside the zone's own.
struct Beside {
    directory: PathBuf,
    texts: Vec<String>,
}

impl Files for Beside {
    fn open(&mut self, path: &str, _: FileId) -> Result<(FileId, String), Unopened> {
        let text = std::fs::read_to_string(self.directory.join(path)).map_err(|error| Unopened {
            rule: Rule::InvalidRecord,
            message: format!("`{path}` cannot be read: {error}"),
            help: "files are looked for beside the one that includes them",
        })?;
        self.texts.push(text.clone());
        Ok((FileId(u32::try_from(self.texts.len()).unwrap_or(u32::MAX)), text))
    }
}

/// The key of a host whose addresses have another TTL than its zone: of several the shortest, since what is kept for
/// longer than it was meant to be is wrong.
fn host_ttl(
    owner: &str,
    records: &[&Record],
    zone_ttl: Option<u32>,
    at: &str,
    book: &mut Book,
) -> Option<(String, String)> {
    let addresses = records.iter().filter(|record| is_address(record));
    let ttls: BTreeSet<u32> = addresses.filter_map(|record| record.ttl).collect();
    if ttls.len() > 1 {
        book.lose(
            at,
            format!("addresses of `{owner}` have several TTLs; a host has one, and gets the shortest"),
        );
    }
    let own = ttls.first().filter(|ttl| Some(**ttl) != zone_ttl)?;
    Some(("ttl".to_owned(), quote(&format!("{own}s"))))
}

/// The machine that a CNAME record names, with its alias.
fn alias(owner: &str, record: &Record, zone_ttl: Option<u32>, at: &str, book: &mut Book) -> Machine {
    if let Some(ttl) = record.ttl.filter(|ttl| Some(*ttl) != zone_ttl) {
        book.lose(at, format!("the TTL of alias `{owner}`, {ttl}: an alias has none of its own"));
    }
    let name = record.target.as_ref().map(ToString::to_string).unwrap_or_default();
    Machine { name, aliases: vec![owner.to_owned()], at: at.to_owned(), ..Machine::default() }
}

/// Reads the zone `apex` from a master file.
pub(super) fn read(name: &str, path: &Path, text: &str, apex: &Name, book: &mut Book) {
    let directory = path.parent().unwrap_or(Path::new(".")).to_owned();
    let mut files = Beside { directory, texts: Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    let records = read_master(FileId(0), text, apex, &mut files, &mut findings);
    for finding in findings {
        let line =
            text.get(..finding.span.start as usize).map_or(0, |before| before.matches('\n').count() + 1);
        book.lose(&format!("{name}:{line}"), finding.message);
    }
    let apex_text = apex.to_string();
    if apex_text.ends_with(".arpa") {
        return reverse(name, &records, book);
    }
    let mut by_owner: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for record in &records {
        by_owner.entry(record.owner.to_string()).or_default().push(record);
    }
    let zone_ttl = usual_ttl(&records);
    book.ttls.extend(zone_ttl.map(|ttl| (apex_text.clone(), ttl)));
    let cuts = cuts(&by_owner, &apex_text);
    let mut lines = Vec::new();
    for (owner, records) in &by_owner {
        let at = format!("{name}:{}", line_of(text, records[0]));
        let is_delegated = cuts.iter().any(|cut| owner == cut || owner.ends_with(&format!(".{cut}")));
        let is_host = *owner != apex_text
            && !is_delegated
            && !owner.starts_with('*')
            && owner.split('.').all(is_host_label);
        let has_address = records.iter().any(|record| is_address(record));
        let mut machine = Machine { name: owner.clone(), at: at.clone(), ..Machine::default() };
        let mut card = Card::default();
        if is_host {
            machine.keys.extend(host_ttl(owner, records, zone_ttl, &at, book));
        }
        for record in records {
            match record.rtype.mnemonic() {
                Some("SOA") => soa(record, book),
                Some("NS") if *owner == apex_text => {
                    let servers = book.nameservers.entry(apex_text.clone()).or_default();
                    servers.extend(record.target.as_ref().map(ToString::to_string));
                }
                // Below a cut the zone has addresses of name servers only (RFC 1034, section 4.2.1).
                Some("A" | "AAAA" | "NS" | "DS") if is_delegated => lines.push(shown(record)),
                _ if is_delegated => book.lose(&at, format!("`{}` lies below a delegation", shown(record))),
                Some("A" | "AAAA") if is_host => card.addresses.extend(address(record)),
                Some("CNAME") => {
                    let named = alias(owner, record, zone_ttl, &at, book);
                    book.machines.push(named);
                }
                _ => lines.push(shown(record)),
            }
        }
        if has_address && is_host {
            machine.cards = vec![card];
            book.machines.push(machine);
        }
    }
    book.zones.entry(apex_text).or_default().extend(lines);
}

/// The TTL that most of the records have that may be hosts' addresses or aliases.
fn usual_ttl(records: &[Record]) -> Option<u32> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    let of_hosts = records.iter().filter(|record| is_address(record) || is(record, "CNAME"));
    for ttl in of_hosts.filter_map(|record| record.ttl) {
        *counts.entry(ttl).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(ttl, _)| ttl)
}

/// Owners that are delegated.
fn cuts(by_owner: &BTreeMap<String, Vec<&Record>>, apex: &str) -> Vec<String> {
    let delegated = |records: &[&Record]| records.iter().any(|record| is(record, "NS"));
    let all = by_owner.iter().filter(|(owner, records)| *owner != apex && delegated(records));
    all.map(|(owner, _)| owner.clone()).collect()
}

fn is(record: &Record, rtype: &str) -> bool {
    record.rtype.mnemonic() == Some(rtype)
}

fn is_host_label(label: &str) -> bool {
    inventory_core::name::reject_host_label(label).is_none()
}

fn is_address(record: &Record) -> bool {
    matches!(record.rtype.mnemonic(), Some("A" | "AAAA"))
}

fn address(record: &Record) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(&*record.rdata).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(&*record.rdata).map(IpAddr::from)).ok()
}

/// Owner, TTL if it has one, type, data: a line of a master file.
fn shown(record: &Record) -> String {
    let ttl = record.ttl.map(|ttl| format!(" {ttl}")).unwrap_or_default();
    format!("{}.{ttl} {} {}", record.owner, record.rtype, present(record.rtype, &record.rdata))
}

/// The mailbox of a SOA record.
fn soa(record: &Record, book: &mut Book) {
    let data = present(record.rtype, &record.rdata);
    if let Some(mailbox) = data.split_whitespace().nth(1) {
        let mailbox = mailbox.trim_end_matches('.');
        if let Some((user, domain)) = mailbox.split_once('.').filter(|(user, _)| !user.contains('\\')) {
            book.contact.get_or_insert_with(|| format!("{user}@{domain}"));
        }
    }
}

/// PTR records follow from the hosts; those that do not are lost.
fn reverse(name: &str, records: &[Record], book: &mut Book) {
    for record in records {
        match record.rtype.mnemonic() {
            Some("SOA" | "NS") => {}
            Some("PTR") => {
                let target = record.target.as_ref().map(ToString::to_string).unwrap_or_default();
                book.reverse.push((record.owner.to_string(), target, name.to_owned()));
            }
            _ => book.lose(name, format!("`{}`", shown(record))),
        }
    }
}

fn line_of(text: &str, record: &Record) -> usize {
    text.get(..record.span.start as usize).map_or(0, |before| before.matches('\n').count() + 1)
}

/// The apex that a file is of: what follows `ZONE=`, its `$ORIGIN`, or its name.
pub(super) fn apex(argument: &str, text: &str) -> Option<(Name, PathBuf)> {
    if let Some((zone, path)) = argument.split_once('=') {
        return Some((Name::parse(zone, None).ok()?, PathBuf::from(path)));
    }
    let path = PathBuf::from(argument);
    let origin = text
        .lines()
        .find_map(|line| line.strip_prefix("$ORIGIN"))
        .map(|rest| rest.trim().trim_end_matches('.'));
    let file = path.file_name()?.to_string_lossy().into_owned();
    let plain = file.trim_start_matches("db.").trim_end_matches(".zone").trim_end_matches(".db").to_owned();
    let name = Name::parse(origin.unwrap_or(&plain), None).ok()?;
    Some((name, path))
}
