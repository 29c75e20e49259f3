//! `updates` of the site: where names of leases go, and what they are signed with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::field::{Field, Spanned};
use super::read::{self, Findings};
use crate::diag::{Finding, Rule};
use crate::name::Name;
use crate::toml::{Kind, Value};

/// `updates` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatesDecl {
    /// The key that they are signed with.
    pub key: Spanned<Name>,
    /// The server that takes them.
    pub server: SocketAddr,
}

pub(super) const KEYS: &[&str] = &["key", "server"];

/// Where dnsd is asked when nothing else is written.
const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);
const PORT: u16 = 53;

pub(super) fn read(value: Value<'_, '_>, findings: Findings<'_>) -> Option<UpdatesDecl> {
    let Kind::Table(table) = value.kind() else {
        return read::wrong_type(value, "a table such as { key = …, server = … }", findings);
    };
    let (mut key, mut at) = (Field::Absent, Field::Absent);
    let mut vague = false;
    for entry in table.entries() {
        match entry.key() {
            "key" => key = read::field(entry, findings, read::domain_name),
            "server" => at = read::field(entry, findings, server),
            _ => {
                read::unknown_key(entry, "`updates`", KEYS, findings);
                vague = true;
            }
        }
    }
    if key.is_absent() && !vague {
        let finding = Finding::new(Rule::MissingKey, table.span(), "`updates` have no `key`");
        findings.push(finding.help("name the key that both daemons know, as in `key = \"leases\"`"));
    }
    if vague || at.is_broken() {
        return None;
    }
    let (value, span) = (key.get().cloned()?, key.span()?);
    Some(UpdatesDecl { key: Spanned { value, span }, server: at.get().copied().unwrap_or(HERE) })
}

/// An address, perhaps with a port.
pub(super) fn server(value: Value<'_, '_>, findings: Findings<'_>) -> Option<SocketAddr> {
    let text = read::string(value, findings)?;
    let bare = text.parse().map(|address| SocketAddr::new(address, PORT));
    if let Ok(server) = bare.or_else(|_| text.parse::<SocketAddr>()) {
        return Some(server);
    }
    let help = "write it as in `10.20.0.2`, `127.0.0.1:5353` or `[2001:db8::2]:53`";
    let why = format!("`{text}` is no address of a server");
    read::refuse(Rule::InvalidAddress, value, why, help, findings)
}
