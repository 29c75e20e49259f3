//! What DHCP needs of a snapshot, laid out for looking up.
//!
//! A [`DhcpView`] is immutable and of one generation. The next one shares with it all that an edit does
//! not touch ([`DhcpView::updated`]). It says what the inventory says and decides nothing:
//! [`crate::core`] does.

#![deny(clippy::indexing_slicing)]

mod block;
mod block6;
mod by_prefix;
mod entry;
mod key;
mod left;
mod matching;
mod networks;
mod networks6;
mod owners;
mod pool;
mod table;
mod update;
mod v6;

pub use block::OptionBlock;
pub(crate) use block::{encoded_len, find as find_option, push_option};
pub use block6::OptionBlock6;
pub(crate) use block6::{find_options6, push_option6};
pub(crate) use left::MAX as LEFT_MAX;
pub use matching::{MatchView, Part, Traits};
pub use networks::NetworkView;
pub(crate) use networks::domain_text;
pub use networks6::NetworkView6;
pub(crate) use networks6::search_list;
pub(crate) use owners::Owners;
pub use pool::{Pool, PoolAddress};
pub(crate) use v6::Layout6;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};

use daemon::udp::MAX_BATCH;
use inventory_core::mac::MacAddr;
use inventory_core::model::{ContentHash, Globals, Host, HostName, NetworkId, NicRest, Shard};
use inventory_core::name::Name;
use inventory_core::options::DhcpOption;

use entry::Entry;
use key::{Key, KeyKind};
use left::Left;
use networks::Networks;
use networks6::Networks6;
use table::Table;

/// One snapshot as DHCP sees it.
#[derive(Clone, Debug)]
pub struct DhcpView {
    generation: u64,
    hash: ContentHash,
    networks: Arc<Networks>,
    networks6: Arc<Networks6>,
    globals: Arc<Globals>,
    /// Files with hosts by the number that entries know them by; `None`: the number is free.
    files: Vec<Option<Arc<Shard>>>,
    table: Table,
    /// Addresses that hosts have lost by the latest edits.
    left: Arc<[Left]>,
    /// Who has an address; made when somebody asks that.
    cards: Arc<Cards>,
}

/// The hardware address of the nic with each address.
type Cards = OnceLock<HashMap<(NetworkId, Ipv4Addr), Option<MacAddr>>>;

/// The networks of a view.
#[derive(Clone, Debug)]
pub(crate) struct Layout(Arc<Networks>);

/// A nic of the inventory, as a client was recognised.
#[derive(Clone, Copy)]
pub struct Reservation<'v> {
    view: &'v DhcpView,
    entry: &'v Entry,
    label: &'v [u8],
}

impl DhcpView {
    /// Generation of the snapshot.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Content hash of the snapshot.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// Number of keys that clients are recognised by.
    pub fn key_count(&self) -> usize {
        self.table.len()
    }

    /// The networks with IPv4, by id.
    pub fn networks(&self) -> impl Iterator<Item = &NetworkView> {
        self.networks.iter()
    }

    /// The network with this id, if it has IPv4.
    #[inline]
    pub fn network(&self, id: NetworkId) -> Option<&NetworkView> {
        self.networks.get(id)
    }

    /// The network whose prefix holds `address`.
    #[inline]
    pub fn network_of(&self, address: Ipv4Addr) -> Option<&NetworkView> {
        self.networks.of_address(address)
    }

    /// The other networks on the link of this one, of either family.
    #[inline]
    pub fn others_on_link(&self, id: NetworkId) -> &[NetworkId] {
        let link = self.globals.networks.get(id.0 as usize).and_then(|network| network.link.as_ref());
        link.map_or(&[], |link| &link.others)
    }

    /// The nic with this hardware address in this network.
    #[inline]
    pub fn by_mac(&self, network: NetworkId, mac: MacAddr) -> Option<Reservation<'_>> {
        self.find(Key::Mac(network, mac))
    }

    /// Has fetched into the cache what [`DhcpView::by_mac`] reads for these, at most [`MAX_BATCH`] of them.
    pub(crate) fn fetch_macs(&self, macs: impl Iterator<Item = (NetworkId, MacAddr)>) {
        let mut hashes = [0; MAX_BATCH];
        let mut count = 0;
        for (slot, (network, mac)) in hashes.iter_mut().zip(macs) {
            *slot = Key::Mac(network, mac).hash();
            count += 1;
        }
        self.table.fetch(hashes.get(..count).unwrap_or_default());
    }

    /// The nic with this client identifier (option 61, whole value) in this network.
    pub fn by_client_id(&self, network: NetworkId, id: &[u8]) -> Option<Reservation<'_>> {
        self.find(Key::ClientId(network, id))
    }

    /// The nic with this DUID in this network.
    pub fn by_duid(&self, network: NetworkId, duid: &[u8]) -> Option<Reservation<'_>> {
        self.find(Key::Duid(network, duid))
    }

    /// The nic that is plugged into this port of a relay agent: one that names the remote id goes before
    /// one that names the circuit id alone.
    pub fn by_port(
        &self,
        network: NetworkId,
        circuit_id: &[u8],
        remote_id: Option<&[u8]>,
    ) -> Option<Reservation<'_>> {
        let exact =
            remote_id.and_then(|remote_id| self.find(Key::Port(network, circuit_id, Some(remote_id))));
        exact.or_else(|| self.find(Key::Port(network, circuit_id, None)))
    }

    /// The nic that is known by a relay agent's port and has this address.
    pub fn by_port_address(&self, network: NetworkId, address: Ipv4Addr) -> Option<Reservation<'_>> {
        self.find(Key::PortAddress(network, address))
    }

    /// The nic with this address and a hardware address in this network. Cost: linear in the hosts the first
    /// time, then a lookup.
    pub fn by_address(&self, network: NetworkId, address: Ipv4Addr) -> Option<Reservation<'_>> {
        let cards = self.cards.get_or_init(|| {
            let mut cards = HashMap::new();
            for nic in left::nics(self.files.iter().flatten()) {
                if let Some(address) = nic.ipv4() {
                    cards.entry((nic.network, address)).or_insert(nic.mac);
                }
            }
            cards
        });
        self.by_mac(network, (*cards.get(&(network, address))?)?)
    }

    /// The IPv4 addresses of all hosts, each with its network.
    pub fn addresses(&self) -> impl Iterator<Item = (NetworkId, Ipv4Addr)> {
        left::nics(self.files.iter().flatten()).filter_map(|nic| Some((nic.network, nic.ipv4()?)))
    }

    /// A network that knows this hardware address. Cost: a lookup for each network.
    pub fn network_knowing(&self, mac: MacAddr) -> Option<&NetworkView> {
        self.networks().find(|network| self.by_mac(network.id, mac).is_some())
    }

    /// Addresses that hosts have lost by edits after `generation`.
    pub(crate) fn left_since(&self, generation: u64) -> impl Iterator<Item = &Left> {
        self.left.iter().filter(move |left| left.generation > generation)
    }

    /// Addresses that hosts have lost by the edit to this view, each with the seconds of the longest lease
    /// that its machine may have.
    pub(crate) fn left_by_last_edit(&self) -> impl Iterator<Item = (Ipv4Addr, u32)> {
        let last = self.left.iter().filter(|left| left.generation == self.generation);
        last.map(|left| (left.address, left.seconds))
    }

    /// The same view, which knows that hosts have lost these addresses before it.
    pub(crate) fn with_left(self, left: impl Iterator<Item = (Ipv4Addr, u32)>) -> DhcpView {
        let generation = self.generation;
        let left: Vec<Left> = left.map(|(address, seconds)| Left { address, generation, seconds }).collect();
        DhcpView { left: left::latest(&left), ..self }
    }

    /// Its networks alone.
    pub(crate) fn layout(&self) -> Layout {
        Layout(Arc::clone(&self.networks))
    }

    #[inline]
    fn find(&self, key: Key<'_>) -> Option<Reservation<'_>> {
        if !self.table.has(key.kind()) {
            return None;
        }
        let mut found = self.table.find(key.hash());
        let (entry, label) = found.find(|(entry, _)| self.is_under(entry, key))?;
        Some(Reservation { view: self, entry, label })
    }

    /// Whether `entry` is the one of `key`, and not another one with the same hash.
    #[inline]
    fn is_under(&self, entry: &Entry, key: Key<'_>) -> bool {
        if entry.kind != key.kind() {
            return false;
        }
        if let Key::Mac(network, mac) = key {
            return entry.network == network && entry.mac == mac;
        }
        let known = self.nic_rest(entry).and_then(|rest| rest.identifiers.as_deref());
        let Some(known) = known.filter(|_| entry.network == key.network()) else { return false };
        match key {
            Key::Mac(..) => false,
            Key::PortAddress(_, address) => known.port.is_some() && entry.address() == Some(address),
            Key::ClientId(_, id) => known.client_id.as_ref().is_some_and(|(own, _)| **own == *id),
            Key::Duid(_, duid) => known.duid.as_ref().is_some_and(|(own, _)| **own == *duid),
            Key::Port(_, circuit_id, remote_id) => {
                let own = known.port.as_ref().map(|(port, _)| (&*port.circuit_id, port.remote_id.as_deref()));
                own == Some((circuit_id, remote_id))
            }
        }
    }

    fn file(&self, entry: &Entry) -> Option<&Shard> {
        self.files.get(entry.at.0 as usize)?.as_deref()
    }

    /// The host of an entry. Most answers do not need it.
    fn host(&self, entry: &Entry) -> Option<Host> {
        self.file(entry)?.get(entry.at.1 as usize)
    }

    /// What the nic of an entry has that most do not have.
    fn nic_rest(&self, entry: &Entry) -> Option<&NicRest> {
        self.file(entry)?.nic_rest_of(entry.at.1 as usize, entry.at.2 as usize)
    }
}

impl Layout {
    /// Whether it is that of `view`: edits of hosts leave it alone.
    pub(crate) fn is_of(&self, view: &DhcpView) -> bool {
        Arc::ptr_eq(&self.0, &view.networks)
    }

    /// The network with this id.
    pub(crate) fn network(&self, id: NetworkId) -> Option<&NetworkView> {
        self.0.get(id)
    }

    /// The network whose prefix holds `address`.
    pub(crate) fn network_of(&self, address: Ipv4Addr) -> Option<&NetworkView> {
        self.0.of_address(address)
    }
}

impl<'v> Reservation<'v> {
    /// Whether the host's state is one that is served.
    #[inline]
    pub fn is_served(&self) -> bool {
        self.entry.is_served()
    }

    /// Whether DHCP is not switched off for the nic.
    #[inline]
    pub fn has_dhcp(&self) -> bool {
        self.entry.has_dhcp()
    }

    /// `None`: its host has no boot profile; else whether the host is to boot it now. Installations that
    /// are done still count: the boot service knows of them.
    #[inline]
    pub fn has_boot(&self) -> Option<bool> {
        self.entry.has_boot()
    }

    /// Name of its host, which is its own where it is the host's primary nic.
    pub fn host_name(&self) -> Option<Name> {
        self.view.host(self.entry).map(|host| host.name.fqdn)
    }

    /// Its address; `None`: it takes one from a pool.
    #[inline]
    pub fn address(&self) -> Option<Ipv4Addr> {
        self.entry.address()
    }

    /// Its hardware address, if one is written.
    #[inline]
    pub fn mac(&self) -> Option<MacAddr> {
        Some(self.entry.mac).filter(|mac| *mac != MacAddr([0; 6]))
    }

    /// Whether it was found by where it is plugged in, and by nothing of the machine's own.
    pub fn is_by_port(&self) -> bool {
        matches!(self.entry.kind, KeyKind::Port | KeyKind::PortAddress)
    }

    /// Its own lease time in seconds, if it has one.
    #[inline]
    pub fn lease_seconds(&self) -> Option<u32> {
        self.entry.lease_seconds()
    }

    /// First label of its name; empty in no valid inventory.
    #[inline]
    pub fn label(&self) -> &'v [u8] {
        self.label
    }

    /// Its own options, sorted by code.
    #[inline]
    pub fn options(&self) -> &'v [DhcpOption] {
        if !self.entry.has_options() {
            return &[];
        }
        self.view.nic_rest(self.entry).map_or(&[], |rest| &rest.options)
    }

    /// Tags of its host.
    pub fn tags(&self) -> &'v [Arc<str>] {
        self.view.file(self.entry).map_or(&[], |file| file.tags_of(self.entry.at.1 as usize))
    }

    /// Its name.
    pub fn fqdn(&self) -> Option<Name> {
        self.name().map(|name| name.fqdn)
    }

    /// Apex of the zone of its name, where that is not its network's zone.
    #[inline]
    pub fn other_zone(&self) -> Option<&'v Name> {
        if !self.entry.is_of_other_zone() {
            return None;
        }
        Some(&self.view.globals.zone(self.name()?.zone).name)
    }

    fn name(&self) -> Option<HostName> {
        let own = self.view.nic_rest(self.entry).and_then(|rest| rest.name.clone());
        own.or_else(|| Some(self.view.host(self.entry)?.name))
    }
}

impl std::fmt::Debug for Reservation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reservation").field("host", &self.fqdn()).field("entry", self.entry).finish()
    }
}
