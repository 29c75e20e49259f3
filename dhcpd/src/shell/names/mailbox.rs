//! What the thread of names is told: which leases have changed. Who tells it never waits.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::status::lock;
use crate::core::Record;

/// Addresses that are remembered; beyond that, all leases are looked at.
const CHANGED_MAX: usize = 65_536;
/// How often at least it is looked whether the inventory has changed.
const LOOK: Duration = Duration::from_secs(2);

/// What waits to be looked at.
#[derive(Debug, Default)]
pub(in crate::shell) struct Mailbox {
    /// Whether anybody wants to hear of leases.
    listens: AtomicBool,
    changed: Mutex<Changed>,
    news: Condvar,
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Changed {
    addresses: BTreeSet<IpAddr>,
    /// More than could be remembered, or leases that were read.
    all: bool,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Said {
    told: usize,
    waiting: usize,
    trouble: Option<String>,
}

impl Mailbox {
    /// Takes note that these records are durable. Costs nothing while no network has names of leases.
    pub(in crate::shell) fn hear<'r>(&self, records: impl Iterator<Item = &'r Record>) {
        if !self.listens.load(Ordering::Relaxed) {
            return;
        }
        let mut changed = lock(&self.changed);
        for record in records {
            if changed.addresses.len() < CHANGED_MAX {
                changed.addresses.insert(record.address.into());
            } else {
                changed.all = true;
            }
        }
        drop(changed);
        self.news.notify_one();
    }

    /// Takes note that the leases were read.
    pub(in crate::shell) fn hear_all(&self) {
        lock(&self.changed).all = true;
        self.news.notify_one();
    }

    /// Waits for news, until `until` at most or a moment longer than nothing; the addresses that changed, and
    /// whether all may have. `None`: it is over.
    pub(super) fn wait(&self, until: Option<Instant>) -> Option<(BTreeSet<IpAddr>, bool)> {
        let now = Instant::now();
        let most = until.map_or(LOOK, |until| until.saturating_duration_since(now).min(LOOK));
        let changed = lock(&self.changed);
        let is_quiet =
            |changed: &mut Changed| changed.addresses.is_empty() && !changed.all && !changed.stopped;
        let waited = self.news.wait_timeout_while(changed, most, is_quiet);
        let (mut changed, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        if changed.stopped {
            return None;
        }
        Some((std::mem::take(&mut changed.addresses), std::mem::take(&mut changed.all)))
    }

    /// Says whether changes are to be heard.
    pub(super) fn listen(&self, listens: bool) {
        self.listens.store(listens, Ordering::Relaxed);
    }

    /// Ends [`Mailbox::wait`].
    pub(super) fn stop(&self) {
        lock(&self.changed).stopped = true;
        self.news.notify_one();
    }

    /// Takes note of how many names the server knows, and how many addresses wait.
    pub(super) fn say(&self, told: usize, waiting: usize) {
        let mut said = lock(&self.said);
        (said.told, said.waiting) = (told, waiting);
    }

    /// Takes note of why nothing can be told; whether that is news.
    pub(super) fn set_trouble(&self, why: Option<String>) -> bool {
        let mut said = lock(&self.said);
        let is_news = said.trouble.is_some() != why.is_some();
        said.trouble = why;
        is_news
    }

    pub(super) fn trouble(&self) -> Option<String> {
        let why = lock(&self.said).trouble.clone()?;
        Some(format!("names of leases are not told to the DNS: {why}"))
    }

    pub(super) fn to_json(&self) -> Value {
        let said = lock(&self.said);
        json!({ "told": said.told, "waiting": said.waiting })
    }
}
