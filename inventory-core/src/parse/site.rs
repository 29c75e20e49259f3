//! `[site]` and `[zone."X"]`.

use ipnet::IpNet;

use super::field::{Field, Spanned};
use super::read::{self, Findings};
use super::transfer::{self, SecondaryDecl};
use super::unquoted;
use super::updates::{self, UpdatesDecl};
use crate::diag::{Finding, Rule};
use crate::model::{SigningAlgorithm, Zone};
use crate::name::Name;
use crate::records::{self, Record};
use crate::span::Span;
use crate::toml::{Entry, Kind, Table, Value};

/// `[site]` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteDecl {
    /// The header.
    pub span: Span,
    /// `site` in the header.
    pub key_span: Span,
    /// Whether something in the table could not be read, so that what seems missing may be there.
    pub vague: bool,
    /// Owner names of the name servers.
    pub nameservers: Field<Vec<Spanned<Name>>>,
    /// Mailbox of who is responsible, as a domain name.
    pub contact: Field<Name>,
    /// First octets of the hardware addresses that the tool makes.
    pub mac_prefix: Field<Box<[u8]>>,
    /// Who may copy the zones.
    pub secondaries: Field<Vec<Spanned<SecondaryDecl>>>,
    /// Name of the catalog zone.
    pub catalog: Field<Name>,
    /// Answers a second.
    pub rate_limit: Field<u32>,
    /// Where names of leases go.
    pub updates: Field<UpdatesDecl>,
}

/// `[zone."X"]` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneDecl {
    /// The apex.
    pub name: Name,
    /// The header.
    pub span: Span,
    /// The name in the header.
    pub key_span: Span,
    /// Whether something in the table could not be read, so that what seems missing may be there.
    pub vague: bool,
    /// TTL in seconds.
    pub ttl: Field<u32>,
    /// TTL of negative answers in seconds.
    pub negative_ttl: Field<u32>,
    /// Owner names of the name servers, instead of the site's.
    pub nameservers: Field<Vec<Spanned<Name>>>,
    /// Mailbox of who is responsible, instead of the site's.
    pub contact: Field<Name>,
    /// Records, with owners in and out of the zone.
    pub records: Vec<Record>,
    /// Path of a whole master file.
    pub file: Field<Box<str>>,
    /// Who may copy it, instead of the site's.
    pub secondaries: Field<Vec<Spanned<SecondaryDecl>>>,
    /// Who may ask about it.
    pub allow_query: Field<Vec<Spanned<IpNet>>>,
    /// What it is signed with; set to nothing: it is not.
    pub dnssec: Field<Option<SigningAlgorithm>>,
}

pub(super) const SITE_KEYS: &[&str] =
    &["nameservers", "contact", "mac-prefix", "secondaries", "catalog", "rate-limit", "updates"];
pub(super) const ZONE_KEYS: &[&str] = &[
    "ttl",
    "negative-ttl",
    "nameservers",
    "contact",
    "records",
    "file",
    "secondaries",
    "allow-query",
    "dnssec",
];

/// What a whole master file says itself.
const FILE_SAYS: &[&str] = &["records", "nameservers", "contact", "negative-ttl"];

/// Most answers a second: more than any network asks for.
const RATE_MAX: u32 = 1_000_000;

/// Longest TTL: 2^31 - 1 (RFC 2181, section 8).
pub(super) const TTL_MAX: u32 = 0x7fff_ffff;

pub(super) fn read_site(table: Table<'_, '_>, key_span: Span, findings: Findings<'_>) -> SiteDecl {
    let mut site = SiteDecl {
        span: table.span(),
        key_span,
        vague: false,
        nameservers: Field::Absent,
        contact: Field::Absent,
        mac_prefix: Field::Absent,
        secondaries: Field::Absent,
        catalog: Field::Absent,
        rate_limit: Field::Absent,
        updates: Field::Absent,
    };
    for entry in table.entries() {
        match entry.key() {
            "nameservers" => site.nameservers = read::list(entry, findings, host_fqdn),
            "contact" => site.contact = read::field(entry, findings, mailbox),
            "mac-prefix" => site.mac_prefix = read::field(entry, findings, mac_prefix),
            "secondaries" => site.secondaries = read::list(entry, findings, transfer::secondary),
            "catalog" => site.catalog = read::field(entry, findings, read::domain_name),
            "rate-limit" => {
                site.rate_limit = read::field(entry, findings, |v, f| read::number(v, 0, RATE_MAX, f));
            }
            "updates" => site.updates = read::field(entry, findings, updates::read),
            _ => {
                read::unknown_key(entry, "`[site]`", SITE_KEYS, findings);
                site.vague = true;
            }
        }
    }
    site
}

/// Refused if the zone's own name is no name, or lacks its quotes.
pub(super) fn read_zone(
    key: Spanned<&str>,
    table: Table<'_, '_>,
    findings: Findings<'_>,
) -> Result<ZoneDecl, Box<str>> {
    let Spanned { value: text, span } = key;
    let nested = table.entries().find(|entry| matches!(entry.value().kind(), Kind::Table(_)));
    if let Some(entry) = nested.filter(|entry| !ZONE_KEYS.contains(&entry.key())) {
        return Err(unquoted::report(key, entry, "a zone", ZONE_KEYS, findings));
    }
    let has_file = table.entries().any(|entry| entry.key() == "file");
    let name = apex(text, span, has_file, findings)?;
    let mut zone = ZoneDecl {
        name,
        span: table.span(),
        key_span: span,
        vague: false,
        ttl: Field::Absent,
        negative_ttl: Field::Absent,
        nameservers: Field::Absent,
        contact: Field::Absent,
        records: Vec::new(),
        file: Field::Absent,
        secondaries: Field::Absent,
        allow_query: Field::Absent,
        dnssec: Field::Absent,
    };
    for entry in table.entries() {
        match entry.key() {
            "ttl" => zone.ttl = read::field(entry, findings, |v, f| read::seconds(v, 0, TTL_MAX, f)),
            "negative-ttl" => {
                zone.negative_ttl = read::field(entry, findings, |v, f| read::seconds(v, 0, TTL_MAX, f));
            }
            "nameservers" => zone.nameservers = read::list(entry, findings, host_fqdn),
            "contact" => zone.contact = read::field(entry, findings, mailbox),
            "records" => zone.records = read_records(entry, &zone.name, findings),
            "file" => zone.file = read::field(entry, findings, read::path),
            "secondaries" => zone.secondaries = read::list(entry, findings, transfer::secondary),
            "dnssec" => zone.dnssec = read::field(entry, findings, signing),
            "allow-query" => zone.allow_query = read::list(entry, findings, transfer::clients),
            _ => {
                read::unknown_key(entry, "a zone", ZONE_KEYS, findings);
                zone.vague = true;
            }
        }
    }
    if let Field::Set(_, file) = &zone.file {
        let mut refused = false;
        for entry in table.entries().filter(|entry| FILE_SAYS.contains(&entry.key())) {
            let message = format!("a zone has either `file` or `{}`", entry.key());
            let finding = Finding::new(Rule::ConflictingKeys, entry.key_span(), message);
            let what = if entry.key() == "records" { "write the records" } else { "write it" };
            findings.push(
                finding.other(*file, "the whole master file").help(format!("{what} into the master file")),
            );
            refused = true;
        }
        if refused {
            zone.file = Field::Broken;
        }
    }
    Ok(zone)
}

/// Whether and how a zone is signed: `true`, `false`, or the word of an algorithm.
fn signing(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Option<SigningAlgorithm>> {
    const WORDS: &[(&str, SigningAlgorithm)] =
        &[("ecdsa-p256", SigningAlgorithm::EcdsaP256), ("ed25519", SigningAlgorithm::Ed25519)];
    match value.kind() {
        Kind::Boolean(on) => Some(on.then_some(SigningAlgorithm::EcdsaP256)),
        Kind::String(_) => read::choice(value, WORDS, findings).map(Some),
        _ => read::wrong_type(value, "`true`, `false`, \"ecdsa-p256\" or \"ed25519\"", findings),
    }
}

/// The name of a zone.
fn apex(text: &str, span: Span, has_file: bool, findings: Findings<'_>) -> Result<Name, Box<str>> {
    match Name::parse(text, None) {
        // A copy of the root (RFC 8806) is a master file; a site of one's own has no records there.
        Ok(name) if !name.is_root() || has_file => Ok(name),
        Ok(_) => {
            let finding = Finding::new(Rule::InvalidName, span, "the root is no zone of a site");
            findings.push(finding.help("name your own zone; a copy of the root has a `file`"));
            Err(text.into())
        }
        Err(error) => {
            findings.push(Finding::new(Rule::InvalidName, span, format!("zone name `{text}` {error}")));
            Err(text.into())
        }
    }
}

fn read_records(entry: Entry<'_, '_>, origin: &Name, findings: Findings<'_>) -> Vec<Record> {
    let value = entry.value();
    let Kind::String(text) = value.kind() else {
        let before = findings.len();
        read::wrong_type::<()>(value, "master-file lines in one string (\"\"\"…\"\"\")", findings);
        read::name_key(entry, before, findings);
        return Vec::new();
    };
    records::parse(text, origin, &|from, to| value.string_part(from, to), findings)
}

/// The name of a host: a domain name with a dot, so that nobody writes `ns1` and gets the root's.
pub(super) fn host_fqdn(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Name> {
    let name = read::domain_name(value, findings)?;
    if name.labels().count() > 1 {
        return Some(name);
    }
    let message = format!("name server `{name}` is not a full name");
    findings.push(
        Finding::new(Rule::InvalidName, value.span(), message)
            .help("write the whole name, as in `ns1.lab.example.org`"),
    );
    None
}

/// `hostmaster@lab.example.org` as the domain name that an SOA carries (RFC 1035, section 8).
fn mailbox(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Name> {
    let text = read::string(value, findings)?;
    let name = text.rsplit_once('@').and_then(|(local, domain)| {
        let domain = Name::parse(domain, None).ok().filter(|domain| domain.labels().count() > 1)?;
        (!local.is_empty() && !local.contains([' ', '@'])).then(|| domain.child(local).ok()).flatten()
    });
    if name.is_none() {
        let finding =
            Finding::new(Rule::InvalidName, value.span(), format!("`{text}` is not a mail address"));
        findings.push(finding.help("write it as in `hostmaster@lab.example.org`"));
    }
    name
}

/// One to five octets that make a locally administered unicast address (IEEE 802, section 8.2): nobody
/// else gives such addresses out.
fn mac_prefix(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<[u8]>> {
    let octets = read::octets(value, "MAC prefix", findings)?;
    if octets.len() <= 5 && octets[0] & 3 == 2 {
        return Some(octets);
    }
    let message = if octets.len() > 5 {
        "a MAC prefix has at most five octets"
    } else {
        "a MAC prefix is locally administered and unicast"
    };
    let finding = Finding::new(Rule::InvalidMac, value.span(), message);
    findings.push(finding.help("its second hexadecimal digit is 2, 6, a or e, as in `02:68:62`"));
    None
}

impl ZoneDecl {
    /// TTL of records that have none.
    pub fn ttl_seconds(&self) -> u32 {
        self.ttl.get().copied().unwrap_or(Zone::TTL_DEFAULT)
    }

    /// TTL of negative answers.
    pub fn negative_ttl_seconds(&self) -> u32 {
        self.negative_ttl.get().copied().unwrap_or(Zone::NEGATIVE_TTL_DEFAULT)
    }
}
