//! What machines boot.

use std::collections::BTreeMap;

use inventory_core::model::{Boot, BootSource, Inventory, State};
use serde::Serialize;

use super::Sign;

/// A host whose next boot is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct BootChange {
    pub(crate) sign: Sign,
    /// The host.
    pub(crate) host: String,
    /// What it booted, and what it boots: `installs debian12`, `boots from disk`, `is not served`.
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Hosts whose next boot changes, by name. Hosts that only come or go and boot from disk are not listed.
pub(super) fn between(before: &Inventory, after: &Inventory) -> Vec<BootChange> {
    let (old, new) = (all(before), all(after));
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let (was, is) = (old.get(name), new.get(name));
        let installs = |side: Option<&Action>| side.is_some_and(|action| action.state == State::Install);
        if was == is || !(installs(was) || installs(is)) {
            continue;
        }
        let sign = match (installs(was), installs(is)) {
            (false, true) => Sign::Added,
            (true, false) => Sign::Removed,
            _ => Sign::Changed,
        };
        let words = |side: Option<&Action>| side.map_or_else(|| "is not there".to_owned(), Action::words);
        changes.push(BootChange { sign, host: name.clone(), before: words(was), after: words(is) });
    }
    changes
}

/// What a host does at its next boot.
#[derive(PartialEq, Eq)]
struct Action {
    state: State,
    /// Name and content of the profile, of a host to be installed.
    profile: Option<(String, String)>,
}

impl Action {
    fn words(&self) -> String {
        match (&self.profile, self.state) {
            (Some((name, content)), State::Install) => format!("installs {name} ({content})"),
            (_, state) if state.is_served() => "boots from disk".to_owned(),
            (_, state) => format!("is {}, and not served", state.word()),
        }
    }
}

fn all(inventory: &Inventory) -> BTreeMap<String, Action> {
    let actions = inventory.hosts().map(|host| {
        let boot =
            host.boot.filter(|_| host.state == State::Install).map(|boot| inventory.globals.boot(boot));
        let profile = boot.map(|boot| (boot.name.to_string(), content(boot)));
        (host.name.fqdn.to_string(), Action { state: host.state, profile })
    });
    actions.collect()
}

/// What a profile loads.
fn content(boot: &Boot) -> String {
    match &boot.source {
        BootSource::Kernel { kernel, initrd, cmdline, .. } => {
            let all: Vec<&str> =
                std::iter::once(&**kernel).chain(initrd.iter().map(|file| &**file)).collect();
            format!("{} {cmdline}", all.join(" ")).trim_end().to_owned()
        }
        BootSource::Script(script) => script.to_string(),
    }
}
