//! `services` of a host: what it offers, to be found by browsing (RFC 6763).

use super::field::{Field, Spanned};
use super::read::{self, Findings};
use crate::diag::{Finding, Rule};
use crate::span::Span;
use crate::toml::{Kind, Value};

/// One of `services` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceDecl {
    /// Name of the service and its protocol.
    pub kind: (Box<str>, &'static str),
    /// Its port.
    pub port: u16,
    /// What people choose it by; the host's name if nothing is written.
    pub name: Option<Spanned<Box<str>>>,
    /// RDATA of the TXT record.
    pub txt: Box<[u8]>,
    /// Subtypes.
    pub subtypes: Vec<Box<str>>,
    /// Where it is written.
    pub span: Span,
}

pub(super) const KEYS: &[&str] = &["type", "port", "name", "txt", "subtypes"];

/// Octets of a label, and of a string in TXT records.
const LABEL_OCTETS: usize = 63;
const TEXT_OCTETS: usize = 255;
const TYPE_HELP: &str = "write it as in `type = \"_ipp._tcp\"`; names are in IANA's registry of services";

pub(super) fn read(value: Value<'_, '_>, findings: Findings<'_>) -> Option<ServiceDecl> {
    let Kind::Table(table) = value.kind() else {
        return read::wrong_type(value, "a table such as { type = \"_ipp._tcp\", port = 631 }", findings);
    };
    let (mut kind, mut port, mut name) = (Field::Absent, Field::Absent, Field::Absent);
    let (mut txt, mut subtypes) = (Field::Absent, Field::Absent);
    let mut vague = false;
    for entry in table.entries() {
        match entry.key() {
            "type" => kind = read::field(entry, findings, service_type),
            "port" => port = read::field(entry, findings, |value, f| read::number(value, 1, 65_535, f)),
            "name" => name = read::field(entry, findings, instance),
            "txt" => txt = read::list(entry, findings, text),
            "subtypes" => subtypes = read::list(entry, findings, subtype),
            _ => {
                read::unknown_key(entry, "a service", KEYS, findings);
                vague = true;
            }
        }
    }
    for (key, is_absent) in [("type", kind.is_absent()), ("port", port.is_absent())] {
        if is_absent && !vague {
            let finding = Finding::new(Rule::MissingKey, table.span(), format!("a service has no `{key}`"));
            findings.push(finding.help("write both, as in `{ type = \"_ipp._tcp\", port = 631 }`"));
        }
    }
    if vague || name.is_broken() || txt.is_broken() || subtypes.is_broken() {
        return None;
    }
    let port = u16::try_from(*port.get()?).ok()?;
    let texts: Vec<Spanned<Box<str>>> = txt.get().cloned().unwrap_or_default();
    Some(ServiceDecl {
        kind: kind.get().cloned()?,
        port,
        name: name.get().cloned().zip(name.span()).map(|(value, span)| Spanned { value, span }),
        txt: rdata(&texts, findings)?,
        subtypes: subtypes.get().into_iter().flatten().map(|one| one.value.clone()).collect(),
        span: table.span(),
    })
}

/// `_name._tcp` (RFC 6335, section 5.1).
fn service_type(value: Value<'_, '_>, findings: Findings<'_>) -> Option<(Box<str>, &'static str)> {
    let written = read::string(value, findings)?;
    let parts = written.split_once('.').filter(|(service, _)| service.starts_with('_'));
    let protocol = parts.and_then(|(_, protocol)| ["_tcp", "_udp"].into_iter().find(|one| *one == protocol));
    let name = parts.map_or("", |(service, _)| service.trim_start_matches('_'));
    let fits = (1..=15).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        && name.bytes().any(|octet| octet.is_ascii_alphabetic())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    match protocol.filter(|_| fits && parts.is_some_and(|(service, _)| service.len() == name.len() + 1)) {
        Some(protocol) => Some((format!("_{}", name.to_ascii_lowercase()).into(), protocol)),
        None => {
            let why = format!("`{written}` is no type of service");
            read::refuse(Rule::InvalidName, value, why, TYPE_HELP, findings)
        }
    }
}

/// The name of an instance (RFC 6763, section 4.1.1).
fn instance(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    let written = read::string(value, findings)?;
    if !written.is_empty() && written.len() <= LABEL_OCTETS && !written.chars().any(char::is_control) {
        return Some(written.into());
    }
    let help = "write a short name for people, as in `name = \"Office Printer\"`";
    read::refuse(
        Rule::InvalidName,
        value,
        "a name of a service has 1 to 63 octets, and no control characters",
        help,
        findings,
    )
}

/// `_universal` (RFC 6763, section 7.1).
fn subtype(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    let written = read::string(value, findings)?;
    if written.starts_with('_') && (2..=LABEL_OCTETS).contains(&written.len()) && written.is_ascii() {
        return Some(written.to_ascii_lowercase().into());
    }
    let why = format!("`{written}` is no subtype");
    let help = "write one label that begins with `_`, as in `subtypes = [\"_universal\"]`";
    read::refuse(Rule::InvalidName, value, why, help, findings)
}

/// A key, perhaps with a value (RFC 6763, sections 6.3 to 6.5).
fn text(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    let written = read::string(value, findings)?;
    let key = written.split('=').next().unwrap_or_default();
    if !key.is_empty()
        && key.bytes().all(|octet| (0x20..0x7f).contains(&octet))
        && written.len() <= TEXT_OCTETS
    {
        return Some(written.into());
    }
    let why =
        "a text of a service is a key of printable ASCII, perhaps `=` and a value, of 255 octets in all";
    read::refuse(Rule::InvalidRecord, value, why, "write it as in `txt = [\"rp=ipp/print\"]`", findings)
}

/// The TXT record: one empty text if there is none (section 6.1). `None` if a key comes twice.
fn rdata(texts: &[Spanned<Box<str>>], findings: Findings<'_>) -> Option<Box<[u8]>> {
    let key = |text: &str| text.split('=').next().unwrap_or_default().to_ascii_lowercase();
    for (place, text) in texts.iter().enumerate() {
        let before = texts.iter().take(place).find(|other| key(&other.value) == key(&text.value));
        if let Some(other) = before {
            let message = format!("key `{}` comes twice, and only the first counts", key(&text.value));
            findings
                .push(Finding::new(Rule::DefinedTwice, text.span, message).other(other.span, "first here"));
            return None;
        }
    }
    if texts.is_empty() {
        return Some([0].into());
    }
    let octets = texts.iter().flat_map(|text| {
        let length = u8::try_from(text.value.len()).unwrap_or(u8::MAX);
        std::iter::once(length).chain(text.value.bytes())
    });
    Some(octets.collect())
}
