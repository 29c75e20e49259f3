//! What a plan compares with: what the daemons serve, a git revision, or another directory.

use std::path::Path;

use daemon::follow;
use inventory_core::diag::Diagnostic;
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source::git::{self, GitTree};

use crate::args::Plan;
use crate::exit::Failure;

/// A state to compare with.
pub(super) struct Before {
    pub(super) snapshot: Snapshot,
    pub(super) warnings: Vec<Diagnostic>,
}

/// The state to compare with, and what to call it.
pub(super) fn before(args: &Plan) -> Result<(Before, String), Failure> {
    let inventory = &args.inventory.inventory;
    let Some(from) = &args.from else { return served(args) };
    if Path::new(from).is_dir() || git::Location::parse(Path::new(from)).is_some() {
        let before = match crate::inventory::load(Path::new(from)) {
            Ok((snapshot, warnings)) => Before { snapshot, warnings },
            Err(diagnostics) => return Err(crate::inventory::broken(&diagnostics)),
        };
        return Ok((before, format!("`{from}`")));
    }
    let tree = match git::Location::parse(inventory) {
        Some(location) => GitTree::at(&location.repository, from, &location.prefix),
        None => GitTree::beside(inventory, from),
    };
    let tree =
        tree.map_err(|why| Failure::new(format!("`{from}` is no directory, and no git revision: {why}")))?;
    let name = format!("{from} ({:.12})", tree.id());
    Ok((load(tree, from)?, name))
}

/// What the daemons serve, from the state that they keep; else the last commit.
fn served(args: &Plan) -> Result<(Before, String), Failure> {
    let mut troubles = Vec::new();
    for daemon in ["dnsd", "dhcpd"] {
        match follow::served(&args.state.join(daemon), &args.inventory.inventory) {
            Ok(Some((snapshot, warnings))) => {
                let name = format!("what {daemon} serves (content {:.12})", snapshot.hash);
                return Ok((Before { snapshot, warnings }, name));
            }
            Ok(None) => {}
            Err(why) => troubles.push(why),
        }
    }
    if let Ok(tree) = GitTree::beside(&args.inventory.inventory, "HEAD") {
        let name = format!("the last commit ({:.12})", tree.id());
        return Ok((load(tree, "HEAD")?, name));
    }
    let why = if troubles.is_empty() {
        format!("no daemon has kept a state in `{}`", args.state.display())
    } else {
        troubles.join("; ")
    };
    Err(Failure::new(format!(
        "there is nothing to compare with: {why}; name a git revision or a directory by `--from`, or the daemons' \
         state directory by `--state`"
    )))
}

fn load(tree: GitTree, name: &str) -> Result<Before, Failure> {
    match Loader::new(Box::new(tree)).load() {
        Loaded::Good { snapshot, warnings } => Ok(Before { snapshot, warnings }),
        Loaded::Broken { diagnostics } => {
            let failure = crate::inventory::broken(&diagnostics);
            eprintln!("hostbook: the inventory of `{name}` does not pass the check");
            Err(failure)
        }
        Loaded::Unchanged => Err(Failure::new("nothing was loaded")),
    }
}
