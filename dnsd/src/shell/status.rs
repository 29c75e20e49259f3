//! What `hostbook status` and scrapes are told.

use std::sync::{Arc, Mutex, PoisonError};

use daemon::control::{Request, refuse};
use daemon::follow::FollowStatus;
use daemon::metrics::Common;
use serde_json::{Value, json};

use super::counters::DnsCounters;
use super::encrypted::Certificate;
use super::service::Service;

/// Zones that are listed at most.
const ZONES_SHOWN: usize = 1000;

/// Where the daemon's state is read from.
pub(super) struct Status {
    pub(super) common: Arc<Common>,
    pub(super) follow: Arc<Mutex<FollowStatus>>,
    pub(super) service: Arc<Service>,
    pub(super) counters: Arc<DnsCounters>,
    pub(super) listeners: Vec<String>,
    pub(super) certificate: Option<Arc<Certificate>>,
    pub(super) serial_trouble: Arc<Mutex<Option<String>>>,
}

impl Status {
    /// Answers a request on the control socket.
    pub(super) fn answer(&self, request: &Request) -> Value {
        match request.get.as_str() {
            "status" => self.to_json(),
            other => refuse(format!("unknown request `{other}`: dnsd knows `status`")),
        }
    }

    fn to_json(&self) -> Value {
        let view = self.service.views.load();
        let zones = view.zones().iter().take(ZONES_SHOWN).map(|(number, zone)| {
            json!({
                "name": zone.name.to_string(),
                "serial": view.serial(number),
                "derived": zone.derived,
                "secondaries": self.service.secondaries.to_json(&zone.name),
            })
        });
        let mut status = json!({
            "daemon": "dnsd",
            "generation": view.generation(),
            "hash": view.hash().to_string(),
            "inventory": *lock(&self.follow),
            "listeners": self.listeners,
            "certificate_trouble": self.certificate.as_ref().and_then(|certificate| certificate.trouble()),
            "zone_count": view.zones().len(),
            "zones": zones.collect::<Vec<_>>(),
            "names": view.node_count(),
            "view_bytes": view.octets(),
            "problems": view.problems().iter().map(ToString::to_string).collect::<Vec<_>>(),
            "key_troubles": self.service.keys.troubles(),
            "serial_trouble": *lock(&self.serial_trouble),
            "counters": self.counters.to_json(),
        });
        if let (Value::Object(status), Value::Object(common)) = (&mut status, self.common.to_json()) {
            status.extend(common);
        }
        status
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
