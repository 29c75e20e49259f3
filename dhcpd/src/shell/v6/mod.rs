//! DHCPv6 around its core: a thread of its own, since the families share no state.

mod announcing;
mod duid;
mod keys;
mod ports;
mod service;

pub(super) use announcing::open_neighbours;
pub(super) use duid::server_duid;
pub(super) use keys::{clients, keys};
pub(super) use service::{Begin, SixService};

use std::sync::{Arc, Mutex, PoisonError};

use daemon::metrics::{Counters, Registry};
use serde_json::{Value, json};

use announcing::Advertising;

use crate::core::v6::{Core, Reconfigured, V6};
use crate::shell::counters::FamilyCounters;
use crate::shell::keeper::Kept;
use crate::shell::ports::Port;

/// What is kept of the clients that take a Reconfigure.
pub(super) const KEPT: Kept<Core, Vec<Reconfigured>> = Kept {
    file: keys::CLIENTS,
    version: Core::reconfigured_version,
    copy: |core| core.reconfigured().cloned().collect(),
    text: |clients| serde_json::to_vec(&clients).unwrap_or_default(),
};

/// What status knows of DHCPv6.
#[derive(Debug)]
pub(super) struct Six {
    pub(super) duid: Box<[u8]>,
    pub(super) counters: FamilyCounters<V6>,
    advertising: Arc<Counters<Advertising>>,
    /// Names of the interfaces that are heard; the worker writes it.
    heard: Mutex<Vec<String>>,
}

impl Six {
    pub(super) fn new(duid: Box<[u8]>, registry: &mut Registry) -> Six {
        let advertising = announcing::counters(registry);
        Six { duid, counters: FamilyCounters::six(registry), advertising, heard: Mutex::default() }
    }

    /// For status.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "duid": duid::hex(&self.duid),
            "listeners": *self.heard.lock().unwrap_or_else(PoisonError::into_inner),
            "counters": self.counters.to_json(),
            "advertising": self.advertising.to_json(),
        })
    }

    /// Notes which ports are open; returns whether that is news.
    fn hear(&self, ports: &[Port]) -> bool {
        let open = ports.iter().filter(|port| port.socket.is_some());
        let names: Vec<String> = open.map(|port| port.name.clone()).collect();
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let news = *heard != names;
        *heard = names;
        news
    }
}
