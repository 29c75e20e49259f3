//! `hostbook status --seen`: machines that asked dhcpd and that nobody has written down.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use crate::args::Status;
use crate::exit::{Failure, Outcome};
use crate::output;
use crate::status::{age_of, ask, dhcpd};

/// Prints them, the latest first.
pub(crate) fn run(args: &Status) -> Outcome {
    let mut machines = Vec::new();
    let mut heard = false;
    for socket in &dhcpd(&args.control) {
        let status = ask(socket).map_err(|error| trouble(socket, &error))?;
        // dnsd has no such list.
        if let Some(seen) = status["seen"].as_array() {
            machines.extend(seen.iter().cloned());
            heard = true;
        }
    }
    if !heard {
        return Err(Failure::new("none of these is the control socket of dhcpd, which sees machines"));
    }
    if args.format.is_json() {
        output::line(&Value::from(machines).to_string());
    } else if machines.is_empty() {
        output::line("no machine has asked that is not written down");
    } else {
        let rows: Vec<_> = machines.iter().map(row).collect();
        let header = ["MAC", "NETWORK", "IS", "PORT", "FIRST", "LAST", "TIMES", "UUID"];
        output::table(&header, &rows);
    }
    Ok(ExitCode::SUCCESS)
}

fn trouble(socket: &Path, error: &str) -> Failure {
    Failure::new(format!("{}: {error}", socket.display()))
}

fn row(machine: &Value) -> Vec<String> {
    let text = |key: &str| machine[key].as_str().unwrap_or_default().to_owned();
    let joined = |keys: &[&str]| {
        let words: Vec<String> = keys.iter().map(|key| text(key)).filter(|word| !word.is_empty()).collect();
        words.join(" ")
    };
    let network = match machine["known_in"].as_str() {
        Some(known) => format!("{} (written for {known})", text("network")),
        None => text("network"),
    };
    let ago = |key: &str| format!("{} ago", age_of(&machine[key]));
    vec![
        text("mac"),
        network,
        joined(&["architecture", "name", "class", "address", "host"]),
        joined(&["remote_id", "circuit_id", "relay"]),
        ago("first"),
        ago("last"),
        machine["count"].to_string(),
        text("uuid"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_that_a_host_has_made_itself_is_offered_with_its_name() {
        let row = row(&json!({
            "mac": "52:54:00:77:00:10", "network": "lab", "address": "2001:db8::abcd", "host": "web1.lab.test",
            "count": 1, "first": 0, "last": 0,
        }));
        assert_eq!(row[..3], ["52:54:00:77:00:10", "lab", "2001:db8::abcd web1.lab.test"]);
    }

    #[test]
    fn a_machine_is_one_row_of_what_it_said_and_where() {
        let row = row(&json!({
            "mac": "52:54:00:77:00:10", "network": "lab", "architecture": "bios", "class": "PXEClient",
            "relay": "10.77.0.254", "circuit_id": "ge-0/0/7", "remote_id": null, "count": 3,
            "first": 0, "last": 0, "uuid": "00112233-4455-6677-8899-aabbccddeeff",
        }));
        assert_eq!(row[..4], ["52:54:00:77:00:10", "lab", "bios PXEClient", "ge-0/0/7 10.77.0.254"]);
        assert_eq!((&*row[6], &*row[7]), ("3", "00112233-4455-6677-8899-aabbccddeeff"));
    }
}
