//! `hostbook dnssec`: the keys of signed zones, as dnsd has them, and what an operator has to say of the
//! one that the parent knows.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use daemon::control;
use serde_json::{Value, json};

use crate::args::FormatArg;
use crate::exit::{Failure, Outcome};
use crate::output;
use crate::status::age_of;

/// A key that is made is on the disk before the answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Subcommand)]
pub(crate) enum Dnssec {
    /// Show the keys of a signed zone and the DS record that its parent is to have.
    Show(OneZone),
    /// Make a new key-signing key; once it is known everywhere, the DS record to give to the parent changes.
    Roll(OneZone),
    /// Say that the parent has the new DS record, and not the old one: the old key goes some days later.
    DsSeen(OneZone),
}

#[derive(Debug, Args)]
pub(crate) struct OneZone {
    /// The zone.
    zone: String,
    /// Control socket of dnsd.
    #[arg(long, value_name = "PATH", default_value = control::DNSD)]
    control: PathBuf,
    #[command(flatten)]
    format: FormatArg,
}

/// Does it, and prints the keys as they are then.
pub(crate) fn run(verb: &Dnssec) -> Outcome {
    let (what, args) = match verb {
        Dnssec::Show(args) => ("show", args),
        Dnssec::Roll(args) => ("roll", args),
        Dnssec::DsSeen(args) => ("ds-seen", args),
    };
    let said = ask(&args.control, what, &args.zone)?;
    if args.format.is_json() {
        output::line(&said.to_string());
    } else {
        print(&args.zone, &said)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn ask(socket: &Path, what: &str, zone: &str) -> Result<Value, Failure> {
    let args = json!({ "zone": zone, "do": what });
    let request = control::Request { args, ..control::Request::new("dnssec") };
    let said = control::ask(socket, &request, PATIENCE)
        .map_err(|error| Failure::new(format!("{}: {error}", socket.display())))?;
    match said["error"].as_str() {
        Some(why) => Err(Failure::new(why.to_owned())),
        None => Ok(said),
    }
}

fn print(zone: &str, said: &Value) -> Result<(), Failure> {
    if let Some(why) = said["trouble"].as_str() {
        return Err(Failure::new(format!("zone `{zone}`: {why}")));
    }
    let Some(keys) = said["keys"].as_array() else {
        return Err(Failure::new(format!(
            "zone `{zone}` is not signed: `dnssec = true` in its table signs it"
        )));
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let row = |key: &Value| {
        let role = if key["role"] == "keys" { "KSK" } else { "ZSK" };
        let since = format!("{} ago", age_of(&key["since"]));
        vec![role.to_owned(), text(&key["tag"]), text(&key["algorithm"]), text(&key["state"]), since]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    output::table(&["KEY", "TAG", "ALGORITHM", "STATE", "SINCE"], &rows);
    for ds in said["ds"].as_array().into_iter().flatten() {
        output::line(&format!("for the parent: {}", text(ds)));
    }
    if keys.iter().any(|key| key["state"] == "ready") {
        output::line(&format!("when the parent has it: hostbook dnssec ds-seen {zone}"));
    }
    Ok(())
}
