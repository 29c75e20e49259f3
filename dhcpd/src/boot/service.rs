//! What is made for one machine from the inventory: its script, command line and files.
//!
//! A boot has several stages, and the inventory may be edited between them. A script names the version
//! that it was made from in every URL, and the service keeps the snapshots that scripts were made from
//! for a while: so all files of one boot are of one generation.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use inventory_core::model::{Boot, BootSource, Host, Shard, Snapshot, State, Unknown};
use inventory_core::template::{Engine, Fault, Subject, Urls};

use super::event::BootEvent;
use super::installs::Installs;
use super::script;
use super::target::{PREFIX, What, Whom};
use super::version_of;

/// Snapshots that are kept for boots that began with them.
const KEPT: usize = 16;

/// Who asks, and how the service is reached from there.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The machine's address.
    pub peer: IpAddr,
    /// URL of the service as that machine has reached it, without a slash at the end.
    pub server_url: String,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This text; the event says of which kind.
    Text(String, BootEvent),
    /// An installation is done. Make [`Service::installs`] durable, then say so.
    Done,
    /// Nothing of the kind; the text is for people.
    Refused(BootEvent, String),
}

/// Makes what is asked for. Holds what is remembered of installations, and the snapshots of late.
#[derive(Debug)]
pub struct Service {
    installs: Installs,
    /// The latest last.
    kept: VecDeque<(Box<str>, Arc<Snapshot>)>,
}

/// A host, or a network for machines that nobody has written down.
struct Client<'s> {
    subject: Subject,
    boot: Option<&'s Boot>,
    /// Name in URLs, below [`PREFIX`].
    path: String,
    host: Option<&'s Host>,
}

impl Service {
    /// A service that remembers `installs`.
    pub fn new(installs: Installs) -> Service {
        Service { installs, kept: VecDeque::new() }
    }

    /// What is remembered.
    pub fn installs(&self) -> &Installs {
        &self.installs
    }

    /// Answers for `what`, made for `whom` from `current`, or from the snapshot that `version` names.
    ///
    /// Cost: a look at every host's name.
    pub fn answer(
        &mut self,
        whom: &Whom,
        version: Option<&str>,
        what: &What,
        asker: &Asker,
        current: &Arc<Snapshot>,
    ) -> Answer {
        let snapshot = self.snapshot(version, current);
        let made = self.make(whom, what, asker, &snapshot);
        if matches!(&made, Ok(Answer::Text(_, BootEvent::Script))) {
            self.keep(&snapshot);
        }
        made.unwrap_or_else(|(event, why)| Answer::Refused(event, why))
    }

    fn make(
        &mut self,
        whom: &Whom,
        what: &What,
        asker: &Asker,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Answer, (BootEvent, String)> {
        let client = match whom {
            Whom::Host(name) => self.host(name, asker, snapshot)?,
            Whom::Unknown(network) => unknown(network, asker, snapshot)?,
        };
        match what {
            What::Done(token) => self.done(&client, token),
            What::Script => self.script(&client, asker, snapshot),
            What::CommandLine => match client.boot.map(|boot| &boot.source) {
                Some(BootSource::Kernel { cmdline, .. }) => rendered(cmdline, &client, BootEvent::Rendered),
                _ => Err((BootEvent::NotFound, "its boot profile has no command line".to_owned())),
            },
            What::File(name) => {
                let files = client.boot.map(|boot| &*boot.files).unwrap_or_default();
                let file = files.iter().find(|file| file.name == *name);
                let file = file.ok_or_else(|| (BootEvent::NotFound, format!("no file `{name}`")))?;
                rendered(text_of(snapshot, &file.template)?, &client, BootEvent::Rendered)
            }
        }
    }

    /// The host called `name`, if it is `asker`.
    fn host<'s>(
        &self,
        name: &str,
        asker: &Asker,
        snapshot: &'s Snapshot,
    ) -> Result<Client<'s>, (BootEvent, String)> {
        let inventory = &snapshot.inventory;
        let (shard, index, host) = find(&inventory.shards, name)
            .ok_or_else(|| (BootEvent::NotFound, format!("no host `{name}`")))?;
        let globals = &inventory.globals;
        if !is_of(host, asker.peer, snapshot) {
            let why = format!("{} is not an address of `{name}`", asker.peer);
            return Err((BootEvent::OtherMachine, why));
        }
        if !host.state.is_served() {
            return Err((BootEvent::NotServed, format!("`{name}` is {}", host.state.word())));
        }
        let urls = Arc::new(self.urls(name, host.reinstall(), asker, snapshot));
        let subject = Subject::new(globals, shard, index, &urls);
        let subject = subject.ok_or_else(|| (BootEvent::NotFound, format!("no host `{name}`")))?;
        let boot = host.boot.map(|boot| globals.boot(boot));
        Ok(Client { subject, boot, path: name.to_owned(), host: Some(host) })
    }

    fn urls(&self, name: &str, reinstall: &str, asker: &Asker, snapshot: &Snapshot) -> Urls {
        let base = format!("{}/{PREFIX}/{name}", asker.server_url);
        Urls {
            server: asker.server_url.clone(),
            boot: format!("{base}/{}", version_of(snapshot.hash)),
            done: format!("{base}/done/{}", self.installs.token(name, reinstall)),
        }
    }

    fn script(
        &self,
        client: &Client<'_>,
        asker: &Asker,
        snapshot: &Snapshot,
    ) -> Result<Answer, (BootEvent, String)> {
        let name = &client.path;
        let disk = |why: String| Ok(Answer::Text(script::local_disk(&why), BootEvent::LocalDisk));
        let Some(boot) = client.boot else { return disk(format!("{name} has no boot profile")) };
        if let Some(host) = client.host.filter(|host| !host.always_netboots()) {
            if host.state != State::Install {
                return disk(format!("{name} is {}", host.state.word()));
            }
            if self.installs.is_done(name, host.reinstall()) {
                return disk(format!("{name} is installed"));
            }
        }
        let text = match &boot.source {
            BootSource::Script(url) if url.contains("://") => script::elsewhere(url),
            BootSource::Script(path) => {
                return rendered(text_of(snapshot, path)?, client, BootEvent::Script);
            }
            BootSource::Kernel { kernel, initrd, cmdline, .. } => {
                let cmdline = render(cmdline, client)?;
                let title = format!("{name} boots {}", boot.name);
                script::kernel(&title, &asker.server_url, kernel, initrd, &cmdline)
            }
        };
        Ok(Answer::Text(text, BootEvent::Script))
    }

    fn done(&mut self, client: &Client<'_>, token: &str) -> Result<Answer, (BootEvent, String)> {
        let Some(host) = client.host else {
            return Err((BootEvent::BadToken, "unknown machines are not installed".to_owned()));
        };
        if token != self.installs.token(&client.path, host.reinstall()) {
            return Err((BootEvent::BadToken, "the token is of another installation".to_owned()));
        }
        self.installs.set_done(&client.path, host.reinstall());
        Ok(Answer::Done)
    }

    /// The snapshot that `version` names, if it is kept; else the current one, as after a restart.
    fn snapshot(&self, version: Option<&str>, current: &Arc<Snapshot>) -> Arc<Snapshot> {
        let kept = version.and_then(|version| self.kept.iter().find(|(kept, _)| **kept == *version));
        Arc::clone(kept.map_or(current, |(_, snapshot)| snapshot))
    }

    fn keep(&mut self, snapshot: &Arc<Snapshot>) {
        let version: Box<str> = version_of(snapshot.hash).into();
        self.kept.retain(|(kept, _)| *kept != version);
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((version, Arc::clone(snapshot)));
    }
}

/// The profile for unknown machines of a network, for a machine with an address there.
fn unknown<'s>(
    network: &str,
    asker: &Asker,
    snapshot: &'s Snapshot,
) -> Result<Client<'s>, (BootEvent, String)> {
    let globals = &snapshot.inventory.globals;
    let id = globals.network_named(network).filter(|id| globals.network(*id).contains(asker.peer));
    let id = id.ok_or_else(|| (BootEvent::OtherMachine, format!("{} is not in `{network}`", asker.peer)))?;
    let Unknown::Boot(boot) = globals.network(id).unknown else {
        return Err((BootEvent::NotServed, format!("unknown machines of `{network}` boot nothing")));
    };
    let path = format!("-/{network}");
    let base = format!("{}/{PREFIX}/{path}", asker.server_url);
    let urls = Urls {
        server: asker.server_url.clone(),
        boot: format!("{base}/{}", version_of(snapshot.hash)),
        done: String::new(),
    };
    let subject = Subject::nobody(globals, id, boot, &Arc::new(urls));
    Ok(Client { subject, boot: Some(globals.boot(boot)), path, host: None })
}

/// The host with this FQDN, which is in lower case and without the dot at its end.
fn find<'s>(shards: &'s [Arc<Shard>], fqdn: &str) -> Option<(&'s Arc<Shard>, usize, &'s Host)> {
    let name = inventory_core::name::Name::parse(fqdn, None).ok()?;
    shards.iter().find_map(|shard| {
        let index = shard.hosts.iter().position(|host| host.name.fqdn == name)?;
        Some((shard, index, shard.hosts.get(index)?))
    })
}

/// Whether `peer` can be `host`: it is one of its addresses, or lies in a network where the host takes
/// what address it is given. A host with an IPv4 address only is given none for IPv6, so that a
/// neighbour who comes by IPv6 is another machine.
fn is_of(host: &Host, peer: IpAddr, snapshot: &Snapshot) -> bool {
    host.nics.iter().any(|nic| {
        let mut own = nic.addresses.iter().filter(|address| address.is_ipv4() == peer.is_ipv4()).peekable();
        if own.peek().is_none() && (peer.is_ipv4() || nic.addresses.is_empty()) {
            return snapshot.inventory.globals.network(nic.network).contains(peer);
        }
        own.any(|address| *address == peer)
    })
}

fn text_of<'s>(snapshot: &'s Snapshot, path: &str) -> Result<&'s str, (BootEvent, String)> {
    let octets = snapshot.inventory.files.get(path);
    let text = octets.and_then(|octets| std::str::from_utf8(octets).ok());
    text.ok_or_else(|| (BootEvent::TemplateFailed, format!("template `{path}` cannot be read")))
}

fn rendered(text: &str, client: &Client<'_>, event: BootEvent) -> Result<Answer, (BootEvent, String)> {
    Ok(Answer::Text(render(text, client)?, event))
}

fn render(text: &str, client: &Client<'_>) -> Result<String, (BootEvent, String)> {
    let failed = |fault: Fault| (BootEvent::TemplateFailed, format!("a template fails: {fault}"));
    let engine = Engine::new();
    engine.read(text).and_then(|template| template.render(&client.subject)).map_err(failed)
}

#[cfg(test)]
mod tests;
