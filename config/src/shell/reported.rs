//! Host keys that installers reported to dhcpd with the end of an installation. They are expected of hosts of which the
//! inventory says none, so that first contact needs no trust.

use std::collections::HashMap;
use std::path::Path;

use daemon::control::{self, ControlError, Request};
use inventory_core::model::SshHostKey;
use serde_json::Value;

use super::select::{KeySource, Selected};

/// Fills in the keys of the hosts that the inventory has none of, from dhcpd at `control` or at the usual place. Where
/// it cannot be asked, nothing is known of them but what ssh knows, and why is kept for when that is not enough.
pub fn fill(hosts: &mut [Selected], control: Option<&Path>) {
    let mut unknown =
        hosts.iter_mut().filter(|host| matches!(host.key_source, KeySource::Nobody(_))).peekable();
    if unknown.peek().is_none() {
        return;
    }
    let answer = control::ask(
        control.unwrap_or(Path::new(control::DHCPD)),
        &Request::new("installed"),
        control::PATIENCE,
    );
    match answer {
        Ok(installed) => {
            let reported = keys(&installed);
            unknown.for_each(|host| expect(host, reported.get(&*host.target.fqdn)));
        }
        Err(ControlError::NotRunning { .. }) if control.is_none() => {}
        Err(error) => unknown.for_each(|host| host.key_source = KeySource::Nobody(Some(error.to_string()))),
    }
}

fn expect(host: &mut Selected, keys: Option<&Vec<SshHostKey>>) {
    if let Some(keys) = keys.filter(|keys| !keys.is_empty()) {
        host.host_keys.clone_from(keys);
        host.key_source = KeySource::Installer;
    }
}

/// The keys that were reported, by the host's name.
fn keys(installed: &Value) -> HashMap<&str, Vec<SshHostKey>> {
    let hosts = installed.as_array().into_iter().flatten();
    hosts.filter_map(|host| Some((host["host"].as_str()?, keys_of(host)))).collect()
}

fn keys_of(host: &Value) -> Vec<SshHostKey> {
    let texts = host["host_keys"].as_array().into_iter().flatten();
    texts.filter_map(|text| text.as_str()?.parse().ok()).collect()
}
