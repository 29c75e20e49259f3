//! The machines seen, over restarts.
//!
//! They are for people, and nothing is decided by them: a file that cannot be read is none.

use daemon::state::StateDir;
use inventory_core::mac::MacAddr;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::keeper::Kept;
use crate::core::{Core, SEEN_MAX, SeenMachine};

const FILE: &str = "seen.json";

/// A machine with its address, as it is written.
#[derive(Serialize, Deserialize)]
struct Line {
    mac: String,
    #[serde(flatten)]
    machine: SeenMachine,
}

/// What was seen before, the latest first.
pub(super) fn load(state: &StateDir) -> Vec<(MacAddr, SeenMachine)> {
    let text = match state.read(FILE) {
        Ok(text) => text.unwrap_or_else(|| b"[]".to_vec()),
        Err(error) => {
            warn!(%error, "the list of machines seen begins anew");
            return Vec::new();
        }
    };
    match serde_json::from_slice::<Vec<Line>>(&text) {
        Ok(lines) => {
            let lines = lines.into_iter().take(SEEN_MAX);
            lines.filter_map(|line| Some((line.mac.parse().ok()?, line.machine))).collect()
        }
        Err(error) => {
            warn!(file = FILE, %error, "the list of machines seen begins anew");
            Vec::new()
        }
    }
}

/// What is kept of the machines seen.
pub(super) const KEPT: Kept<Core, Vec<(MacAddr, SeenMachine)>> = Kept {
    file: FILE,
    version: Core::seen_version,
    copy: |core| core.seen().map(|(mac, machine)| (mac, machine.clone())).collect(),
    text: |machines| {
        let lines = machines.into_iter().map(|(mac, machine)| Line { mac: mac.to_string(), machine });
        serde_json::to_vec(&lines.collect::<Vec<_>>()).unwrap_or_default()
    },
};
