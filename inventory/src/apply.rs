//! `hostbook apply`: has the daemons look at the inventory now, and waits until they serve it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use daemon::control::{self, Request};
use inventory_core::diag::{self, Diagnostic};
use inventory_core::model::Snapshot;
use inventory_core::units::parse_duration;
use serde_json::{Value, json};

use crate::args::{FormatArg, InventoryArg};
use crate::exit::{Failure, Outcome};
use crate::{inventory, output, status};

/// How often a daemon is asked whether it is there yet.
const POLL: Duration = Duration::from_millis(25);

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// Return only when every daemon serves this inventory.
    #[arg(long)]
    wait: bool,
    /// Give up after this time.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = seconds)]
    timeout: u64,
    /// Control socket of a daemon; repeated: of several. Without it, the usual places are asked.
    #[arg(long, value_name = "PATH")]
    control: Vec<PathBuf>,
    #[command(flatten)]
    inventory: InventoryArg,
    #[command(flatten)]
    format: FormatArg,
}

fn seconds(text: &str) -> Result<u64, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

pub(crate) fn run(args: &Apply) -> Outcome {
    let snapshot = inventory::require(&args.inventory.inventory)?;
    let sockets = status::daemons(&args.control);
    for socket in &sockets {
        control::ask(socket, &Request::new("look"), control::PATIENCE).map_err(Failure::new)?;
    }
    let mut served = Vec::new();
    if args.wait {
        let deadline = Instant::now() + Duration::from_secs(args.timeout);
        for socket in &sockets {
            served.push(wait(socket, &snapshot, &args.inventory.inventory, deadline)?);
        }
    }
    let hash = snapshot.hash.to_string();
    let commit = snapshot.commit.as_ref().map(|commit| commit.id.to_string());
    if args.format.is_json() {
        output::line(
            &json!({ "hash": hash, "commit": commit, "waited": args.wait, "daemons": served }).to_string(),
        );
        return Ok(ExitCode::SUCCESS);
    }
    let what = commit.map_or_else(|| format!("content {hash:.12}"), |commit| format!("commit {commit:.12}"));
    if !args.wait {
        output::line(&format!("the daemons look at {what}"));
    }
    for one in &served {
        let (daemon, generation) = (one["daemon"].as_str().unwrap_or("?"), &one["generation"]);
        output::line(&format!("{daemon} serves {what}, generation {generation}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until the daemon at `socket` serves `wanted`.
fn wait(socket: &Path, wanted: &Snapshot, place: &Path, deadline: Instant) -> Result<Value, Failure> {
    let hash = wanted.hash.to_string();
    loop {
        let status =
            control::ask(socket, &Request::new("status"), control::PATIENCE).map_err(Failure::new)?;
        let sources = status["inventory"]["sources"].as_array().cloned().unwrap_or_default();
        if sources.iter().any(|source| source["hash"] == *hash && source["ok"] == true) {
            return Ok(
                json!({ "daemon": status["daemon"], "generation": status["inventory"]["generation"] }),
            );
        }
        if Instant::now() >= deadline {
            let daemon = status["daemon"].as_str().unwrap_or("the daemon").to_owned();
            return Err(refused(&daemon, &sources, place));
        }
        std::thread::sleep(POLL);
    }
}

/// Why a daemon does not serve it, as far as it says.
fn refused(daemon: &str, sources: &[Value], place: &Path) -> Failure {
    let own = |source: &&Value| sources.len() == 1 || source["place"] == *place.display().to_string();
    for source in sources.iter().filter(own) {
        let errors: Vec<Diagnostic> =
            serde_json::from_value(source["errors"]["first"].clone()).unwrap_or_default();
        for error in &errors {
            eprintln!("{}", diag::short(error));
        }
    }
    let followed: Vec<&str> = sources.iter().filter_map(|source| source["place"].as_str()).collect();
    Failure::new(format!("{daemon} does not serve `{}`; it follows {}", place.display(), followed.join(", ")))
}
