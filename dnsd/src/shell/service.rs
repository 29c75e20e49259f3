//! What all threads of the daemon share: views, secrets, what secondaries did, the journal of changes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use inventory_core::name::Name;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use tokio::sync::Notify;

use crate::core::cookie::CookieSecret;
use crate::core::identity::Identity;
use crate::core::limit::Limiter;
use crate::core::serial::UnixSeconds;
use crate::core::tsig::Keyring;
use crate::core::{QueryContext, Transport};
use crate::view::DnsView;

use super::clock::wall_clock;
use super::forward::ForwardQueue;
use super::journal::Journal;
use super::keys::Keys;
use super::query_log::QueryLog;
use super::secondaries::Secondaries;
use super::updates::{LeaseNameStatus, UpdateQueue};

/// Where answers come from.
#[derive(Debug)]
pub struct Service {
    /// The view in service.
    pub views: Arc<ArcSwap<DnsView>>,
    /// The secrets.
    pub keys: Keys,
    /// What changed in zones that others copy; none if it cannot be kept.
    pub journal: Option<Journal>,
    /// What this server says of itself.
    pub identity: Identity,
    /// What counts the answers by UDP.
    pub limiter: Limiter,
    /// When that began.
    pub started: Instant,
    /// What the secondaries did.
    pub secondaries: Secondaries,
    /// What is known of the keys of zones that are to be signed, for status.
    pub zone_keys: Mutex<BTreeMap<Name, Value>>,
    /// Where updates wait.
    pub(super) updates: UpdateQueue,
    /// Where questions wait that are looked up elsewhere.
    pub(super) forward: ForwardQueue,
    /// What is known of the names of leases, for status.
    pub(super) lease_names: LeaseNameStatus,
    /// Questions that somebody wants to see.
    pub(super) queries: QueryLog,
    /// Wakes who tells the secondaries.
    pub changed: Notify,
}

impl Service {
    /// A service of `view`, without secrets.
    pub fn new(view: DnsView, journal: Option<Journal>) -> Arc<Service> {
        Arc::new(Service {
            views: Arc::new(ArcSwap::from_pointee(view)),
            keys: Keys::default(),
            journal,
            identity: Identity::new(&host_name(), CookieSecret::new(random())),
            limiter: Limiter::new(u64::from_ne_bytes(random())),
            started: Instant::now(),
            secondaries: Secondaries::default(),
            zone_keys: Mutex::default(),
            updates: UpdateQueue::default(),
            forward: ForwardQueue::default(),
            lease_names: LeaseNameStatus::default(),
            queries: QueryLog::default(),
            changed: Notify::new(),
        })
    }

    /// What is known of queries that come together.
    pub(super) fn batch(&self, transport: Transport) -> Batch<'_> {
        let begun = Instant::now();
        Batch {
            service: self,
            transport,
            keys: self.keys.load(),
            now: wall_clock(),
            begun,
            elapsed: begun.saturating_duration_since(self.started),
        }
    }
}

/// What queries that come together have in common.
pub(super) struct Batch<'s> {
    service: &'s Service,
    transport: Transport,
    keys: Guard<Arc<Keyring>>,
    now: UnixSeconds,
    begun: Instant,
    elapsed: Duration,
}

impl Batch<'_> {
    /// Since when the daemon has run, when they came.
    pub(super) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// How long they have been known.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// What is known of a query from `peer`.
    #[inline]
    pub(super) fn context(&self, peer: IpAddr) -> QueryContext<'_> {
        QueryContext {
            transport: self.transport,
            peer,
            now: self.now,
            keys: Some(&self.keys),
            identity: Some(&self.service.identity),
            limiter: Some((&self.service.limiter, self.elapsed)),
        }
    }
}

/// Octets that nobody can guess.
fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    // Without randomness cookies can be forged, which leaves what there is without them.
    let _ = SystemRandom::new().fill(&mut octets);
    octets
}

/// The name of this machine.
fn host_name() -> Vec<u8> {
    let name = std::fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim_ascii().to_vec()
}
