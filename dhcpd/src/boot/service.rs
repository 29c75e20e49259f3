//! What is made for one machine from the inventory: its script, command line and files.
//!
//! A boot has several stages, and the inventory may be edited between them. A script names the version
//! that it was made from in every URL, and the service keeps the snapshots that scripts were made from
//! for a while: so all files of one boot are of one generation.

mod kept;
mod machine;

use std::net::IpAddr;
use std::sync::Arc;

use inventory_core::model::{Boot, BootSource, Host, Snapshot, State, Unknown};
use inventory_core::template::{Engine, Fault, Subject, Urls};

use super::event::BootEvent;
use super::installs::{HostKeys, Installs, Machines};
use super::script;
use super::target::{PREFIX, Report, What, Whom};
use super::version_of;
use kept::Kept;

/// Who asks, and how the service is reached from there.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The machine's address.
    pub peer: IpAddr,
    /// URL of the service as that machine has reached it, without a slash at the end.
    pub server_url: String,
    /// When it asks, in milliseconds of a clock that never steps.
    pub now_ms: u64,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This text; the event says of which kind.
    Text(String, BootEvent),
    /// An installation is done. Make [`Service::installs`] durable, then say so, and what became of the host
    /// keys in the report.
    Done(HostKeys),
    /// Nothing of the kind; the text is for people.
    Refused(BootEvent, String),
}

/// Makes what is asked for. Holds what is remembered of installations, and the snapshots of late.
#[derive(Debug)]
pub struct Service {
    installs: Installs,
    kept: Kept,
}

/// Why nothing is made, and in words.
type Refusal = (BootEvent, String);

/// A host, or a network for machines that nobody has written down.
struct Client<'s> {
    subject: Subject,
    boot: Option<&'s Boot>,
    /// Name in URLs, below [`PREFIX`].
    path: String,
    host: Option<KnownHost<'s>>,
}

/// A host that asks.
struct KnownHost<'s> {
    /// As it is in the current snapshot, which says whether it is to be installed.
    latest: Arc<Host>,
    current: &'s Snapshot,
}

impl Service {
    /// A service that remembers `installs`.
    pub fn new(installs: Installs) -> Service {
        Service { installs, kept: Kept::default() }
    }

    /// What is remembered.
    pub fn installs(&self) -> &Installs {
        &self.installs
    }

    /// Answers for `what`, made for `whom` from `current`, or from the snapshot that `version` names. Whoever
    /// gets nothing any more by `current` gets nothing by an older one.
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
        if let What::Done(report) = what {
            let told = self.done(whom, report, current);
            return told.map_or_else(|(event, why)| Answer::Refused(event, why), Answer::Done);
        }
        let snapshot = version.and_then(|version| self.kept.get(version, asker.now_ms));
        let snapshot = snapshot.unwrap_or_else(|| Arc::clone(current));
        let made = self.make(whom, what, asker, (&snapshot, current));
        if matches!(&made, Ok((_, BootEvent::Script))) && Arc::ptr_eq(&snapshot, current) {
            self.kept.keep(&snapshot, asker.now_ms);
        }
        match made {
            Ok((text, event)) => Answer::Text(text, event),
            Err((event, why)) => Answer::Refused(event, why),
        }
    }

    fn make(
        &self,
        whom: &Whom,
        what: &What,
        asker: &Asker,
        (snapshot, current): (&Arc<Snapshot>, &Arc<Snapshot>),
    ) -> Result<(String, BootEvent), Refusal> {
        let client = match whom {
            Whom::Host(name) => self.host(name, asker, snapshot, current)?,
            Whom::Unknown(network) => {
                unknown(network, asker, current)?;
                unknown(network, asker, snapshot)?
            }
        };
        match what {
            What::Done(_) => Err((BootEvent::BadToken, "nothing is made of it".to_owned())),
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
        current: &'s Snapshot,
    ) -> Result<Client<'s>, Refusal> {
        let inventory = &snapshot.inventory;
        let host = machine::find(inventory, name)
            .map(Arc::new)
            .ok_or_else(|| (BootEvent::NotFound, format!("no host `{name}`")))?;
        machine::judge(&host, asker.peer, snapshot)?;
        let latest = if snapshot.hash == current.hash {
            Arc::clone(&host)
        } else {
            machine::latest(&host, asker.peer, current)?.into()
        };
        let globals = &inventory.globals;
        let urls = Arc::new(self.urls(name, &latest, asker, snapshot));
        let boot = host.boot.map(|boot| globals.boot(boot));
        let subject = Subject::new(globals, host, &urls);
        Ok(Client { subject, boot, path: name.to_owned(), host: Some(KnownHost { latest, current }) })
    }

    fn urls(&self, name: &str, latest: &Host, asker: &Asker, snapshot: &Snapshot) -> Urls {
        let base = format!("{}/{PREFIX}/{name}", asker.server_url);
        Urls {
            server: asker.server_url.clone(),
            boot: format!("{base}/{}", version_of(snapshot.hash)),
            done: format!("{base}/done/{}", self.installs.token(latest)),
        }
    }

    fn script(
        &self,
        client: &Client<'_>,
        asker: &Asker,
        snapshot: &Snapshot,
    ) -> Result<(String, BootEvent), Refusal> {
        let name = &client.path;
        let disk = |why: String| Ok((script::local_disk(&why), BootEvent::LocalDisk));
        let Some(boot) = client.boot else { return disk(format!("{name} has no boot profile")) };
        if let Some(KnownHost { latest, current }) = &client.host
            && !latest.always_netboots()
        {
            if latest.state != State::Install {
                return disk(format!("{name} is {}", latest.state.word()));
            }
            if self.installs.is_done(latest, &Machines::Scanned(&current.inventory)) {
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
        Ok((text, BootEvent::Script))
    }

    /// Takes the report that an installation is done. The token says of which machine, so that neither its
    /// address nor its name matters, which may have been edited since.
    fn done(&mut self, whom: &Whom, report: &Report, current: &Snapshot) -> Result<HostKeys, Refusal> {
        let token = &*report.token;
        let bad = |why: &str| Err((BootEvent::BadToken, why.to_owned()));
        let Whom::Host(name) = whom else { return bad("unknown machines are not installed") };
        let Some(token) = self.installs.read(token) else { return bad("this is no token") };
        let named = machine::find(&current.inventory, name);
        let shards = current.inventory.shards.iter();
        let waiting = shards.flat_map(|shard| shard.in_state(|state| state == State::Install));
        let by_card =
            named.clone().into_iter().chain(waiting).find(|host| self.installs.tells_of_card(host, &token));
        let host = by_card.or_else(|| named.filter(|host| self.installs.tells(host, &token)));
        let Some(host) = host else { return bad("the token is of another installation") };
        if !host.state.is_served() {
            return Err(machine::not_served(&host));
        }
        Ok(self.installs.set_done(&host, &report.host_keys, &Machines::Scanned(&current.inventory)))
    }
}

/// The profile for unknown machines of a network, for a machine with an address there.
fn unknown<'s>(network: &str, asker: &Asker, snapshot: &'s Snapshot) -> Result<Client<'s>, Refusal> {
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

fn text_of<'s>(snapshot: &'s Snapshot, path: &str) -> Result<&'s str, Refusal> {
    let octets = snapshot.inventory.files.get(path);
    let text = octets.and_then(|octets| std::str::from_utf8(octets).ok());
    text.ok_or_else(|| (BootEvent::TemplateFailed, format!("template `{path}` cannot be read")))
}

fn rendered(text: &str, client: &Client<'_>, event: BootEvent) -> Result<(String, BootEvent), Refusal> {
    Ok((render(text, client)?, event))
}

fn render(text: &str, client: &Client<'_>) -> Result<String, Refusal> {
    let failed = |fault: Fault| (BootEvent::TemplateFailed, format!("a template fails: {fault}"));
    let engine = Engine::new();
    engine.read(text).and_then(|template| template.render(&client.subject)).map_err(failed)
}

#[cfg(test)]
mod tests;
