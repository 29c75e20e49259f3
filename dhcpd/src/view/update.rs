//! Making a view, from nothing or from the one before.
//!
//! Both ways are one: from nothing, every file is an addition to an empty view.

use std::collections::HashSet;
use std::sync::Arc;

use inventory_core::model::{Inventory, Nic, Shard, Snapshot};

use super::DhcpView;
use super::entry::Entry;
use super::key::Key;
use super::left;
use super::networks::Networks;
use super::networks6::Networks6;
use super::table::{Edits, Table};

impl DhcpView {
    /// The view of `snapshot`. Cost: linear in the nics.
    pub fn build(snapshot: &Snapshot) -> DhcpView {
        let inventory = &snapshot.inventory;
        let globals = &inventory.globals;
        let mut view = DhcpView {
            generation: snapshot.generation,
            hash: snapshot.hash,
            networks: Arc::new(Networks::new(globals)),
            networks6: Arc::new(Networks6::new(globals)),
            globals: Arc::clone(globals),
            files: Vec::with_capacity(inventory.shards.len()),
            // Most hosts have one nic, and that one key.
            table: Table::empty(inventory.host_count()),
            left: Arc::default(),
            cards: Arc::default(),
        };
        view.change(&[], &inventory.shards);
        view
    }

    /// The view of `snapshot`, made from this one, which is that of `old`.
    ///
    /// Cost: linear in the nics of the files that changed, and a pointer for each file and shard; that
    /// of [`DhcpView::build`] if anything but hosts changed.
    #[must_use]
    pub fn updated(&self, old: &Inventory, snapshot: &Snapshot) -> DhcpView {
        let changes = snapshot.inventory.changes_since(old);
        let (removed, added) = (&changes.removed, &changes.added);
        let left = left::after(&self.left, snapshot.generation, &self.globals, removed, added);
        if changes.globals || self.table.is_crowded() {
            return DhcpView { left, ..DhcpView::build(snapshot) };
        }
        let mut next =
            DhcpView { generation: snapshot.generation, hash: snapshot.hash, left, ..self.clone() };
        next.cards = Arc::default();
        next.globals = Arc::clone(&snapshot.inventory.globals);
        next.change(&changes.removed, &changes.added);
        next
    }

    /// Takes the hosts of `removed` out and puts those of `added` in.
    fn change(&mut self, removed: &[Arc<Shard>], added: &[Arc<Shard>]) {
        let mut edits = Edits::default();
        edits.removed_files = self.forget_files(removed);
        for nic in left::nics(removed) {
            edits.removed.extend(keys(&nic).map(|key| key.hash()));
        }
        let numbers = self.number_files(added);
        let globals = Arc::clone(&self.globals);
        for (number, shard) in numbers.iter().zip(added) {
            for (host_index, host) in (0..).zip(shard.iter()) {
                for (nic_index, (name, nic)) in (0..).zip(host.named_nics()) {
                    let at = (*number, host_index, nic_index);
                    let label = name.fqdn.labels().next().unwrap_or_default();
                    for key in keys(nic) {
                        edits.add(key.hash(), Entry::new(&globals, key.kind(), at, &host, nic), label);
                    }
                }
            }
        }
        self.table.apply(edits);
    }

    /// Frees the numbers of `removed` and returns them, sorted.
    fn forget_files(&mut self, removed: &[Arc<Shard>]) -> Vec<u32> {
        let gone: HashSet<*const Shard> = removed.iter().map(Arc::as_ptr).collect();
        let mut numbers = Vec::with_capacity(gone.len());
        if gone.is_empty() {
            return numbers;
        }
        for (number, file) in (0..).zip(&mut self.files) {
            if file.as_ref().is_some_and(|shard| gone.contains(&Arc::as_ptr(shard))) {
                *file = None;
                numbers.push(number);
            }
        }
        numbers
    }

    /// Gives a number to each of `added`: free ones first.
    fn number_files(&mut self, added: &[Arc<Shard>]) -> Vec<u32> {
        let mut at = 0;
        let mut numbers = Vec::with_capacity(added.len());
        for shard in added {
            while self.files.get(at).is_some_and(Option::is_some) {
                at += 1;
            }
            match self.files.get_mut(at) {
                Some(free) => *free = Some(Arc::clone(shard)),
                None => self.files.push(Some(Arc::clone(shard))),
            }
            numbers.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        numbers
    }
}

/// The keys that a nic is found by.
fn keys(nic: &Nic) -> impl Iterator<Item = Key<'_>> {
    let network = nic.network;
    let mac = nic.mac.map(|mac| Key::Mac(network, mac));
    let known = nic.rest.identifiers.as_deref();
    let client_id =
        known.and_then(|known| known.client_id.as_ref()).map(|(id, _)| Key::ClientId(network, id));
    let duid = known.and_then(|known| known.duid.as_ref()).map(|(duid, _)| Key::Duid(network, duid));
    let port = known
        .and_then(|known| known.port.as_ref())
        .map(|(port, _)| Key::Port(network, &port.circuit_id, port.remote_id.as_deref()));
    let port_address = port.and(nic.ipv4()).map(|address| Key::PortAddress(network, address));
    [mac, client_id, duid, port, port_address].into_iter().flatten()
}
