//! What a running dhcpd knows of addresses: leases, addresses on probation.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::control::{self, ControlError, Request};
use serde_json::Value;

/// Where dhcpd listens unless it is told otherwise.
pub(crate) const USUAL: &str = "/run/hostbook/dhcpd.sock";
/// A daemon that takes longer is in trouble.
const PATIENCE: Duration = Duration::from_secs(5);

/// Addresses that a running dhcpd has given out or saw in use.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) addresses: Vec<IpAddr>,
    /// Why nothing is known, where somebody was to be asked.
    pub(crate) trouble: Option<String>,
}

/// Asks dhcpd at `control`, or at the usual place if none is given. That none runs there is no trouble: what
/// the inventory says holds then.
pub(crate) fn held(control: &Option<PathBuf>) -> Held {
    let path = control.as_deref().unwrap_or(Path::new(USUAL));
    match control::ask(path, &Request::new("leases"), PATIENCE) {
        Ok(answer) => Held { addresses: addresses(&answer), trouble: None },
        // One without pools has no leases, and says that it knows no such question.
        Err(ControlError::Refused(_)) => Held::default(),
        Err(ControlError::NotRunning { .. }) if control.is_none() => Held::default(),
        Err(error) => Held { addresses: Vec::new(), trouble: Some(error.to_string()) },
    }
}

/// Every address of the answer, whatever else is told of it.
fn addresses(answer: &Value) -> Vec<IpAddr> {
    let entries = answer["leases"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["address"].as_str()?.parse().ok()).collect()
}
