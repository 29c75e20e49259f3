//! Addresses that clients were offered and may still accept. A flood of made-up clients can fill them
//! for some seconds, and no longer.

use std::collections::{BTreeMap, BTreeSet};

use super::Leases;
use crate::core::client::ClientKey;
use crate::core::space::Space;

/// Offers at once. Beyond, new clients wait until old offers lapse.
const MAX: usize = 100_000;

/// An offer of an address.
#[derive(Clone, Debug)]
pub(in crate::core) struct Offer {
    /// Whom it was made to.
    pub(in crate::core) client: ClientKey,
    /// Until when it stands.
    pub(in crate::core) until: i64,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Offers<S: Space> {
    by_address: BTreeMap<S::Item, Offer>,
    by_client: BTreeMap<ClientKey, Vec<S::Item>>,
    /// When each lapses.
    due: BTreeSet<(i64, S::Item)>,
}

impl<S: Space> Default for Offers<S> {
    fn default() -> Offers<S> {
        Offers { by_address: BTreeMap::new(), by_client: BTreeMap::new(), due: BTreeSet::new() }
    }
}

impl<S: Space> Offers<S> {
    pub(super) fn get(&self, address: S::Item) -> Option<&Offer> {
        self.by_address.get(&address)
    }

    pub(super) fn deadline(&self) -> Option<i64> {
        self.due.first().map(|(due, _)| *due)
    }

    fn insert(&mut self, address: S::Item, offer: Offer) {
        self.remove(address);
        self.due.insert((offer.until, address));
        self.by_client.entry(offer.client.clone()).or_default().push(address);
        self.by_address.insert(address, offer);
    }

    pub(super) fn remove(&mut self, address: S::Item) -> Option<Offer> {
        let offer = self.by_address.remove(&address)?;
        self.due.remove(&(offer.until, address));
        if let Some(addresses) = self.by_client.get_mut(&offer.client) {
            addresses.retain(|other| *other != address);
            if addresses.is_empty() {
                self.by_client.remove(&offer.client);
            }
        }
        Some(offer)
    }
}

impl<S: Space> Leases<S> {
    /// The offer of `address` that stands at `now`.
    pub(in crate::core) fn offer_of(&self, address: S::Item, now: i64) -> Option<&Offer> {
        self.offers.get(address).filter(|offer| now < offer.until)
    }

    /// The addresses that `client` is offered at `now`.
    pub(in crate::core) fn offered_to(&self, client: &ClientKey, now: i64) -> impl Iterator<Item = S::Item> {
        let addresses = self.offers.by_client.get(client).map_or(&[][..], Vec::as_slice);
        addresses.iter().copied().filter(move |address| self.offer_of(*address, now).is_some())
    }

    /// Remembers an offer in the place of any other of this address. False: there are too many.
    pub(in crate::core) fn offer(&mut self, address: S::Item, offer: Offer) -> bool {
        if self.offers.get(address).is_none() && self.offers.by_address.len() >= MAX {
            return false;
        }
        self.take(address);
        self.offers.insert(address, offer);
        true
    }

    /// Takes the offer of `address` back.
    pub(in crate::core) fn withdraw(&mut self, address: S::Item) -> Option<Offer> {
        let offer = self.offers.remove(address)?;
        self.put_back(address);
        Some(offer)
    }

    /// Takes back what the pools do not give any more: it may be a host's by the time it is accepted.
    pub(super) fn withdraw_offers_outside_pools(&mut self) {
        let outside = self.offers.by_address.keys().copied().filter(|address| !self.gives(*address));
        let outside: Vec<_> = outside.collect();
        for address in outside {
            self.offers.remove(address);
        }
    }

    /// Forgets offers that nobody accepted in time.
    pub(in crate::core) fn lapse(&mut self, now: i64) {
        while let Some((_, address)) = self.offers.due.first().copied().filter(|(due, _)| *due <= now) {
            self.withdraw(address);
        }
    }

    /// Number of offers that are remembered.
    pub(in crate::core) fn offer_count(&self) -> usize {
        self.offers.by_address.len()
    }
}
