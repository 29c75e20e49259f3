//! Views by client network: what those see who ask from networks with `view = …`, beside what everybody else does.
//!
//! Each is a whole view of the part of the inventory that its clients see (`Inventory::seen_in`), so that nothing that
//! answers, signs or denies knows of the others. They are built, edited and swapped in together with the one for
//! everybody else, which is what secondaries get. An inventory without views has none of this.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use inventory_core::model::{Inventory, Snapshot};

use super::DnsView;
use super::by_network::ByNetwork;

/// All views but that for everybody else.
#[derive(Clone, Debug)]
pub(super) struct Inside {
    views: Vec<One>,
    /// The place of the view of networks that have one.
    networks: Arc<ByNetwork<usize>>,
    /// What everybody else sees.
    outside: Inventory,
    /// The view of everything, by which names of leases are judged, if there are any.
    whole: Option<Arc<DnsView>>,
}

#[derive(Clone, Debug)]
struct One {
    name: Arc<str>,
    view: DnsView,
    seen: Inventory,
}

impl DnsView {
    /// The view of `snapshot` for clients of networks without a view, with those for the others beside it. Serials are
    /// zero: see [`DnsView::set_serials`].
    ///
    /// Cost: linear in the records, for each view.
    pub fn build(snapshot: &Snapshot) -> DnsView {
        DnsView::following(snapshot, None)
    }

    /// The view of `snapshot`, made from this one, which is that of `old`.
    ///
    /// Cost: linear in the records of the files that changed, and a pointer per shard, for each view; that of
    /// [`DnsView::build`] if anything but hosts changed.
    #[must_use]
    pub fn updated(&self, old: &Inventory, snapshot: &Snapshot) -> DnsView {
        DnsView::following(snapshot, Some((old, self)))
    }

    fn following(snapshot: &Snapshot, last: Option<(&Inventory, &DnsView)>) -> DnsView {
        let globals = &snapshot.inventory.globals;
        let names = globals.views();
        if names.is_empty() {
            let last = last.filter(|(_, view)| view.inside.is_none());
            return DnsView::one(snapshot, last);
        }
        // Other views may be there by now if more than hosts changed.
        let last = last.and_then(|(old, view)| Some((old, view, view.inside.as_deref()?)));
        let last = last.filter(|(old, ..)| Arc::ptr_eq(&old.globals, globals));
        let see = |name: Option<&str>, before: Option<(&DnsView, &Inventory)>| {
            let seen_before = last.zip(before).map(|((old, ..), (_, seen))| (old, seen));
            let seen = snapshot.inventory.seen_in(name, seen_before);
            let own = Snapshot { inventory: Arc::new(seen.clone()), ..snapshot.clone() };
            (DnsView::one(&own, before.map(|(view, seen)| (seen, view))), seen)
        };
        let (mut view, outside) = see(None, last.map(|(_, view, inside)| (view, &inside.outside)));
        let views: Vec<One> = (0..)
            .zip(&names)
            .map(|(place, name)| {
                let before = last.and_then(|(_, _, inside)| inside.views.get::<usize>(place));
                let (view, seen) = see(Some(name), before.map(|one| (&one.view, &one.seen)));
                One { name: Arc::from(*name), view, seen }
            })
            .collect();
        let networks = ByNetwork::new(globals, |network| {
            network.view.as_deref().and_then(|own| names.iter().position(|name| *name == own))
        });
        let whole = globals.networks.iter().any(|network| network.dynamic_names.is_some()).then(|| {
            let before = last.and_then(|(old, _, inside)| Some((old, inside.whole.as_deref()?)));
            Arc::new(DnsView::one(snapshot, before))
        });
        view.inside = Some(Arc::new(Inside {
            views: views.into_iter().map(One::alone).collect(),
            networks: Arc::new(networks),
            outside,
            whole,
        }));
        view
    }

    /// What the client at `peer` sees. Cost: halving, and nothing where there are no views.
    #[inline]
    pub fn seen_by(&self, peer: IpAddr) -> &DnsView {
        match &self.inside {
            None => self,
            Some(inside) => inside.of(peer).unwrap_or(self),
        }
    }

    /// The views of networks that have one, with their names.
    pub fn views(&self) -> impl Iterator<Item = (&str, &DnsView)> {
        let views = self.inside.iter().flat_map(|inside| &inside.views);
        views.map(|one| (&*one.name, &one.view))
    }

    /// The view of everything that the inventory has, whoever sees it, where names of leases are.
    pub(crate) fn whole(&self) -> &DnsView {
        self.inside.as_ref().and_then(|inside| inside.whole.as_deref()).unwrap_or(self)
    }

    /// This view and those beside it, each changed by `change`, which gets it with its own of `base`; `None` if one
    /// of them cannot be.
    pub(crate) fn each_by(
        &self,
        base: &DnsView,
        change: impl Fn(&DnsView, &DnsView) -> Option<DnsView>,
    ) -> Option<DnsView> {
        let mut next = change(self, base)?;
        if let (Some(own), Some(of_base)) = (&self.inside, &base.inside) {
            let mut inside = Inside::clone(own);
            for (one, base) in inside.views.iter_mut().zip(&of_base.views) {
                one.view = change(&one.view, &base.view)?;
            }
            next.inside = Some(Arc::new(inside));
        }
        Some(next)
    }

    /// Changes the views beside this one.
    pub(super) fn change_inside(&mut self, change: impl Fn(&mut DnsView)) {
        if let Some(inside) = &mut self.inside {
            Arc::make_mut(inside).views.iter_mut().for_each(|one| change(&mut one.view));
        }
    }
}

impl One {
    /// Without the views that it was beside before.
    fn alone(mut self) -> One {
        self.view.inside = None;
        self
    }
}

impl Inside {
    fn of(&self, peer: IpAddr) -> Option<&DnsView> {
        self.views.get(*self.networks.of(peer)?).map(|one| &one.view)
    }
}
