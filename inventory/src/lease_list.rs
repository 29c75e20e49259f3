//! `hostbook status --leases`: who has which address of the pools, until when.

use std::process::ExitCode;

use daemon::control::{self, Request};
use inventory_core::units::show_duration;
use serde_json::Value;

use crate::args::Status;
use crate::exit::{Failure, Outcome};
use crate::output;
use crate::status::dhcpd;

/// Prints the leases of each dhcpd that is asked, by network and address.
pub(crate) fn run(args: &Status) -> Outcome {
    let mut all = Vec::new();
    for socket in &dhcpd(&args.control) {
        let answer = control::ask(socket, &Request::new("leases"), control::PATIENCE)
            .map_err(|error| Failure::new(format!("{}: {error}", socket.display())))?;
        let Value::Array(leases) = answer else {
            return Err(Failure::new(format!("{}: no daemon that has leases", socket.display())));
        };
        all.extend(leases);
    }
    all.retain(|lease| is_wanted(lease, args));
    // Addresses come in their order, which stays within each network.
    all.sort_by(|a, b| a["network"].as_str().cmp(&b["network"].as_str()));
    if args.format.is_json() {
        output::line(&Value::from(all).to_string());
    } else if all.is_empty() {
        output::line("no leases");
    } else {
        let rows: Vec<_> = all.iter().map(row).collect();
        output::table(&["ADDRESS", "NETWORK", "STATE", "EXPIRES IN", "MAC", "NAME", "CLIENT"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

fn is_wanted(lease: &Value, args: &Status) -> bool {
    let is_one = |wanted: &[String], key: &str| {
        wanted.is_empty() || lease[key].as_str().is_some_and(|is| wanted.iter().any(|one| one == is))
    };
    is_one(&args.network, "network") && is_one(&args.state, "state")
}

fn row(lease: &Value) -> Vec<String> {
    let text = |key: &str| lease[key].as_str().unwrap_or("-").to_owned();
    let left = lease["seconds_left"].as_u64().filter(|left| *left > 0);
    vec![
        text("address"),
        text("network"),
        text("state"),
        left.map_or_else(|| "-".to_owned(), show_duration),
        text("mac"),
        text("name"),
        text("client"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lease_is_one_row_and_what_is_not_known_a_hyphen() {
        let row = row(&json!({
            "address": "10.20.0.200", "network": "servers", "client": "hw:01:02:00:00:00:00:01",
            "mac": "02:00:00:00:00:01", "name": null, "state": "bound", "seconds_left": 5400, "ends": 7,
        }));
        let expected =
            ["10.20.0.200", "servers", "bound", "1h30m", "02:00:00:00:00:01", "-", "hw:01:02:00:00:00:00:01"];
        assert_eq!(row, expected);
    }
}
