//! Machines that asked and are in no inventory of their link: for whoever wants to write them down.
//!
//! Anybody can make up hardware addresses, so the list is short and the newest ones stay. It is no truth:
//! the shell keeps it over restarts, and nothing is decided by it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use inventory_core::mac::MacAddr;
use serde::{Deserialize, Serialize};

use super::input::Now;
use super::packet::Message;
use super::place::Place;
use crate::code;

/// Machines that are remembered.
pub const SEEN_MAX: usize = 512;
/// Octets of a text of theirs that are kept.
const TEXT: usize = 64;
/// Codes that are kept of those that it asked for.
const ASKED: usize = 64;

/// A machine that nobody has written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenMachine {
    /// The network where it asked last.
    pub network: Option<Box<str>>,
    /// The relay agent that it asked through, if any.
    pub relay: Option<Ipv4Addr>,
    /// What that agent calls the port (option 82.1): text, or digits after `0x`.
    pub circuit_id: Option<Box<str>>,
    /// What that agent calls itself or the other end (option 82.2).
    pub remote_id: Option<Box<str>>,
    /// The name that it gives itself.
    pub name: Option<Box<str>>,
    /// What it says it is (option 60).
    pub class: Option<Box<str>>,
    /// Its first architecture type (option 93).
    pub architecture: Option<u16>,
    /// Its UUID as it came, without the type octet (option 97).
    pub uuid: Option<[u8; 16]>,
    /// The options that it asked for (option 55).
    pub asked: Box<[u8]>,
    /// When it asked first and last: milliseconds since 1970.
    pub first: i64,
    /// See `first`.
    pub last: i64,
    /// How often it asked.
    pub count: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// When each asked last, by the number of the use.
    by_mac: BTreeMap<MacAddr, u64>,
    /// Boxed: a tree moves what is beside a machine that comes or goes, and in a flood each does.
    by_use: BTreeMap<u64, (MacAddr, Box<SeenMachine>)>,
    uses: u64,
}

impl Seen {
    /// Remembers who sent `message`.
    pub(super) fn note(&mut self, message: &Message<'_>, place: &Place<'_>, now: Now) {
        let Some(mac) = message.mac().filter(|mac| mac.reject().is_none()) else { return };
        let before = self.by_mac.get(&mac).and_then(|used| self.by_use.get(used)).map(|(_, before)| before);
        let options = &message.options;
        let text = |code| options.get(code).and_then(|octets| printable(&octets));
        let port = |code| options.relay(code).map(|octets| readable(&octets));
        let architecture = options.get(code::CLIENT_ARCHITECTURE);
        let uuid = options.get(code::CLIENT_UUID);
        let asked = options.get(code::PARAMETER_REQUEST_LIST).unwrap_or_default();
        let machine = SeenMachine {
            network: place.networks().next().map(|network| network.name.clone()),
            relay: Some(message.giaddr()).filter(|agent| !agent.is_unspecified()),
            circuit_id: port(code::RELAY_CIRCUIT_ID),
            remote_id: port(code::RELAY_REMOTE_ID),
            name: text(code::HOST_NAME),
            class: text(code::VENDOR_CLASS),
            architecture: architecture.and_then(|types| types.first_chunk().copied()).map(u16::from_be_bytes),
            uuid: uuid.and_then(|uuid| uuid.split_first()?.1.try_into().ok()),
            asked: asked.iter().take(ASKED).copied().collect(),
            first: before.map_or(now.unix_ms, |before| before.first),
            last: now.unix_ms,
            count: before.map_or(0, |before| before.count).saturating_add(1),
        };
        self.put(mac, machine);
    }

    /// Remembers `machine` as the latest. The one that asked longest ago is forgotten where there are too many.
    pub(super) fn put(&mut self, mac: MacAddr, machine: SeenMachine) {
        self.uses += 1;
        if let Some(used) = self.by_mac.insert(mac, self.uses) {
            self.by_use.remove(&used);
        } else if self.by_mac.len() > SEEN_MAX
            && let Some((_, (oldest, _))) = self.by_use.pop_first()
        {
            self.by_mac.remove(&oldest);
        }
        self.by_use.insert(self.uses, (mac, Box::new(machine)));
    }

    /// The machines, the latest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (MacAddr, &SeenMachine)> {
        self.by_use.values().rev().map(|(mac, machine)| (*mac, &**machine))
    }

    /// Another number after each change.
    pub(super) fn version(&self) -> u64 {
        self.uses
    }
}

/// The text, if it can be shown as it is.
fn printable(octets: &[u8]) -> Option<Box<str>> {
    let text = std::str::from_utf8(octets.get(..octets.len().min(TEXT))?).ok()?;
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    plain.then(|| text.into())
}

/// The text, or the octets in hexadecimal digits.
fn readable(octets: &[u8]) -> Box<str> {
    let digits = || octets.iter().take(TEXT).map(|octet| format!("{octet:02x}")).collect::<String>();
    printable(octets).unwrap_or_else(|| format!("0x{}", digits()).into())
}
