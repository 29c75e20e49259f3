//! `port`: the port of a relay agent that a machine is behind (RFC 3046).

use super::read::{self, Findings};
use crate::diag::{Finding, Rule};
use crate::model::PortId;
use crate::toml::{Kind, Value};

/// `port = "circuit"` or `port = { remote-id = "sw1", circuit-id = "7" }`.
pub(super) fn port(value: Value<'_, '_>, findings: Findings<'_>) -> Option<PortId> {
    if let Kind::String(text) = value.kind()
        && !text.is_empty()
        && !text.starts_with("0x")
    {
        return Some(PortId { remote_id: None, circuit_id: text.as_bytes().into() });
    }
    let Kind::Table(table) = value.kind() else {
        let circuit_id = read::octets(value, "relay port", findings)?;
        return Some(PortId { remote_id: None, circuit_id });
    };
    let (mut remote_id, mut circuit_id) = (None, None);
    for entry in table.entries() {
        let plain = |value: Value<'_, '_>, findings: Findings<'_>| match value.kind() {
            Kind::String(text) if !text.is_empty() && !text.starts_with("0x") => Some(text.as_bytes().into()),
            _ => read::octets(value, "relay port", findings),
        };
        match entry.key() {
            "remote-id" => remote_id = Some(plain(entry.value(), findings)?),
            "circuit-id" => circuit_id = Some(plain(entry.value(), findings)?),
            _ => {
                read::unknown_key(entry, "a port", &["remote-id", "circuit-id"], findings);
                // What was meant may be what is missing.
                circuit_id.as_ref()?;
            }
        }
    }
    let Some(circuit_id) = circuit_id else {
        let finding = Finding::new(Rule::MissingKey, value.span(), "the port has no `circuit-id`");
        findings.push(finding.help("add `circuit-id`: what the relay agent calls the port"));
        return None;
    };
    Some(PortId { remote_id, circuit_id })
}
