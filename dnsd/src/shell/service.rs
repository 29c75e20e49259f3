//! What all threads of the daemon share: views, secrets, what secondaries did, the journal of changes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use crate::view::DnsView;

use super::journal::Journal;
use super::keys::Keys;
use super::secondaries::Secondaries;

/// Where answers come from.
#[derive(Debug)]
pub struct Service {
    /// The view in service.
    pub views: Arc<ArcSwap<DnsView>>,
    /// The secrets.
    pub keys: Keys,
    /// What changed in zones that others copy; none if it cannot be kept.
    pub journal: Option<Journal>,
    /// What the secondaries did.
    pub secondaries: Secondaries,
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
            secondaries: Secondaries::default(),
            changed: Notify::new(),
        })
    }
}
