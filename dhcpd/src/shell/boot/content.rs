//! From a path to octets, for both protocols.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use daemon::metrics::SharedTally;
use inventory_core::model::Snapshot;
use serde_json::{Value, json};
use tracing::{debug, error, info, warn};

use super::http::Patience;
use super::limits::Limits;
use super::memory::Memory;
use super::root::{BootFile, BootRoot};
use crate::boot::{Answer, Asker, BootEvent, HostKeys, Machines, Service, Target, What, Whom, server_url};
use crate::shell::clock;

/// What both protocols serve from.
pub(super) struct Shared {
    pub(super) root: BootRoot,
    pub(super) service: Mutex<Service>,
    pub(super) snapshots: Arc<ArcSwap<Snapshot>>,
    pub(super) memory: Memory,
    pub(super) tally: SharedTally<BootEvent>,
    pub(super) transfers: Limits,
    pub(super) connections: Limits,
    pub(super) patience: Patience,
    pub(super) http_port: u16,
}

/// What is sent to a client.
#[derive(Debug)]
pub(super) enum Content {
    /// A file on disk.
    File(BootFile),
    /// Text that was made.
    Made(Arc<[u8]>),
}

impl Content {
    /// Octets of it.
    pub(super) fn size(&self) -> u64 {
        match self {
            Content::File(file) => file.size,
            Content::Made(octets) => octets.len() as u64,
        }
    }

    /// Appends `octets` from `offset` to `out`.
    pub(super) fn read(&self, offset: u64, octets: usize, out: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Content::File(file) => file.read(offset, octets, out),
            Content::Made(made) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(made.len());
                let end = start.saturating_add(octets).min(made.len());
                out.extend_from_slice(made.get(start..end).unwrap_or_default());
                Ok(())
            }
        }
    }
}

impl Shared {
    /// Writes down what could not be written before, if there is anything.
    pub(super) fn catch_up(&self) {
        if self.memory.is_behind() {
            let service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
            if self.memory.save(service.installs()).is_ok() {
                info!("the boot service remembers again what is installed");
            }
        }
    }

    /// The hosts of the inventory that are installed, and the host keys that their installers reported.
    pub(super) fn installed(&self) -> Value {
        let snapshot = self.snapshots.load_full();
        let machines = Machines::indexed(&snapshot.inventory);
        let service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        let installs = service.installs();
        let entries = snapshot.inventory.each_host().filter_map(|host| {
            let (done, keys) = installs.known(&host, &machines);
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            (done || !keys.is_empty()).then(|| {
                json!({
                    "host": host.name.fqdn.to_string(),
                    "reinstall": host.reinstall(),
                    "done": done,
                    "host_keys": keys,
                })
            })
        });
        entries.collect()
    }

    /// What `target` is for the client at `peer`, which has reached us at `local`. Refusals are counted
    /// and come with a text for people.
    pub(super) fn find(
        &self,
        target: &Target,
        peer: IpAddr,
        local: IpAddr,
    ) -> Result<Content, (BootEvent, String)> {
        let found = match target {
            Target::File(path) => self.root.open(path).map(|file| (Content::File(file), BootEvent::File)),
            Target::Made { whom, version, what } => {
                return self.make(whom, version.as_deref(), what, peer, local);
            }
        };
        match found {
            Ok((content, event)) => {
                self.tally.count(event);
                Ok(content)
            }
            Err(event) => Err(self.refuse(event, event_text(event).to_owned())),
        }
    }

    /// Counts a refusal.
    pub(super) fn refuse(&self, event: BootEvent, why: String) -> (BootEvent, String) {
        self.tally.count(event);
        (event, why)
    }

    fn make(
        &self,
        whom: &Whom,
        version: Option<&str>,
        what: &What,
        peer: IpAddr,
        local: IpAddr,
    ) -> Result<Content, (BootEvent, String)> {
        let server_url = server_url(local, self.http_port);
        let asker = Asker { peer, server_url, now_ms: clock::now().monotonic_ms };
        let snapshot = self.snapshots.load_full();
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        match service.answer(whom, version, what, &asker, &snapshot) {
            Answer::Text(text, event) => {
                debug!(?whom, ?what, %peer, ?event, "boot text");
                self.tally.count(event);
                Ok(Content::Made(text.into_bytes().into()))
            }
            Answer::Done(host_keys) => {
                if let Err(error) = self.memory.save(service.installs()) {
                    error!(%error, ?whom, "an installation is done and that cannot be written down");
                    let why = "that cannot be written down at the moment: tell again".to_owned();
                    return Err(self.refuse(BootEvent::NotDurable, why));
                }
                self.tally.count(BootEvent::Done);
                Ok(Content::Made(done(name(whom), peer, host_keys).as_bytes().into()))
            }
            Answer::Refused(event, why) => {
                if event == BootEvent::TemplateFailed {
                    warn!(host = %name(whom), %why, "a boot file cannot be made");
                } else {
                    debug!(?whom, ?what, %peer, %why, "boot request refused");
                }
                Err(self.refuse(event, why))
            }
        }
    }
}

/// Logs that an installation is done, and says it to who has reported it.
fn done(host: &str, peer: IpAddr, host_keys: HostKeys) -> &'static str {
    match host_keys {
        HostKeys::None => info!(host, "installed"),
        HostKeys::Noted => info!(host, "installed, and its host keys are known"),
        HostKeys::Others => {
            warn!(host, %peer, "other host keys are reported than after its installation: those stay");
            return "done, but other host keys were reported before, and stay\n";
        }
    }
    "done\n"
}

fn name(whom: &Whom) -> &str {
    match whom {
        Whom::Host(name) | Whom::Unknown(name) => name,
    }
}

fn event_text(event: BootEvent) -> &'static str {
    match event {
        BootEvent::NotFound => "there is no such file",
        BootEvent::OutsideRoot => "the path leaves the boot root",
        BootEvent::Unreadable => "it cannot be read",
        _ => "no",
    }
}
