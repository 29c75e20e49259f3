//! Names of leases on their way into service: kept, then served, then said to be done.

use inventory_core::model::{Globals, Snapshot};
use tracing::warn;

use super::{Reloader, lock};
use crate::core::update::{Before, LeaseNames, Signed, Verdict};
use crate::shell::lease_store::LeaseStore;
use crate::view::DnsView;

/// What leases have, beside what the inventory says.
pub(in crate::shell) struct Leases {
    /// The view of the inventory alone.
    pub(super) base: DnsView,
    names: LeaseNames,
    store: LeaseStore,
}

impl Leases {
    pub(super) fn new((store, names): (LeaseStore, LeaseNames)) -> Leases {
        Leases { base: DnsView::build(&Snapshot::nothing()), names, store }
    }

    /// `base` with the names that leases have there.
    pub(super) fn put_into(&self, base: &DnsView, globals: &Globals) -> DnsView {
        if self.names.is_empty() {
            return base.clone();
        }
        let served = base.each_by(base, |view, base| view.with_leases(globals, &self.names.nodes(base)));
        served.unwrap_or_else(|| {
            warn!("names of leases are not served: there is no room for them");
            base.clone()
        })
    }

    /// Takes the view of another inventory for the one in service, and forgets names that no pool has room for.
    pub(super) fn follow(&mut self, base: DnsView) {
        let mut before = Before::default();
        self.names.retain_given(base.whole(), &mut before);
        if !before.is_empty()
            && let Err(why) = self.store.commit(&self.names, &before)
        {
            // They are forgotten again after the next start.
            warn!(%why, "names of ended leases stay on disk");
        }
        self.base = base;
    }
}

impl Reloader {
    /// Decides about updates, makes durable what they change, and serves it; in the order given.
    pub(in crate::shell) fn update(&mut self, updates: &[&Signed]) -> Vec<Verdict> {
        let Some(last) = self.last.clone() else { return vec![Verdict::NotKept; updates.len()] };
        let mut before = Before::default();
        let Leases { base, names, .. } = &mut self.leases;
        let mut verdicts: Vec<Verdict> =
            updates.iter().map(|update| update.apply(base.whole(), names, &mut before)).collect();
        before.keep_changed(names);
        if !before.is_empty()
            && let Err(why) = self.serve_leases(&last.inventory.globals, before)
        {
            warn!(%why, "names of leases cannot be changed at the moment");
            *lock(&self.service.lease_names.trouble) = Some(why);
            for verdict in verdicts.iter_mut().filter(|verdict| **verdict == Verdict::Done) {
                *verdict = Verdict::NotKept;
            }
            return verdicts;
        }
        *lock(&self.service.lease_names.trouble) = None;
        self.count_leases();
        verdicts
    }

    /// Says how many names leases have, for status.
    pub(super) fn count_leases(&self) {
        self.service.lease_names.count(self.leases.names.len());
    }

    /// Keeps and serves what differs from `before`; makes it undone if that cannot be.
    fn serve_leases(&mut self, globals: &Globals, before: Before) -> Result<(), String> {
        let Leases { base, names, store } = &mut self.leases;
        let view = self
            .service
            .views
            .load()
            .each_by(base, |view, base| view.with_leases(globals, &names.changed_nodes(base, &before)));
        let Some(view) = view else {
            names.restore(before);
            return Err("there is no room for them".to_owned());
        };
        if let Err(why) = store.commit(names, &before) {
            names.restore(before);
            return Err(why);
        }
        if self.put_in_service(view, None) {
            return Ok(());
        }
        let Leases { names, store, .. } = &mut self.leases;
        let undone = names.restore(before);
        store.commit(names, &undone)?;
        Err("serials cannot be kept".to_owned())
    }
}
