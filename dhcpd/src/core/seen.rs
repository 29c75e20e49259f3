//! Machines that asked and are in no inventory of their link: for whoever wants to write them down.
//!
//! Anybody can make up hardware addresses, so the list is short and the newest ones stay.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use inventory_core::mac::MacAddr;
use inventory_core::model::NetworkId;

use super::input::Now;
use super::packet::Message;
use super::place::Place;
use crate::code;

/// Machines that are remembered.
const MAX: usize = 512;
/// Octets of a text of theirs that are kept.
const TEXT: usize = 64;

/// A machine that nobody has written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenMachine {
    /// The network where it asked last.
    pub network: Option<NetworkId>,
    /// The relay agent that it asked through, if any.
    pub relay: Option<Ipv4Addr>,
    /// The name that it gives itself.
    pub name: Option<Box<str>>,
    /// What it says it is (option 60).
    pub class: Option<Box<str>>,
    /// When it asked first and last: milliseconds since 1970.
    pub first: i64,
    /// See `first`.
    pub last: i64,
    /// How often it asked.
    pub count: u64,
    used: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Seen {
    by_mac: BTreeMap<MacAddr, SeenMachine>,
    by_use: BTreeMap<u64, MacAddr>,
    uses: u64,
}

impl Seen {
    /// Remembers who sent `message`.
    pub(super) fn note(&mut self, message: &Message<'_>, place: Option<&Place<'_>>, now: Now) {
        let Some(mac) = message.mac().filter(|mac| mac.reject().is_none()) else { return };
        self.uses += 1;
        let before = self.by_mac.remove(&mac);
        if let Some(before) = &before {
            self.by_use.remove(&before.used);
        } else if self.by_mac.len() >= MAX
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.by_mac.remove(&oldest);
        }
        let text = |code| message.options.get(code).and_then(|octets| printable(&octets));
        let machine = SeenMachine {
            network: place.and_then(|place| place.networks().next()).map(|network| network.id),
            relay: Some(message.giaddr()).filter(|agent| !agent.is_unspecified()),
            name: text(code::HOST_NAME),
            class: text(code::VENDOR_CLASS),
            first: before.as_ref().map_or(now.unix_ms, |before| before.first),
            last: now.unix_ms,
            count: before.map_or(0, |before| before.count) + 1,
            used: self.uses,
        };
        self.by_use.insert(self.uses, mac);
        self.by_mac.insert(mac, machine);
    }

    /// The machines, the latest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (MacAddr, &SeenMachine)> {
        self.by_use.values().rev().filter_map(|mac| Some((*mac, self.by_mac.get(mac)?)))
    }
}

/// The text, if it can be shown as it is.
fn printable(octets: &[u8]) -> Option<Box<str>> {
    let text = std::str::from_utf8(octets.get(..octets.len().min(TEXT))?).ok()?;
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    plain.then(|| text.into())
}
