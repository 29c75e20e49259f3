//! Clients that are told to ask again when an edit changes what they would be answered (RFC 8415, sections
//! 18.3.11 and 20.4), so that they need not wait for T1.
//!
//! A client that takes a Reconfigure says so (option 20). Its last message is remembered, with a digest of
//! what the inventory and the leases say about it. With every edit the digest is made anew; where it is
//! another one, the client is sent a Reconfigure until it asks, at growing intervals. Nothing depends on
//! it: a client that is forgotten learns of the edit when it renews.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use ipnet::Ipv6Net;
use serde::{Deserialize, Serialize};

use super::asker::{Asker, Client};
use super::auth::{Auth, Keys};
use super::input::Packet;
use super::message::{Kind, Message};
use super::output::Outputs;
use super::place::Place;
use super::reason::Event;
use super::reply::Replying;
use super::{Core, Reason};
use crate::code6;
use crate::core::Now;
use crate::fnv::Fnv;
use crate::view::DhcpView;

/// Clients that are remembered at most.
pub const RECONFIGURED_MAX: usize = 10_000;
/// Messages to a client that does not ask (REC_MAX_RC), and the time after the first (REC_TIMEOUT); it
/// doubles with each (RFC 8415, section 7.6).
const ATTEMPTS: u8 = 8;
const TIMEOUT_MS: i64 = 2000;
/// Time between messages to different clients, so that all of them do not ask at once.
const GAP_MS: i64 = 2;
/// How often clients whose time is over are looked for where there is no room.
const PURGE_MS: i64 = 60_000;
/// How long a client that has asked for options only is remembered.
const OPTIONS_SECONDS: u32 = 86_400;

/// A client that takes a Reconfigure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconfigured {
    /// Its last message.
    packet: Packet<'static>,
    /// Whether that was about options only.
    options_only: bool,
    /// Digest of what it was told, by a hash that is the same in every run of one version of the program. After an
    /// update some clients may be told once more than needed.
    told: u64,
    /// Until when it is remembered, in milliseconds since 1970.
    until: i64,
    /// Messages that it was sent since an edit, and when the next is due by the boot's clock.
    #[serde(skip)]
    due: Option<(u8, i64)>,
}

/// Those clients.
#[derive(Debug, Default)]
pub(super) struct Reconfiguring {
    keys: Option<Keys>,
    by_duid: BTreeMap<Box<[u8]>, Reconfigured>,
    /// Of which generation the view was that they were compared with.
    generation: u64,
    /// Another number after each change of the clients.
    version: u64,
    /// When messages are due, by the boot's clock, and whose.
    due: BTreeSet<(i64, Box<[u8]>)>,
    /// When those whose time is over were looked for, by the boot's clock.
    purged: i64,
}

impl Reconfiguring {
    pub(super) fn new(keys: Option<Keys>, clients: Vec<Reconfigured>) -> Reconfiguring {
        // Without keys nothing can be signed for them.
        let clients = clients.into_iter().filter(|_| keys.is_some());
        let named = clients.filter_map(|client| {
            let message = Message::read(&client.packet.bytes).ok()?;
            Some((message.duid().ok()??.into(), client))
        });
        let by_duid = named.take(RECONFIGURED_MAX).collect();
        Reconfiguring { keys, by_duid, ..Reconfiguring::default() }
    }

    /// What the client of `message` is told of its key, if it takes a Reconfigure.
    pub(super) fn auth(&mut self, message: &Message<'_>) -> Option<Auth> {
        let duid = message.duid().ok()??;
        if !message.options.has(code6::RECONFIGURE_ACCEPT) {
            return None;
        }
        self.keys.as_mut().map(|keys| keys.next(duid))
    }

    /// When the next message is due, in milliseconds of the boot's clock.
    pub(super) fn deadline(&self) -> Option<i64> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Reconfigured> {
        self.by_duid.values()
    }

    /// Forgets a client.
    pub(super) fn forget(&mut self, duid: &[u8]) {
        self.version += u64::from(self.take(duid).is_some());
    }

    /// Takes a client out, and its message that is due.
    fn take(&mut self, duid: &[u8]) -> Option<Reconfigured> {
        let (duid, client) = self.by_duid.remove_entry(duid)?;
        if let Some((_, at)) = client.due {
            self.due.remove(&(at, duid));
        }
        Some(client)
    }

    /// Puts a client in that is not there.
    fn insert(&mut self, duid: Box<[u8]>, client: Reconfigured) {
        self.due.extend(client.due.map(|(_, at)| (at, duid.clone())));
        self.by_duid.insert(duid, client);
    }

    /// Remembers what a client has asked and was told, if there is room.
    fn put(&mut self, duid: &[u8], client: Reconfigured, now: Now) {
        let is_known = self.take(duid).is_some();
        let full = self.by_duid.len() >= RECONFIGURED_MAX;
        if full && now.ms() - self.purged >= PURGE_MS {
            self.purged = now.ms();
            self.purge(now);
        }
        if is_known || self.by_duid.len() < RECONFIGURED_MAX {
            self.version += 1;
            self.insert(duid.into(), client);
        }
    }

    /// Forgets the clients whose time is over.
    fn purge(&mut self, now: Now) {
        let before = self.by_duid.len();
        self.by_duid.retain(|_, client| client.until > now.unix_ms);
        if self.by_duid.len() != before {
            self.version += 1;
            self.due.retain(|(_, duid)| self.by_duid.contains_key(duid));
        }
    }

    /// The first client whose message is due, taken out, with the messages that it was sent before.
    fn take_due(&mut self, now: Now) -> Option<(Box<[u8]>, Reconfigured, u8)> {
        self.due.first().filter(|(at, _)| *at <= now.ms())?;
        let (_, duid) = self.due.pop_first()?;
        let mut client = self.by_duid.remove(&duid)?;
        let (sent, _) = client.due.take()?;
        Some((duid, client, sent))
    }
}

impl Core {
    /// Remembers that `asker` was told what there is for it, if it takes a Reconfigure.
    pub(super) fn remember(&mut self, asker: &Asker<'_, '_, '_>, packet: &Packet<'_>, now: Now) {
        let Ok(Some(duid)) = asker.message.duid() else { return };
        if self.reconfiguring.keys.is_none() || !asker.message.options.has(code6::RECONFIGURE_ACCEPT) {
            return self.reconfiguring.forget(duid);
        }
        let options_only = asker.message.kind() == Kind::InformationRequest;
        let network = asker.served_network().map_or(0, |network| network.lease_seconds);
        let own = asker.known().and_then(|(nic, _)| nic.lease_seconds());
        let seconds = if options_only { OPTIONS_SECONDS } else { own.unwrap_or(network) };
        let Packet { interface, from, destination, .. } = *packet;
        let packet = Packet { bytes: Cow::Owned(packet.bytes.to_vec()), interface, from, destination };
        let until = now.unix_ms.saturating_add(i64::from(seconds) * 1000);
        let told = self.digest(asker);
        self.reconfiguring.put(duid, Reconfigured { packet, options_only, told, until, due: None }, now);
    }

    /// Compares what clients were told with what `view` says, if that is another one.
    pub(super) fn follow_reconfigured(&mut self, now: Now, view: &DhcpView) {
        if self.reconfiguring.generation == view.generation() || self.links.is_empty() {
            return;
        }
        self.reconfiguring.generation = view.generation();
        self.reconfiguring.purge(now);
        self.reconfiguring.due.clear();
        let mut at = now.ms();
        for (duid, mut client) in std::mem::take(&mut self.reconfiguring.by_duid) {
            let told = self.digest_of(&client.packet, view);
            client.due = (told != Some(client.told)).then(|| {
                at += GAP_MS;
                (0, at)
            });
            self.reconfiguring.insert(duid, client);
        }
    }

    /// Sends what is due. Cost: that of those messages, however many wait.
    pub(super) fn pass_reconfigured(&mut self, now: Now, view: &DhcpView, out: &mut Outputs) {
        if self.reconfiguring.deadline().is_none_or(|due| due > now.ms()) {
            return;
        }
        let Some(mut keys) = self.reconfiguring.keys.take() else { return };
        while let Some((duid, mut client, sent)) = self.reconfiguring.take_due(now) {
            if sent < ATTEMPTS && self.reconfigure(&client, keys.next(&duid), view, out).is_ok() {
                client.due = Some((sent + 1, now.ms() + (TIMEOUT_MS << sent)));
            } else {
                out.events.push(Event::ReconfigureUnheard);
            }
            self.reconfiguring.insert(duid, client);
        }
        self.reconfiguring.keys = Some(keys);
    }

    fn reconfigure(
        &self,
        client: &Reconfigured,
        auth: Auth,
        view: &DhcpView,
        out: &mut Outputs,
    ) -> Result<(), Reason> {
        let message = Message::read(&client.packet.bytes)?;
        let place = Place::find(view, &self.links, &client.packet, &message)?;
        let replying = Replying {
            message: &message,
            packet: &client.packet,
            place,
            server: &self.server,
            boot_port: self.boot_port,
            auth: Some(auth),
            after: None,
        };
        replying.reconfigure(client.options_only, out)
    }

    /// Digest of what the client that has sent `packet` would be told.
    fn digest_of(&self, packet: &Packet<'_>, view: &DhcpView) -> Option<u64> {
        let message = Message::read(&packet.bytes).ok()?;
        let place = Place::find(view, &self.links, packet, &message).ok()?;
        let asker = Asker::find(&message, packet, place).ok()?;
        Some(self.digest(&asker))
    }

    fn digest(&self, asker: &Asker<'_, '_, '_>) -> u64 {
        let mut hasher = Fnv::default();
        let kind = match asker.client {
            Client::Known(..) => 0,
            Client::Stranger => 1,
            Client::Withdrawn => 2,
            Client::Off => 3,
        };
        kind.hash(&mut hasher);
        for ia in &asker.ias {
            let leases = &self.ledger.leases;
            let keys = asker.keys(ia);
            let own = keys.iter().flatten().flat_map(|key| leases.of_client(key)).copied();
            let mut own: Vec<Ipv6Net> = own.filter(|item| leases.gives(*item)).collect();
            own.sort_unstable();
            own.dedup();
            (ia.id, asker.reserved(ia.kind), own).hash(&mut hasher);
        }
        let Some(network) = asker.served_network() else { return hasher.finish() };
        let nic = asker.known().map(|(nic, _)| nic);
        let own = nic.and_then(|nic| nic.lease_seconds());
        (&network.name, own.unwrap_or(network.lease_seconds)).hash(&mut hasher);
        nic.and_then(|nic| nic.fqdn()).hash(&mut hasher);
        asker.parameters(network, nic, self.boot_port).hash(asker.message, &mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv6Addr, SocketAddrV6};

    const NOW: Now = Now { monotonic_ms: 1000, unix_ms: 1_000_000 };

    fn client(due: Option<i64>) -> Reconfigured {
        let from = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 546, 0, 0);
        let packet = Packet { bytes: Cow::Borrowed(b""), interface: 1, from, destination: None };
        let due = due.map(|at| (0, at));
        Reconfigured { packet, options_only: false, told: 0, until: i64::MAX, due }
    }

    #[test]
    fn what_is_due_is_of_the_clients_that_are_there() {
        let mut all = Reconfiguring::default();
        for (duid, at) in [(b"a", 30), (b"b", 10), (b"c", 20)] {
            all.put(duid, client(Some(at)), NOW);
        }
        assert_eq!(all.deadline(), Some(10));
        all.put(b"b", client(None), NOW);
        assert_eq!(all.deadline(), Some(20), "it has asked");
        all.forget(b"c");
        assert_eq!(all.deadline(), Some(30));
        let (duid, ..) = all.take_due(NOW).unwrap();
        assert_eq!((&*duid, all.deadline()), (&b"a"[..], None));
        all.put(b"a", Reconfigured { until: 0, ..client(Some(30)) }, NOW);
        all.purge(NOW);
        assert_eq!((all.deadline(), all.by_duid.len()), (None, 1), "its time is over");
    }

    #[test]
    fn a_client_that_there_is_no_room_for_changes_nothing() {
        let mut all = Reconfiguring::default();
        for number in 0..RECONFIGURED_MAX {
            all.put(&number.to_be_bytes(), client(None), NOW);
        }
        let version = all.version();
        all.put(b"another", client(None), NOW);
        assert_eq!((all.version(), all.by_duid.len()), (version, RECONFIGURED_MAX));
        all.put(&0_usize.to_be_bytes(), client(None), NOW);
        assert_ne!(all.version(), version, "one that is known has asked again");
    }
}
