//! Machines that dhcpd's boot service has installed, and the host keys that their installers reported.

use std::path::Path;
use std::process::ExitCode;

use daemon::control::{self, Request};
use inventory_core::model::SshHostKey;
use serde_json::Value;

use crate::args::Status;
use crate::exit::{Failure, Outcome};
use crate::output;
use crate::status::dhcpd;

/// `hostbook status --installed`: prints them.
pub(crate) fn run(args: &Status) -> Outcome {
    let mut hosts = Vec::new();
    for socket in &dhcpd(&args.control) {
        hosts.extend(ask(socket)?);
    }
    if args.format.is_json() {
        output::line(&Value::from(hosts).to_string());
    } else if hosts.is_empty() {
        output::line("no host is installed");
    } else {
        let rows: Vec<_> = hosts.iter().flat_map(rows).collect();
        output::table(&["HOST", "REINSTALL", "IS", "HOST KEY"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

/// Host keys of the host called `fqdn` that its installer reported.
pub(crate) fn host_keys(hosts: &[Value], fqdn: &str) -> Vec<SshHostKey> {
    let host = hosts.iter().find(|host| host["host"] == fqdn);
    host.map(keys).unwrap_or_default()
}

/// The hosts that dhcpd at `socket` knows as installed.
///
/// # Errors
/// It cannot be asked.
pub(crate) fn ask(socket: &Path) -> Result<Vec<Value>, Failure> {
    match control::ask(socket, &Request::new("installed"), control::PATIENCE) {
        Ok(Value::Array(hosts)) => Ok(hosts),
        Ok(_) => Err(Failure::new(format!("{}: no daemon that machines boot from", socket.display()))),
        Err(error) => Err(Failure::new(error)),
    }
}

fn keys(host: &Value) -> Vec<SshHostKey> {
    let texts = host["host_keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.filter_map(|text| text.parse().ok()).collect()
}

/// A row for each key, and one for a host without any.
fn rows(host: &Value) -> Vec<Vec<String>> {
    let text = |key: &str| host[key].as_str().filter(|text| !text.is_empty()).unwrap_or("-").to_owned();
    let is = if host["done"] == true { "installed" } else { "to be installed again" };
    let row = |key: String| vec![text("host"), text("reinstall"), is.to_owned(), key];
    let shown: Vec<String> =
        keys(host).iter().map(|key| format!("{} {}", key.algorithm, key.fingerprint())).collect();
    if shown.is_empty() { vec![row("not reported".to_owned())] } else { shown.into_iter().map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_is_a_row_with_its_fingerprint() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHb2o7nBbFGzJqjAyxAfBcuzkMtAzMyVFWw2SiGsX2aB";
        let mut host =
            json!({ "host": "web1.lab.test", "reinstall": "", "done": true, "host_keys": [key, "rubbish"] });
        let shown = "ssh-ed25519 SHA256:9J7IK/oKelQRy5fOqduEpKRO/+0UEGqZzR1FVdZ9l0I";
        assert_eq!(rows(&host), [["web1.lab.test", "-", "installed", shown]]);
        assert_eq!(host_keys(&[host.clone()], "web1.lab.test").len(), 1);
        assert!(host_keys(&[host.clone()], "web2.lab.test").is_empty());
        host["host_keys"] = json!([]);
        host["done"] = json!(false);
        host["reinstall"] = json!("2");
        assert_eq!(rows(&host), [["web1.lab.test", "2", "to be installed again", "not reported"]]);
    }
}
