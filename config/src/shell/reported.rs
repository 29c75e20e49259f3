//! Host keys that installers reported to dhcpd with the end of an installation. They are expected of hosts of which the
//! inventory says none, so that first contact needs no trust.

use std::path::Path;
use std::time::Duration;

use daemon::control::{self, ControlError, Request};
use inventory_core::model::SshHostKey;
use serde_json::Value;

use super::select::{KeySource, Selected};

/// Where dhcpd listens unless it is told otherwise.
const USUAL: &str = "/run/hostbook/dhcpd.sock";
/// A daemon that takes longer is in trouble.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fills in the keys of the hosts that the inventory has none of, from dhcpd at `control` or at the usual place. Where
/// it cannot be asked, nothing is known of them but what ssh knows, and why is kept for when that is not enough.
pub fn fill(hosts: &mut [Selected], control: Option<&Path>) {
    let mut unknown =
        hosts.iter_mut().filter(|host| matches!(host.key_source, KeySource::Nobody(_))).peekable();
    if unknown.peek().is_none() {
        return;
    }
    let answer = control::ask(control.unwrap_or(Path::new(USUAL)), &Request::new("installed"), PATIENCE);
    match answer {
        Ok(installed) => unknown.for_each(|host| expect(host, keys(&installed, &host.target.fqdn))),
        Err(ControlError::NotRunning { .. }) if control.is_none() => {}
        Err(error) => unknown.for_each(|host| host.key_source = KeySource::Nobody(Some(error.to_string()))),
    }
}

fn expect(host: &mut Selected, keys: Vec<SshHostKey>) {
    if !keys.is_empty() {
        host.host_keys = keys;
        host.key_source = KeySource::Installer;
    }
}

fn keys(installed: &Value, fqdn: &str) -> Vec<SshHostKey> {
    let hosts = installed.as_array().map_or(&[][..], Vec::as_slice);
    let host = hosts.iter().find(|host| host["host"] == fqdn);
    let texts = host.and_then(|host| host["host_keys"].as_array()).into_iter().flatten();
    texts.filter_map(|text| text.as_str()?.parse().ok()).collect()
}
