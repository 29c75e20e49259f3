//! What `hostbook status` and scrapes are told.

use std::sync::{Arc, Mutex, PoisonError};

use daemon::control::{Request, refuse};
use daemon::follow::FollowStatus;
use daemon::metrics::Common;
use inventory_core::name::Name;
use serde_json::{Value, json};

use crate::core::dnssec::lifecycle::Command;

use super::counters::DnsCounters;
use super::encrypted::Certificate;
use super::reload::Reloader;
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
    pub(super) reloader: Arc<Mutex<Reloader>>,
}

impl Status {
    /// Answers a request on the control socket.
    pub(super) fn answer(&self, request: &Request) -> Value {
        match request.get.as_str() {
            "status" => self.to_json(),
            "dnssec" if request.args["do"] != "show" && !request.is_by_owner() => {
                refuse("keys are replaced by root or the user that dnsd runs as: `sudo hostbook dnssec …`")
            }
            "dnssec" => self.dnssec(&request.args),
            "queries" => self.service.queries.look(&request.args, self.service.started.elapsed()),
            other => {
                refuse(format!("unknown request `{other}`: dnsd knows `status`, `dnssec` and `queries`"))
            }
        }
    }

    /// Does something with the keys of a zone, and says what they are afterwards.
    fn dnssec(&self, args: &Value) -> Value {
        let text = |key: &str| args.get(key).and_then(Value::as_str).unwrap_or_default();
        let Ok(zone) = Name::parse(text("zone"), None) else {
            return refuse("`zone` names no zone".to_owned());
        };
        // What is shown is there without the reloader, which may be at work for seconds.
        let done = match text("do") {
            "show" => Ok(()),
            "roll" => lock(&self.reloader).command(&zone, Command::Roll),
            "ds-seen" => lock(&self.reloader).command(&zone, Command::ParentHasIt),
            other => Err(format!("`{other}` is none of show, roll, ds-seen")),
        };
        match done {
            Ok(()) => lock(&self.service.zone_keys).get(&zone).cloned().unwrap_or_default(),
            Err(why) => refuse(why),
        }
    }

    fn to_json(&self) -> Value {
        let view = self.service.views.load();
        let keys = lock(&self.service.zone_keys);
        let zones = view.zones().iter().take(ZONES_SHOWN).map(|(number, zone)| {
            json!({
                "name": zone.name.to_string(),
                "serial": view.serial(number),
                "derived": zone.derived,
                "questions": self.counters.zones.questions(&zone.name),
                "secondaries": self.service.secondaries.to_json(&zone.name),
                "dnssec": keys.get(&zone.name),
            })
        });
        let unsigned = keys.iter().filter_map(|(zone, keys)| {
            let why = keys["trouble"].as_str()?;
            Some(format!("zone `{zone}` is not signed as it should be: {why}"))
        });
        let problems: Vec<String> = view.problems().iter().map(ToString::to_string).chain(unsigned).collect();
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
            "problems": problems,
            "key_troubles": self.service.keys.troubles(),
            "serial_trouble": *lock(&self.serial_trouble),
            "lease_names": self.service.lease_names.to_json(),
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
