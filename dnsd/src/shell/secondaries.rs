//! What the secondaries did: for status, and for who tells them of changes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;

use inventory_core::name::Name;
use serde_json::{Value, json};

use crate::core::notify::Heard;
use crate::core::serial::UnixSeconds;
use crate::core::transfer::Kind;

use super::status::lock;

/// Secondaries of zones that are remembered: more than anybody has.
const REMEMBERED_MAX: usize = 100_000;

/// What is known of all of them.
#[derive(Debug, Default)]
pub struct Secondaries {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    by_zone: BTreeMap<Name, BTreeMap<IpAddr, State>>,
    count: usize,
    /// Copies that were made since somebody asked.
    copied: Vec<(Name, IpAddr, u32)>,
}

#[derive(Debug, Default)]
struct State {
    told: Option<Told>,
    copied: Option<Copied>,
}

#[derive(Debug)]
struct Told {
    at: UnixSeconds,
    serial: u32,
    rcode: u16,
}

#[derive(Debug)]
struct Copied {
    at: UnixSeconds,
    serial: u32,
    kind: Kind,
}

impl Secondaries {
    /// Takes note that a secondary answered when it was told of a change.
    pub fn told(&self, heard: &Heard, peer: IpAddr, at: UnixSeconds) {
        let told = Told { at, serial: heard.serial, rcode: heard.rcode };
        lock(&self.seen).with(&heard.zone, peer, |state| state.told = Some(told));
    }

    /// Takes note that a secondary has a copy with this serial.
    pub fn copied(&self, zone: &Name, peer: IpAddr, serial: u32, kind: Kind, at: UnixSeconds) {
        let mut seen = lock(&self.seen);
        seen.copied.push((zone.clone(), peer, serial));
        seen.with(zone, peer, |state| state.copied = Some(Copied { at, serial, kind }));
    }

    /// The copies that were made since this was asked last.
    pub fn take_copied(&self) -> Vec<(Name, IpAddr, u32)> {
        std::mem::take(&mut lock(&self.seen).copied)
    }

    /// What is known of the secondaries of a zone, for status.
    pub fn to_json(&self, zone: &Name) -> Value {
        let seen = lock(&self.seen);
        let all = seen.by_zone.get(zone).into_iter().flatten().map(|(peer, state)| {
            json!({
                "address": peer.to_string(),
                "told": state.told.as_ref().map(|told| {
                    json!({ "at": told.at.0, "serial": told.serial, "rcode": told.rcode })
                }),
                "copied": state.copied.as_ref().map(|copied| {
                    let what = match copied.kind {
                        Kind::Whole => "whole",
                        Kind::Changes => "changes",
                        Kind::UpToDate => "up-to-date",
                    };
                    json!({ "at": copied.at.0, "serial": copied.serial, "what": what })
                }),
            })
        });
        all.collect()
    }
}

impl Seen {
    fn with(&mut self, zone: &Name, peer: IpAddr, change: impl FnOnce(&mut State)) {
        let of_zone = self.by_zone.entry(zone.clone()).or_default();
        if !of_zone.contains_key(&peer) {
            if self.count >= REMEMBERED_MAX {
                return;
            }
            self.count += 1;
        }
        change(of_zone.entry(peer).or_default());
    }
}
