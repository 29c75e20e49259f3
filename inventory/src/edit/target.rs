//! What an edit is about: a host, or another table of the inventory, as it is written.

use std::sync::Arc;

use inventory_core::name::Name;

use super::session::Session;
use crate::exit::Failure;
use crate::show;

/// A table of the inventory and the file that it is written in.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Path of the file.
    pub(crate) file: Arc<str>,
    /// `host`, `network`, `zone`, `profile`, `boot`, `site`.
    pub(crate) kind: &'static str,
    /// Its key as written; empty for `site`.
    pub(crate) key: String,
    /// A host's whole name, where that is known.
    pub(crate) fqdn: Option<Name>,
}

/// Tables that a target can name as `KIND/NAME`.
const KINDS: [&str; 5] = ["host", "network", "zone", "profile", "boot"];

impl Target {
    /// Keys from the root.
    pub(crate) fn path(&self) -> Vec<&str> {
        if self.key.is_empty() { vec![self.kind] } else { vec![self.kind, &self.key] }
    }

    /// The path of `key` in it.
    pub(crate) fn at<'a>(&'a self, key: &[&'a str]) -> Vec<&'a str> {
        let mut path = self.path();
        path.extend_from_slice(key);
        path
    }

    /// As people are told: `web1.lab.example.org`, `network servers`.
    pub(crate) fn label(&self) -> String {
        match (&self.fqdn, self.kind) {
            (Some(fqdn), _) => fqdn.to_string(),
            (None, "host") => self.key.clone(),
            (None, kind) => format!("{kind} {}", self.key).trim_end().to_owned(),
        }
    }
}

/// The table that `what` means: a host by name, MAC or address; `network/servers` and the like; `site`.
pub(crate) fn find(session: &mut Session, what: &str) -> Result<Target, Failure> {
    if what == "site" {
        return written(session, "site", "");
    }
    match what
        .split_once('/')
        .and_then(|(kind, name)| Some((KINDS.into_iter().find(|known| *known == kind)?, name)))
    {
        Some((kind, name)) => written(session, kind, name),
        None => host(session, what),
    }
}

/// The host that `what` means: its name (short or whole), an alias, a MAC or an IP address.
pub(crate) fn host(session: &mut Session, what: &str) -> Result<Target, Failure> {
    let Some(snapshot) = session.before().cloned() else {
        // The inventory is broken, and this edit may mend it: go by what is written.
        return written(session, "host", what);
    };
    let found = show::find(what, &snapshot.inventory)?;
    let [(shard, host)] = found.as_slice() else {
        let names: Vec<String> = found.iter().map(|(_, host)| format!("`{}`", host.name.fqdn)).collect();
        return Err(Failure::new(format!("`{what}` is several hosts: {}", names.join(", "))));
    };
    let doc = session.doc(&shard.path)?;
    let key = doc.key_at(host.span.start as usize);
    let key = key.ok_or_else(|| Failure::new(format!("`{what}` cannot be found in `{}`", shard.path)))?;
    Ok(Target { file: Arc::clone(&shard.path), kind: "host", key, fqdn: Some(host.name.fqdn.clone()) })
}

/// The table with exactly this key.
fn written(session: &mut Session, kind: &'static str, key: &str) -> Result<Target, Failure> {
    for file in session.paths() {
        let path = if key.is_empty() { vec![kind] } else { vec![kind, key] };
        if session.doc(&file)?.has(&path) {
            return Ok(Target { file, kind, key: key.to_owned(), fqdn: None });
        }
    }
    Err(Failure::new(format!("there is no {kind} `{key}`").replace(" ``", "")))
}
