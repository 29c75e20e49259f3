//! A plan for people: grouped, a sign and a colour for each line.

use inventory_core::diag;
use inventory_core::units::show_duration;

use super::dhcp::Given;
use super::{Changes, Sign};
use crate::output;

/// Lines of a group that are shown; the rest is counted. JSON has all of them.
const SHOWN_MAX: usize = 200;

/// Prints what changes, by group.
pub(crate) fn print(changes: &Changes) {
    for zone in &changes.dns {
        let what = match zone.sign {
            Sign::Added => ", a new zone",
            Sign::Removed => ", which is served no longer",
            Sign::Changed => "",
        };
        let view = zone.view.as_ref().map(|view| format!(" in view {view}")).unwrap_or_default();
        heading(&format!("zone {}{view}{what}", zone.zone));
        let lines = zone.records.iter().map(|rrset| {
            let name = relative(&rrset.owner, &zone.zone);
            let head = format!("{name:<24} {:<6}", rrset.rtype);
            let (before, after) = (rrset.before.join(", "), rrset.after.join(", "));
            let data = match rrset.sign {
                Sign::Added => after,
                Sign::Removed => before,
                Sign::Changed => format!("{before} -> {after}"),
            };
            (rrset.sign, format!("{head} {data}"))
        });
        group(lines);
    }
    if !changes.reservations.is_empty() {
        heading("reservations");
        group(changes.reservations.iter().map(|change| {
            let words = match (&change.before, &change.after) {
                (Some(before), Some(after)) => differences(before, after),
                (Some(one), None) | (None, Some(one)) => whole(one),
                (None, None) => String::new(),
            };
            (change.sign, format!("{:<24} {:<12} {words}", change.client, change.network))
        }));
    }
    for network in &changes.networks {
        heading(&format!("network {}", network.network));
        group(network.keys.iter().map(|(key, before, after)| {
            let (sign, words) = match (before.is_empty(), after.is_empty()) {
                (true, _) => (Sign::Added, after.clone()),
                (_, true) => (Sign::Removed, before.clone()),
                _ => (Sign::Changed, format!("{before} -> {after}")),
            };
            (sign, format!("{key:<10} {words}"))
        }));
    }
    if !changes.leases.is_empty() {
        heading("leases that are taken away");
        group(changes.leases.iter().map(|lease| {
            let left = show_duration(lease.seconds_left.into());
            let words = format!("{} {} {}, within {left}", lease.address, lease.client, lease.name);
            (Sign::Removed, format!("{words} ({})", lease.reason))
        }));
    }
    if !changes.boot.is_empty() {
        heading("boot");
        group(changes.boot.iter().map(|change| {
            (change.sign, format!("{:<32} {} (before: {})", change.host, change.after, change.before))
        }));
    }
    if !changes.warnings.is_empty() {
        heading("odd afterwards");
        for warning in &changes.warnings {
            output::line(&format!("  {}", diag::short(warning)));
        }
        output::line("");
    }
}

/// A reservation that comes or goes.
fn whole(given: &Given) -> String {
    let mut words = vec![given.address.as_str()];
    // What keeps DHCP from one family keeps it from both.
    if given.address6 != given.address {
        words.push(&given.address6);
    }
    words.extend(given.delegated.iter().map(String::as_str));
    words.push(&given.host);
    words.retain(|word| !word.is_empty() && *word != "none");
    words.join(" ")
}

/// What of a reservation differs.
fn differences(before: &Given, after: &Given) -> String {
    let mut words = Vec::new();
    let mut add = |what: &str, before: &str, after: &str| {
        if before != after {
            words.push(format!("{what}{before} -> {after}"));
        }
    };
    add("", &before.address, &after.address);
    add("ipv6 ", &before.address6, &after.address6);
    add("prefixes ", &before.delegated.join(" "), &after.delegated.join(" "));
    add("name ", &before.host, &after.host);
    let lease = |given: &Given| show_duration(given.lease_seconds.into());
    add("lease ", &lease(before), &lease(after));
    add("options ", &before.options.join(" "), &after.options.join(" "));
    add("options6 ", &before.options6.join(" "), &after.options6.join(" "));
    if before.host == after.host { format!("{} {}", words.join(", "), after.host) } else { words.join(", ") }
}

/// `web1` of `web1.lab.example.org`; `@` for the apex.
fn relative<'a>(owner: &'a str, zone: &str) -> &'a str {
    if owner == zone {
        return "@";
    }
    owner.strip_suffix(zone).and_then(|owner| owner.strip_suffix('.')).unwrap_or(owner)
}

fn heading(text: &str) {
    output::line(&if output::colour() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() });
}

fn group(lines: impl ExactSizeIterator<Item = (Sign, String)>) {
    let count = lines.len();
    for (sign, line) in lines.take(SHOWN_MAX) {
        let (mark, colour) = match sign {
            Sign::Added => ('+', "\x1b[32m"),
            Sign::Changed => ('~', "\x1b[33m"),
            Sign::Removed => ('-', "\x1b[31m"),
        };
        let text = format!("  {mark} {line}");
        let text = text.trim_end();
        output::line(&if output::colour() { format!("{colour}{text}\x1b[0m") } else { text.to_owned() });
    }
    if count > SHOWN_MAX {
        output::line(&format!("    and {} more; `--json` has all of them", count - SHOWN_MAX));
    }
    output::line("");
}
