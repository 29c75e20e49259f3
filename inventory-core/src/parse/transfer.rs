//! `[key.NAME]` and the `secondaries` of site and zones: who may copy zones, and how they prove it.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::field::{Field, Spanned};
use super::read::{self, Findings};
use crate::diag::{Finding, Rule};
use crate::model::KeyAlgorithm;
use crate::name::Name;
use crate::span::Span;
use crate::toml::{Kind, Table, Value};

/// `[key.NAME]` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDecl {
    /// Its name.
    pub name: Name,
    /// The header.
    pub span: Span,
    /// How messages are signed with it.
    pub algorithm: Field<KeyAlgorithm>,
    /// Absolute path of the file that holds the secret.
    pub file: Field<Box<str>>,
}

/// One of `secondaries` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondaryDecl {
    /// From where it asks.
    pub net: IpNet,
    /// Where it is told of changes; nowhere for a whole network.
    pub notify: Option<SocketAddr>,
    /// The key that it signs with.
    pub key: Option<Spanned<Name>>,
}

pub(super) const KEY_KEYS: &[&str] = &["algorithm", "file"];
pub(super) const SECONDARY_KEYS: &[&str] = &["address", "key", "notify"];

/// Port that secondaries listen on where nothing else is written.
const PORT: u16 = 53;

/// Refused if the key's own name is no name.
pub(super) fn read_key(
    key: Spanned<&str>,
    table: Table<'_, '_>,
    findings: Findings<'_>,
) -> Result<KeyDecl, Box<str>> {
    let name = match Name::parse(key.value, None) {
        Ok(name) if !name.is_root() => name,
        refused => {
            let why = refused.err().map_or_else(|| "is empty".to_owned(), |error| error.to_string());
            let message = format!("key name `{}` {why}", key.value);
            findings.push(Finding::new(Rule::InvalidName, key.span, message));
            return Err(key.value.into());
        }
    };
    let mut decl = KeyDecl { name, span: table.span(), algorithm: Field::Absent, file: Field::Absent };
    let mut vague = false;
    for entry in table.entries() {
        match entry.key() {
            "algorithm" => {
                decl.algorithm = read::field(entry, findings, |value, findings| {
                    read::choice(value, &KeyAlgorithm::ALL.map(|one| (one.word(), one)), findings)
                });
            }
            "file" => decl.file = read::field(entry, findings, absolute),
            _ => {
                read::unknown_key(entry, "a key", KEY_KEYS, findings);
                vague = true;
            }
        }
    }
    if decl.file.is_absent() && !vague {
        let message = format!("key `{}` has no `file`", decl.name);
        findings.push(
            Finding::new(Rule::MissingKey, table.span(), message).help(
                "name the file that holds its secret, as in `file = \"/etc/hostbook-keys/transfer.key\"`",
            ),
        );
    }
    Ok(decl)
}

/// A path from the root of the file system: secrets lie outside the inventory.
fn absolute(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    let text = read::string(value, findings)?;
    if text.starts_with('/') && !text.contains('\0') {
        return Some(text.into());
    }
    let why = format!("the file of a key is not absolute: `{text}`");
    let help =
        "secrets lie outside the inventory: write the whole path, as in `/etc/hostbook-keys/transfer.key`";
    read::refuse(Rule::SecretInside, value, why, help, findings)
}

/// An address, or a table with more.
pub(super) fn secondary(value: Value<'_, '_>, findings: Findings<'_>) -> Option<SecondaryDecl> {
    let table = match value.kind() {
        Kind::String(_) => {
            let (net, notify) = place(value, findings)?;
            return Some(SecondaryDecl { net, notify, key: None });
        }
        Kind::Table(table) => table,
        _ => {
            return read::wrong_type(
                value,
                "an address or a table such as { address = …, key = … }",
                findings,
            );
        }
    };
    let (mut address, mut key, mut notify) = (Field::Absent, Field::Absent, Field::Absent);
    let mut vague = false;
    for entry in table.entries() {
        match entry.key() {
            "address" => address = read::field(entry, findings, place),
            "key" => key = read::field(entry, findings, read::domain_name),
            "notify" => notify = read::field(entry, findings, read::boolean),
            _ => {
                read::unknown_key(entry, "a secondary", SECONDARY_KEYS, findings);
                vague = true;
            }
        }
    }
    if address.is_absent() && !vague {
        let finding = Finding::new(Rule::MissingKey, table.span(), "a secondary has no `address`");
        findings.push(finding.help("write from where it asks, as in `address = \"10.20.0.3\"`"));
    }
    if vague || key.is_broken() || notify.is_broken() {
        return None;
    }
    let (net, to) = address.get().copied()?;
    let key = key.get().cloned().zip(key.span()).map(|(value, span)| Spanned { value, span });
    Some(SecondaryDecl { net, notify: to.filter(|_| notify.get() != Some(&false)), key })
}

/// An address or a prefix.
pub(super) fn clients(value: Value<'_, '_>, findings: Findings<'_>) -> Option<IpNet> {
    let text = read::string(value, findings)?;
    let net = text.parse::<IpAddr>().ok().map(IpNet::from).or_else(|| text.parse().ok());
    match net {
        Some(net) if net.trunc() == net => Some(net),
        Some(net) => host_bits(net, value, findings),
        None => {
            let why = format!("`{text}` is neither an address nor a prefix");
            let help = "write it as in `10.20.0.3` or `10.20.0.0/24`";
            read::refuse(Rule::InvalidAddress, value, why, help, findings)
        }
    }
}

fn host_bits<T>(net: IpNet, value: Value<'_, '_>, findings: Findings<'_>) -> Option<T> {
    let help = format!("the network is `{}`", net.trunc());
    read::refuse(Rule::InvalidPrefix, value, format!("`{net}` has host bits set"), &help, findings)
}

/// An address, perhaps with the port that is told of changes, or a prefix.
fn place(value: Value<'_, '_>, findings: Findings<'_>) -> Option<(IpNet, Option<SocketAddr>)> {
    let text = read::string(value, findings)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address.into(), Some(SocketAddr::new(address, PORT))));
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some((socket.ip().into(), Some(socket)));
    }
    match text.parse::<IpNet>() {
        Ok(net) if net.trunc() == net => Some((net, None)),
        Ok(net) => host_bits(net, value, findings),
        Err(_) => {
            let why = format!("`{text}` is neither an address nor a prefix");
            let help = "write it as in `10.20.0.3`, `10.20.0.3:5353`, `[2001:db8::3]:53` or `10.20.0.0/24`";
            read::refuse(Rule::InvalidAddress, value, why, help, findings)
        }
    }
}
