//! The thread that tells a DNS server which names leases have.
//!
//! It hears which leases have changed and asks the workers what they are then, so that what waits is a set of
//! addresses: bounded by the pools, however long the server is away. Nothing is kept on disk: after a restart it
//! begins with all leases that there are. Nobody waits for it.

mod exchange;
mod mailbox;

pub(super) use mailbox::Mailbox;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use daemon::metrics::{Counters, Registry, SharedTally};
use inventory_core::model::{Snapshot, Updates};
use serde_json::Value;
use tracing::{debug, info, warn};

use super::clock::now;
use super::inquiry::Inquirer;
use crate::core::{Core, Lease, v6};
use crate::names::{Course, Ended, Leasing, Registration, Wanting};

/// Addresses that are told of at a time.
const AT_A_TIME: usize = 32;
/// How long a worker may take to read its leases.
const READING: Duration = Duration::from_secs(3);
/// Pauses while the server does not answer.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

daemon::counted_reasons! {
    /// What became of names of leases.
    pub(super) enum NameEvent {
        /// The server knows the name.
        Told => "told",
        /// It has forgotten it.
        TakenBack => "taken-back",
        /// Another machine has the name, or the inventory.
        InUse => "in-use",
        /// The server does not want it.
        Refused => "refused",
        /// The server did not answer, or cannot at the moment.
        Later => "later",
    }
}

/// Who is asked about leases.
pub(super) struct Askers {
    pub(super) four: Arc<Inquirer<Core>>,
    pub(super) six: Arc<Inquirer<v6::Core>>,
}

/// The thread. Dropping it ends it, when it has heard of the server, or has not.
pub(super) struct Names {
    mailbox: Arc<Mailbox>,
    counters: Arc<Counters<NameEvent>>,
}

/// What the thread knows.
struct Registrar {
    mailbox: Arc<Mailbox>,
    askers: Askers,
    snapshots: Arc<ArcSwap<Snapshot>>,
    wanting: Wanting,
    /// Addresses that may have changed.
    pending: BTreeSet<IpAddr>,
    /// What the server knows, as far as we have told it.
    known: BTreeMap<IpAddr, Registration>,
    /// When leases are looked at again, at their ends.
    checks: BTreeSet<(Instant, IpAddr)>,
    check_of: BTreeMap<IpAddr, Instant>,
    /// Nothing is sent before, and the pause after the next failure.
    resting: (Instant, Duration),
    /// Whether ended leases may have names that the server still knows.
    begins: bool,
    /// When all leases are looked at again: those that were read are the worker's a moment later.
    again: Option<Instant>,
    tally: SharedTally<NameEvent>,
}

/// A lease as it is now.
struct Found {
    leasing: Leasing,
    bound: bool,
    ends: Instant,
}

impl Names {
    /// Starts the thread.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(
        mailbox: Arc<Mailbox>,
        askers: Askers,
        snapshots: &Arc<ArcSwap<Snapshot>>,
        registry: &mut Registry,
    ) -> std::io::Result<Names> {
        let counters =
            Counters::new("hostbook_dhcpd_lease_names", "Names of leases told to the DNS", "event");
        counters.register(registry);
        let registrar = Registrar {
            mailbox: Arc::clone(&mailbox),
            askers,
            snapshots: Arc::clone(snapshots),
            wanting: Wanting::default(),
            pending: BTreeSet::new(),
            known: BTreeMap::new(),
            checks: BTreeSet::new(),
            check_of: BTreeMap::new(),
            resting: (Instant::now(), FIRST_PAUSE),
            begins: false,
            again: None,
            tally: counters.shared_tally(),
        };
        std::thread::Builder::new().name("names".to_owned()).spawn(move || registrar.run())?;
        Ok(Names { mailbox, counters })
    }

    /// For status.
    pub(super) fn to_json(&self) -> Value {
        let mut status = self.mailbox.to_json();
        if let Value::Object(status) = &mut status {
            status.insert("events".to_owned(), self.counters.to_json());
        }
        status
    }

    /// Why the server does not hear of names.
    pub(super) fn trouble(&self) -> Option<String> {
        self.mailbox.trouble()
    }
}

impl Registrar {
    fn run(mut self) {
        loop {
            let due = self.checks.first().map(|(due, _)| *due).into_iter().chain(self.again).min();
            let until = if self.pending.is_empty() { due } else { Some(self.resting.0) };
            let Some((changed, all)) = self.mailbox.wait(until) else { return };
            self.pending.extend(changed);
            self.follow(all);
            let moment = Instant::now();
            while let Some((due, address)) = self.checks.first().copied().filter(|(due, _)| *due <= moment) {
                self.checks.remove(&(due, address));
                self.check_of.remove(&address);
                self.pending.insert(address);
            }
            if moment >= self.resting.0 {
                self.work();
            }
            self.mailbox.say(self.known.len(), self.pending.len());
        }
    }

    /// Takes note of what the inventory says; looks at all leases where that concerns them, or `all` are new.
    fn follow(&mut self, all: bool) {
        let inventory = Arc::clone(&self.snapshots.load().inventory);
        let is_new = !self.wanting.is_of(&inventory);
        if is_new {
            self.wanting = Wanting::new(inventory);
            self.mailbox.listen(self.wanting.is_on());
        }
        if !self.wanting.is_on() && self.known.is_empty() {
            self.pending.clear();
            return;
        }
        let again = self.again.take_if(|due| *due <= Instant::now()).is_some();
        if all {
            (self.begins, self.again) = (true, Some(Instant::now() + READING));
        }
        if is_new || all || again {
            let four = self.askers.four.ask(|core, _| core.leases().map(|(item, _)| item.into()).collect());
            let six = self.askers.six.ask(|core, _| addresses6(core.leases().map(|(item, _)| item)));
            let (four, six): (Vec<IpAddr>, Vec<IpAddr>) = (four.unwrap_or_default(), six.unwrap_or_default());
            self.pending.extend(four.into_iter().chain(six).chain(self.known.keys().copied()));
        }
    }

    /// Tells the server of some addresses.
    fn work(&mut self) {
        if self.pending.is_empty() {
            self.begins &= self.again.is_some();
            return;
        }
        let batch: Vec<IpAddr> = self.pending.iter().copied().take(AT_A_TIME).collect();
        let Some(found) = self.look_up(&batch) else { return self.rest("the leases cannot be asked") };
        let mut courses = Vec::new();
        let mut server: Option<Updates> = None;
        for address in batch {
            let lease = found.get(&address);
            let wanted = lease.and_then(|lease| self.wanting.registration(address, &lease.leasing));
            let new = wanted.clone().filter(|_| lease.is_some_and(|lease| lease.bound));
            // The server may know a name from before we began, and take it back.
            let before = wanted.filter(|_| self.begins && new.is_none());
            let old = self.known.get(&address).cloned().or(before);
            let Some(updates) = new.as_ref().or(old.as_ref()).map(|one| &one.updates) else {
                self.pending.remove(&address);
                continue;
            };
            // Those of another server have their turn after these.
            if server.get_or_insert_with(|| updates.clone()) == updates {
                self.pending.remove(&address);
                if let Some(ends) = lease.filter(|lease| lease.bound).map(|lease| lease.ends) {
                    self.check_at(address, ends);
                }
                courses.push((address, Course::new(old, new)));
            }
        }
        let Some(server) = server else { return };
        let keys = &self.snapshots.load().inventory.globals.keys;
        let key = keys.iter().find(|key| key.name == server.key).cloned();
        match exchange::run(&server, key.as_ref(), courses) {
            Ok(ended) => {
                let mut trouble = None;
                for (address, course, ended) in ended {
                    self.ended(address, course, ended, &mut trouble);
                }
                match trouble {
                    Some(why) => self.rest(&why),
                    None => self.go_on(),
                }
            }
            Err((why, courses)) => {
                self.pending.extend(courses.into_iter().map(|(address, _)| address));
                self.rest(&why);
            }
        }
    }

    fn ended(&mut self, address: IpAddr, course: Course, ended: Ended, trouble: &mut Option<String>) {
        let had = self.known.remove(&address);
        let new = course.into_known();
        let name = new.as_ref().map(|new| new.name.to_string());
        let event = match (ended, new) {
            (Ended::Done, Some(new)) => {
                self.known.insert(address, new);
                NameEvent::Told
            }
            (Ended::Done, None) => NameEvent::TakenBack,
            (Ended::InUse, _) => NameEvent::InUse,
            (Ended::Refused(code), _) => {
                *trouble =
                    trouble.take().or(Some(format!("the server refuses names with response code {code}")));
                NameEvent::Refused
            }
            (Ended::Later, new) => {
                self.known.extend(had.or(new).map(|one| (address, one)));
                self.pending.insert(address);
                *trouble = Some("the server does not answer".to_owned());
                NameEvent::Later
            }
        };
        debug!(%address, name, ?ended, "name of a lease");
        self.tally.count(event);
    }

    /// What these addresses' leases are; `None` if the workers do not say.
    fn look_up(&self, addresses: &[IpAddr]) -> Option<BTreeMap<IpAddr, Found>> {
        let (mut four, mut six) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                IpAddr::V4(v4) => four.push(*v4),
                IpAddr::V6(v6) => six.push(*v6),
            }
        }
        let mut found = BTreeMap::new();
        if !four.is_empty() {
            found.extend(self.askers.four.ask(move |core, _| {
                let leases = four
                    .iter()
                    .filter_map(|address| Some(((*address).into(), found_in(core.lease(*address)?))));
                leases.collect::<Vec<(IpAddr, Found)>>()
            })?);
        }
        if !six.is_empty() {
            found.extend(self.askers.six.ask(move |core, _| {
                let leases = six.iter().filter_map(|address| {
                    Some(((*address).into(), found_in(core.lease((*address).into())?)))
                });
                leases.collect::<Vec<(IpAddr, Found)>>()
            })?);
        }
        Some(found)
    }

    fn check_at(&mut self, address: IpAddr, due: Instant) {
        if let Some(before) = self.check_of.insert(address, due) {
            self.checks.remove(&(before, address));
        }
        self.checks.insert((due, address));
    }

    /// Waits before anything else is sent.
    fn rest(&mut self, why: &str) {
        let (_, pause) = self.resting;
        self.resting = (Instant::now() + pause, (pause * 2).min(LONGEST_PAUSE));
        if self.mailbox.set_trouble(Some(why.to_owned())) {
            warn!(why, "names of leases are not told to the DNS: that is tried again");
        }
    }

    fn go_on(&mut self) {
        self.resting = (Instant::now(), FIRST_PAUSE);
        if self.mailbox.set_trouble(None) {
            info!("names of leases are told to the DNS again");
        }
    }
}

fn addresses6(items: impl Iterator<Item = ipnet::Ipv6Net>) -> Vec<IpAddr> {
    items.filter(|item| item.prefix_len() == 128).map(|item| item.addr().into()).collect()
}

fn found_in(lease: &Lease) -> Found {
    let moment = now().ms();
    let left = u64::try_from(lease.ends - moment).unwrap_or(0);
    let seconds = u32::try_from((lease.ends - lease.since) / 1000).unwrap_or(0);
    let leasing = Leasing { client: lease.client.clone(), mac: lease.mac, name: lease.name.clone(), seconds };
    // A moment later, so that it has ended by then.
    let ends = Instant::now() + Duration::from_millis(left + 50);
    Found { leasing, bound: lease.is_bound(moment), ends }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.mailbox.stop();
    }
}
