//! Taking a snapshot into service: its view is built beside the old one, then a pointer is swapped.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arc_swap::ArcSwap;
use inventory_core::model::Snapshot;
use tracing::info;

use super::clock::now;
use super::inquiry::Inquirer;
use super::links::Links;
use super::moved::Moved;
use crate::core::v6;
use crate::view::DhcpView;

/// Puts views into service.
pub(super) struct Reloader {
    pub(super) views: Arc<ArcSwap<DhcpView>>,
    /// For the boot service, which makes texts from it.
    pub(super) snapshots: Arc<ArcSwap<Snapshot>>,
    pub(super) links: Arc<Links>,
    moved: Moved,
    /// The thread that is to hear of a view at once; set when there is one.
    pub(super) six: Arc<OnceLock<Arc<Inquirer<v6::Core>>>>,
    /// The snapshot in service; `None` before the first.
    pub(super) last: Option<Arc<Snapshot>>,
}

impl Reloader {
    /// One that has nothing in service yet.
    pub(super) fn new(moved: Moved) -> Reloader {
        Reloader {
            views: Arc::new(ArcSwap::from_pointee(DhcpView::build(&Snapshot::nothing()))),
            snapshots: Arc::new(ArcSwap::from_pointee(Snapshot::nothing())),
            links: Arc::default(),
            moved,
            six: Arc::default(),
            last: None,
        }
    }

    /// Builds the view of `snapshot` and swaps it in.
    pub(super) fn apply(&mut self, snapshot: &Arc<Snapshot>) {
        let started = Instant::now();
        let view = match &self.last {
            Some(last) => self.views.load().updated(&last.inventory, snapshot),
            None => DhcpView::build(snapshot),
        };
        let last = self.last.as_ref().map(|last| &*last.inventory);
        let view = self.moved.follow(view, last, snapshot, now().unix_ms.div_euclid(1000));
        let (networks, networks6, keys) =
            (view.networks().count(), view.networks6().count(), view.key_count());
        let milliseconds = started.elapsed().as_millis();
        daemon::view::swap(&self.views, view);
        if let Some(six) = self.six.get() {
            six.wake();
        }
        self.snapshots.store(Arc::clone(snapshot));
        info!(
            generation = snapshot.generation,
            networks, networks6, keys, milliseconds, "reservations in service"
        );
        self.links.report(&self.views.load());
        self.last = Some(Arc::clone(snapshot));
    }
}
