//! What a running dhcpd knows of addresses: leases, addresses on probation.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use daemon::control::{self, ControlError, Request};
use dhcpd::core::{Record, State};
use inventory_core::mac::MacAddr;
use serde_json::Value;

/// Addresses that a running dhcpd has given out or saw in use.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) addresses: Vec<IpAddr>,
    /// Whether a dhcpd answered.
    pub(crate) asked: bool,
    /// Why nothing is known, where somebody was to be asked.
    pub(crate) trouble: Option<String>,
}

/// Asks dhcpd at `control`, or at the usual place if none is given. That none runs there is no trouble: what
/// the inventory says holds then.
pub(crate) fn held(control: &Option<PathBuf>) -> Held {
    match ask(control, "leases") {
        Ok(answer) => Held { addresses: addresses(&answer), asked: true, trouble: None },
        Err(trouble) => Held { trouble, ..Held::default() },
    }
}

/// Name of the network in which dhcpd has seen the machine with this address; `None` if it has not, or
/// cannot be asked.
pub(crate) fn seen_in(control: &Option<PathBuf>, mac: MacAddr) -> Option<String> {
    network_of(&ask(control, "status").ok()?, mac)
}

/// Leases of a running dhcpd as its core takes them up, and why they are not known, where they should be.
pub(crate) fn records(control: &Option<PathBuf>) -> (Vec<Record>, Option<String>) {
    match ask(control, "leases") {
        Ok(answer) => (answer.as_array().into_iter().flatten().filter_map(record).collect(), None),
        Err(trouble) => (Vec::new(), trouble),
    }
}

/// IPv4 addresses that a running dhcpd listens on.
pub(crate) fn listeners(control: &Option<PathBuf>) -> Vec<Ipv4Addr> {
    let status = ask(control, "status").unwrap_or_default();
    let texts = status["listeners"].as_array().into_iter().flatten().filter_map(Value::as_str);
    // `lan0 (10.20.0.2, 10.30.0.2)`
    let words = texts.flat_map(|text| text.split(['(', ')', ',', ' ']));
    words.filter_map(|word| word.parse().ok()).collect()
}

fn record(entry: &Value) -> Option<Record> {
    let seconds = entry["seconds_left"].as_u64()?;
    Some(Record {
        address: entry["address"].as_str()?.parse().ok()?,
        client: entry["client"].as_str()?.parse().ok()?,
        mac: entry["mac"].as_str().and_then(|text| text.parse().ok()),
        name: entry["name"].as_str().map(Into::into),
        relay_agent: None,
        state: match entry["state"].as_str()? {
            "bound" => State::Bound,
            "declined" => State::Declined,
            _ => State::Released,
        },
        written: entry["ends"].as_i64()?.saturating_sub_unsigned(seconds),
        seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
        clock: None,
    })
}

/// The answer; else why there is none, or `None` if nobody was told to run.
fn ask(control: &Option<PathBuf>, what: &str) -> Result<Value, Option<String>> {
    let path = control.as_deref().unwrap_or(Path::new(control::DHCPD));
    control::ask(path, &Request::new(what), control::PATIENCE).map_err(|error| match error {
        ControlError::NotRunning { .. } if control.is_none() => None,
        error => Some(error.to_string()),
    })
}

/// Every address of the answer, whatever else is told of it.
fn addresses(answer: &Value) -> Vec<IpAddr> {
    let entries = answer.as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["address"].as_str()?.parse().ok()).collect()
}

fn network_of(status: &Value, mac: MacAddr) -> Option<String> {
    let seen = status["seen"].as_array()?;
    let machine =
        seen.iter().find(|machine| machine["mac"].as_str().and_then(|text| text.parse().ok()) == Some(mac));
    machine?["network"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leases_are_read_as_dhcpd_tells_them() {
        let answer = json!([{ "address": "10.20.0.200", "state": "bound" }, { "address": "10.20.0.201" }]);
        assert_eq!(addresses(&answer), [IpAddr::from([10, 20, 0, 200]), IpAddr::from([10, 20, 0, 201])]);
        assert!(addresses(&json!([])).is_empty());
    }

    #[test]
    fn a_machine_that_was_seen_has_its_network() {
        let mac = MacAddr([0x52, 0x54, 0, 0xde, 0xad, 1]);
        let status = json!({ "seen": [{ "mac": "52:54:00:de:ad:01", "network": "servers" }] });
        assert_eq!(network_of(&status, mac).as_deref(), Some("servers"));
        assert_eq!(
            network_of(&json!({ "seen": [{ "mac": "52:54:00:de:ad:02", "network": "x" }] }), mac),
            None
        );
        assert_eq!(network_of(&json!({}), mac), None);
    }
}
