//! Hardware addresses that were made here and are gone: they are not given again.
//!
//! A machine that is gone may come back with its old card, and switches, firewalls and licences know it. What
//! goes is written down beside the inventory, which its files do not hold any more; git's history would only
//! know what was committed.

use std::collections::{BTreeMap, HashSet};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use inventory_core::mac::MacAddr;
use inventory_core::model::{Inventory, Snapshot};

use super::auto;

/// The list, in the root of the inventory, of which it is no part: a line for each, with its host.
const FILE: &str = ".used-macs";
const HEAD: &str =
    "# Hardware addresses that `--mac auto` does not give again. Keep it with the inventory.\n";

/// The addresses that are remembered.
pub(super) fn list(root: &Path) -> HashSet<MacAddr> {
    let text = std::fs::read_to_string(root.join(FILE)).unwrap_or_default();
    let first = |line: &str| line.split_whitespace().next()?.parse().ok();
    text.lines().filter_map(first).collect()
}

/// Writes down what is in `before` and not in `after`. To be called while the inventory is locked.
///
/// # Errors
/// The list cannot be written.
pub(super) fn remember(root: &Path, before: &Snapshot, after: &Snapshot) -> io::Result<()> {
    let made = |inventory: &Inventory| -> BTreeMap<MacAddr, String> {
        auto::made(inventory).map(|(mac, host)| (mac, host.name.fqdn.to_string())).collect()
    };
    let mut gone = made(&before.inventory);
    let left = made(&after.inventory);
    let known = list(root);
    gone.retain(|mac, _| !left.contains_key(mac) && !known.contains(mac));
    if gone.is_empty() {
        return Ok(());
    }
    let mut file = OpenOptions::new().append(true).create(true).open(root.join(FILE))?;
    let head = if file.metadata()?.len() == 0 { HEAD } else { "" };
    let lines: String = gone.iter().map(|(mac, host)| format!("{mac} {host}\n")).collect();
    file.write_all(format!("{head}{lines}").as_bytes())
}
