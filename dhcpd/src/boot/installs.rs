//! Which installations are done, and the tokens by which that is told.
//!
//! An installation is a machine and its `reinstall` value. Once done it stays so until that value changes:
//! neither a reload, nor a change of state to and fro, nor another name or another network card starts it
//! again. A machine is known by its name and by its cards: a name goes on with the machine when its card
//! is replaced, and a card when the host is renamed. Where the two part, the card goes before.
//!
//! The host keys of a machine are those that came first with the report of its last installation: only another
//! installation brings others.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use inventory_core::mac::MacAddr;
use inventory_core::model::{Host, Inventory, SshHostKey};
use inventory_core::name::Name;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Octets of each of the three parts of a token.
const PART_OCTETS: usize = 8;
/// Digits of it.
const PART_DIGITS: usize = 2 * PART_OCTETS;

/// What the boot service remembers across restarts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Installs {
    /// Makes tokens that nobody can guess.
    secret: String,
    /// `reinstall` value of the last installation that was done, by FQDN; empty where there is none.
    done: BTreeMap<Box<str>, Box<str>>,
    /// What else is known of those machines, by FQDN.
    machines: BTreeMap<Box<str>, Machine>,
    /// Their FQDNs, by hardware address.
    #[serde(skip)]
    by_card: BTreeMap<MacAddr, BTreeSet<Box<str>>>,
}

/// The same as it is written.
#[derive(Deserialize)]
struct Stored {
    secret: String,
    done: BTreeMap<Box<str>, Box<str>>,
    #[serde(default)]
    machines: BTreeMap<Box<str>, Machine>,
}

impl From<Stored> for Installs {
    fn from(Stored { secret, done, machines }: Stored) -> Installs {
        let mut installs = Installs { secret, done, machines: BTreeMap::new(), by_card: BTreeMap::new() };
        machines.into_iter().for_each(|(fqdn, machine)| installs.put(fqdn, machine));
        installs
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Machine {
    /// Its hardware addresses.
    macs: Vec<Box<str>>,
    /// Installations that were done under this name.
    count: u64,
    /// Public keys of its ssh server that the installer reported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    host_keys: Vec<Box<str>>,
}

/// What a token of this service tells of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'t> {
    by_name: &'t str,
    by_card: &'t str,
}

/// What became of the host keys in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeys {
    /// There were none.
    None,
    /// They are noted, or were before.
    Noted,
    /// Others were reported before, and stay.
    Others,
}

/// The hosts of an inventory, to be found by their cards.
pub enum Machines<'i> {
    /// Each search looks at all hosts: right for a question about one of them.
    Scanned(&'i Inventory),
    /// Right for a question about all of them: their names.
    Indexed(HashMap<MacAddr, Vec<Name>>),
}

impl<'i> Machines<'i> {
    /// An index of them.
    pub fn indexed(inventory: &Inventory) -> Machines<'static> {
        let mut by_card: HashMap<_, Vec<_>> = HashMap::new();
        for host in inventory.each_host() {
            for card in cards(&host) {
                by_card.entry(card).or_default().push(host.name.fqdn.clone());
            }
        }
        Machines::Indexed(by_card)
    }

    /// Names of those that have one of these cards.
    fn with<'s>(&'s self, known: &'s [MacAddr]) -> Box<dyn Iterator<Item = Name> + 's> {
        match self {
            Machines::Scanned(inventory) => Box::new(with_cards(inventory, known).map(|host| host.name.fqdn)),
            Machines::Indexed(by_card) => {
                Box::new(known.iter().filter_map(|card| by_card.get(card)).flatten().cloned())
            }
        }
    }
}

impl Installs {
    /// Nothing is done yet. `secret` must be random and at least 16 octets.
    pub fn new(secret: &[u8]) -> Installs {
        Stored { secret: hex(secret), done: BTreeMap::new(), machines: BTreeMap::new() }.into()
    }

    /// Whether the installation that `host` wants is done. `machines` says which machine has which card.
    pub fn is_done(&self, host: &Host, machines: &Machines<'_>) -> bool {
        self.is_done_under(&self.names(host, machines), host)
    }

    fn is_done_under(&self, names: &[Box<str>], host: &Host) -> bool {
        names.iter().any(|name| self.done.get(name).is_some_and(|done| **done == *host.reinstall()))
    }

    /// The same, and the keys of `host`'s ssh server that its installer reported; none if it has reported none, or was
    /// not here.
    pub fn known(&self, host: &Host, machines: &Machines<'_>) -> (bool, Vec<SshHostKey>) {
        let names = self.names(host, machines);
        let keys = self.last(&names).into_iter().flat_map(|machine| &machine.host_keys);
        (self.is_done_under(&names, host), keys.filter_map(|key| key.parse().ok()).collect())
    }

    /// What was known last of the machine with these names: each of its installations counts one more, also under
    /// another name.
    fn last(&self, names: &[Box<str>]) -> Option<&Machine> {
        names.iter().filter_map(|name| self.machines.get(name)).max_by_key(|machine| machine.count)
    }

    /// Names under which installations of the machine were done that is `host` among `machines`.
    fn names(&self, host: &Host, machines: &Machines<'_>) -> Vec<Box<str>> {
        let (fqdn, cards): (Box<str>, _) = (host.name.fqdn.to_string().into(), cards(host));
        if self.done.contains_key(&fqdn) {
            let known = self.cards_of(&fqdn);
            if known.is_empty() || shares(&known, &cards) || machines.with(&known).next().is_none() {
                return vec![fqdn];
            }
        }
        let others = self.with_cards(&cards).filter(|name| **name != *fqdn);
        others.filter(|name| self.went_on(name, &cards, machines)).map(Box::from).collect()
    }

    /// Whether the machine that was called `name` is the one with these cards.
    fn went_on(&self, name: &str, cards: &[MacAddr], machines: &Machines<'_>) -> bool {
        let known = self.cards_of(name);
        // In two networks one hardware address may be of two machines: then the other one has its name yet.
        let is_there = || {
            let name = Name::parse(name, None).ok();
            machines.with(&known).any(|other| Some(other) == name)
        };
        shares(&known, cards) && !is_there()
    }

    /// Notes that it is, and the host keys that were reported with that; once noted it is not counted again. `machines`
    /// says which machine has which card.
    pub fn set_done(&mut self, host: &Host, reported: &[SshHostKey], machines: &Machines<'_>) -> HostKeys {
        let fqdn: Box<str> = host.name.fqdn.to_string().into();
        let names = self.names(host, machines);
        let is_another = !self.is_done_under(&names, host);
        let count = self.count(host) + u64::from(is_another);
        let macs = cards(host).iter().map(|card| card.to_string().into()).collect();
        let reported: Vec<Box<str>> = reported.iter().map(|key| key.to_string().into()).collect();
        let noted = self.last(&names).filter(|_| !is_another).map(|machine| machine.host_keys.clone());
        let noted = noted.filter(|noted| !noted.is_empty());
        if !names.contains(&fqdn) {
            self.make_room(&fqdn, machines);
        }
        self.done.insert(fqdn.clone(), host.reinstall().into());
        let outcome = match &noted {
            _ if reported.is_empty() => HostKeys::None,
            Some(noted) if *noted != reported => HostKeys::Others,
            _ => HostKeys::Noted,
        };
        self.put(fqdn, Machine { macs, count, host_keys: noted.unwrap_or(reported) });
        outcome
    }

    /// What is known under `fqdn` of a machine that is called otherwise by now goes to its name of now.
    fn make_room(&mut self, fqdn: &str, machines: &Machines<'_>) {
        let known = self.cards_of(fqdn);
        let Some(name) = machines.with(&known).next() else { return };
        let name: Box<str> = name.to_string().into();
        if let (Some(machine), Some(done)) = (self.machines.get(fqdn).cloned(), self.done.get(fqdn).cloned())
            && !self.done.contains_key(&name)
        {
            self.done.insert(name.clone(), done);
            self.put(name, machine);
        }
    }

    /// Notes what is known of the machine called `fqdn`.
    fn put(&mut self, fqdn: Box<str>, machine: Machine) {
        for card in self.cards_of(&fqdn) {
            if let Entry::Occupied(mut names) = self.by_card.entry(card) {
                names.get_mut().remove(&fqdn);
                if names.get().is_empty() {
                    names.remove();
                }
            }
        }
        self.machines.insert(fqdn.clone(), machine);
        for card in self.cards_of(&fqdn) {
            self.by_card.entry(card).or_default().insert(fqdn.clone());
        }
    }

    /// The machines known that have one of these cards.
    fn with_cards(&self, cards: &[MacAddr]) -> impl Iterator<Item = &str> {
        cards.iter().filter_map(|card| self.by_card.get(card)).flatten().map(|name| &**name)
    }

    /// What the installer shows to report the installation done that `host` wants. Every installation of a
    /// machine has another, also one with a `reinstall` value that was there before. One part of it is by
    /// the host's name and one by its card, so that an edit of either in the meantime spoils nothing; the third
    /// says that this service made the other two, so that what a stranger makes up is compared with nothing else.
    pub fn token(&self, host: &Host) -> String {
        let [by_name, by_card] = self.parts(host, self.count(host));
        let seal = self.part(["seal", &by_name, &by_card]);
        [by_name, by_card, seal].concat()
    }

    /// The parts of a token by name and by card; `None` if this service has not made it.
    pub(super) fn read<'t>(&self, token: &'t str) -> Option<Parts<'t>> {
        let (by_name, rest) = token.split_at_checked(PART_DIGITS)?;
        let (by_card, seal) = rest.split_at_checked(PART_DIGITS)?;
        (seal.len() == PART_DIGITS && self.part(["seal", by_name, by_card]) == seal)
            .then_some(Parts { by_name, by_card })
    }

    /// Whether a token tells of the installation that `host` wants, and was made under its name or for its
    /// card. The token of an installation that is done tells of it again.
    pub(super) fn tells(&self, host: &Host, token: &Parts<'_>) -> bool {
        self.valid(host).any(|[name, card]| token.by_name == name || token.by_card == card)
    }

    /// The same, for its card alone: it may have been called otherwise then.
    pub(super) fn tells_of_card(&self, host: &Host, token: &Parts<'_>) -> bool {
        self.valid(host).any(|[_, card]| token.by_card == card)
    }

    /// Parts of the tokens that tell of the installation that `host` wants.
    fn valid(&self, host: &Host) -> impl Iterator<Item = [String; 2]> {
        let count = self.count(host);
        let (own, cards) = (host.name.fqdn.to_string(), cards(host));
        let is_done = |name: &str| self.done.get(name).is_some_and(|done| **done == *host.reinstall());
        // Under whatever name: the token is of this count, and of its own name or card.
        let done = is_done(&own) || self.with_cards(&cards).any(is_done);
        let last = count.checked_sub(1).filter(|_| done);
        std::iter::once(count).chain(last).map(|count| self.parts(host, count))
    }

    fn parts(&self, host: &Host, count: u64) -> [String; 2] {
        let fqdn = host.name.fqdn.to_string();
        let card = cards(host).first().map_or_else(|| fqdn.clone(), MacAddr::to_string);
        let count = count.to_string();
        [("name", fqdn), ("card", card)].map(|(kind, key)| self.part([kind, &key, host.reinstall(), &count]))
    }

    /// A part of a token, which only this service can make.
    fn part<const N: usize>(&self, of: [&str; N]) -> String {
        let mut hash = Sha256::new();
        for text in [&*self.secret].into_iter().chain(of) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        hex(hash.finalize().get(..PART_OCTETS).unwrap_or_default())
    }

    /// Installations that were done of this machine, by its name or else by its cards.
    fn count(&self, host: &Host) -> u64 {
        let own = self.machines.get(&*host.name.fqdn.to_string()).map(|machine| machine.count);
        let other = || self.machines.get(self.with_cards(&cards(host)).min()?).map(|machine| machine.count);
        own.or_else(other).unwrap_or(0)
    }

    fn cards_of(&self, fqdn: &str) -> Vec<MacAddr> {
        let macs = self.machines.get(fqdn).map_or(&[][..], |machine| &machine.macs);
        macs.iter().filter_map(|mac| mac.parse().ok()).collect()
    }
}

/// The hosts that have one of these cards.
pub(super) fn with_cards<'i>(
    inventory: &'i Inventory,
    known: &'i [MacAddr],
) -> impl Iterator<Item = Host> + use<'i> {
    inventory.each_host().filter(|host| shares(&cards(host), known))
}

/// The hardware addresses of a machine, the primary one first.
pub(super) fn cards(host: &Host) -> Vec<MacAddr> {
    host.nics.iter().filter_map(|nic| nic.mac).collect()
}

fn shares(some: &[MacAddr], others: &[MacAddr]) -> bool {
    some.iter().any(|card| others.contains(card))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use inventory_core::load_texts;
    use inventory_core::model::Snapshot;

    use super::*;
    use crate::boot::host_keys::tests::key;

    const GLOBALS: &str = "[site]\nnameservers = [\"ns1.lab.example\"]\n[zone.\"lab.example\"]\n[boot.d]\n\
                           kernel = \"k\"\n[network.lan]\nzone = \"lab.example\"\nipv4 = \"10.0.0.0/24\"\n\
                           [network.oob]\nzone = \"lab.example\"\nipv4 = \"10.0.1.0/24\"\n[host.ns1]\n\
                           network = \"lan\"\nip = \"10.0.0.2\"\n";

    /// Hosts to be installed: name, network, last octet of the hardware address, `reinstall`.
    fn inventory(hosts: &[(&str, &str, u8, &str)]) -> Snapshot {
        let mut text = GLOBALS.to_owned();
        for (name, network, card, reinstall) in hosts {
            let _ =
                writeln!(text, "[host.{name}]\nnetwork = \"{network}\"\nstate = \"install\"\nboot = \"d\"");
            let _ = writeln!(text, "mac = \"02:00:00:00:00:{card:02x}\"");
            if !reinstall.is_empty() {
                let _ = writeln!(text, "reinstall = \"{reinstall}\"");
            }
        }
        load_texts(&[("a.toml", &text)]).unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    fn host<'s>(snapshot: &'s Snapshot, name: &str) -> &'s Host {
        let name = Name::parse(&format!("{name}.lab.example"), None).unwrap();
        snapshot.inventory.hosts().find(|host| host.name.fqdn == name).unwrap()
    }

    fn is_done(installs: &Installs, snapshot: &Snapshot, name: &str) -> bool {
        installs.is_done(host(snapshot, name), &Machines::indexed(&snapshot.inventory))
    }

    /// Reports it with these keys.
    fn report(installs: &mut Installs, snapshot: &Snapshot, name: &str, keys: &[SshHostKey]) -> HostKeys {
        installs.set_done(host(snapshot, name), keys, &Machines::Scanned(&snapshot.inventory))
    }

    fn tells(installs: &Installs, host: &Host, token: &str) -> bool {
        installs.read(token).is_some_and(|parts| installs.tells(host, &parts))
    }

    fn tells_of_card(installs: &Installs, host: &Host, token: &str) -> bool {
        installs.read(token).is_some_and(|parts| installs.tells_of_card(host, &parts))
    }

    fn done(snapshot: &Snapshot, name: &str) -> Installs {
        let mut installs = Installs::new(&[7; 32]);
        assert!(!is_done(&installs, snapshot, name));
        report(&mut installs, snapshot, name, &[]);
        assert!(is_done(&installs, snapshot, name));
        installs
    }

    #[test]
    fn an_installation_is_done_until_another_one_is_wanted() {
        let first = inventory(&[("a", "lan", 1, ""), ("b", "lan", 2, "")]);
        let mut installs = done(&first, "a");
        assert!(!is_done(&installs, &first, "b"));
        let second = inventory(&[("a", "lan", 1, "2")]);
        assert!(!is_done(&installs, &second, "a"), "another one is wanted");
        report(&mut installs, &second, "a", &[]);
        assert!(is_done(&installs, &second, "a") && !is_done(&installs, &first, "a"));
    }

    #[test]
    fn a_machine_that_is_renamed_or_gets_another_card_is_not_installed_again() {
        let mut installs = done(&inventory(&[("a", "lan", 1, "")]), "a");
        let renamed = inventory(&[("b", "lan", 1, "")]);
        assert!(is_done(&installs, &renamed, "b"));
        assert!(!is_done(&installs, &inventory(&[("b", "lan", 1, "2")]), "b"), "another one is wanted");
        let other_card = inventory(&[("a", "lan", 9, "")]);
        assert!(is_done(&installs, &other_card, "a"));
        report(&mut installs, &renamed, "b", &[]);
        assert!(is_done(&installs, &inventory(&[("c", "lan", 1, "")]), "c"), "and renamed once more");
    }

    #[test]
    fn a_new_machine_under_the_name_of_one_that_was_renamed_is_installed() {
        let installs = done(&inventory(&[("a", "lan", 1, "")]), "a");
        let both = inventory(&[("a", "lan", 2, ""), ("b", "lan", 1, "")]);
        assert!(is_done(&installs, &both, "b") && !is_done(&installs, &both, "a"));
        let mut installs = Installs::new(&[7; 32]);
        report(&mut installs, &inventory(&[("a", "lan", 1, "")]), "a", &[key(1)]);
        assert_eq!(report(&mut installs, &both, "a", &[key(2)]), HostKeys::Noted);
        for (name, own) in [("a", key(2)), ("b", key(1))] {
            assert!(is_done(&installs, &both, name), "{name}");
            assert_eq!(installs.known(host(&both, name), &Machines::Scanned(&both.inventory)).1, [own]);
        }
    }

    #[test]
    fn a_machine_that_was_renamed_is_told_done_again_and_keeps_its_keys() {
        let first = inventory(&[("a", "lan", 1, "")]);
        let mut installs = Installs::new(&[7; 32]);
        let token = installs.token(host(&first, "a"));
        report(&mut installs, &first, "a", &[key(1)]);
        let renamed = inventory(&[("b", "lan", 1, "")]);
        let b = host(&renamed, "b");
        assert!(tells(&installs, b, &token), "the new system, as it comes up");
        let next = installs.token(b);
        assert_eq!(report(&mut installs, &renamed, "b", &[key(2)]), HostKeys::Others);
        assert_eq!(installs.known(b, &Machines::Scanned(&renamed.inventory)).1, [key(1)]);
        assert_eq!(installs.token(b), next, "it is one installation");
    }

    #[test]
    fn machines_with_one_hardware_address_in_two_networks_are_two() {
        let both = inventory(&[("a", "lan", 1, ""), ("b", "oob", 1, "")]);
        let installs = done(&both, "a");
        assert!(!is_done(&installs, &both, "b"));
    }

    #[test]
    fn a_token_is_of_one_installation_of_one_machine_and_of_one_service() {
        let first = inventory(&[("a", "lan", 1, ""), ("b", "lan", 2, "")]);
        let second = inventory(&[("a", "lan", 1, "1")]);
        let (mut one, other) = (Installs::new(&[1; 32]), Installs::new(&[2; 32]));
        let a = host(&first, "a");
        let old = one.token(a);
        let mut tokens =
            vec![old.clone(), one.token(host(&first, "b")), one.token(host(&second, "a")), other.token(a)];
        assert!(tells(&one, a, &old) && !tokens[1..].iter().any(|token| tells(&one, a, token)));
        report(&mut one, &first, "a", &[]);
        for _ in 0..3 {
            assert!(tells(&one, a, &old), "told again");
            report(&mut one, &first, "a", &[]);
        }
        report(&mut one, &second, "a", &[]);
        tokens.push(one.token(a));
        assert!(!tells(&one, a, &old), "a value that comes again is another installation");
        assert!(tokens.iter().all(|token| token.len() == 3 * PART_DIGITS));
        let distinct: BTreeSet<_> = tokens.iter().collect();
        assert_eq!(distinct.len(), tokens.len());
    }

    #[test]
    fn a_token_is_good_after_a_change_of_the_name_or_the_card_but_not_of_both() {
        let installs = Installs::new(&[1; 32]);
        let token = installs.token(host(&inventory(&[("a", "lan", 1, "")]), "a"));
        let renamed = inventory(&[("b", "lan", 1, ""), ("a", "lan", 2, ""), ("c", "lan", 3, "")]);
        assert!(
            tells(&installs, host(&renamed, "b"), &token)
                && tells_of_card(&installs, host(&renamed, "b"), &token)
        );
        assert!(
            tells(&installs, host(&renamed, "a"), &token)
                && !tells_of_card(&installs, host(&renamed, "a"), &token)
        );
        assert!(!tells(&installs, host(&renamed, "c"), &token));
        assert!(installs.read(&token).is_some());
        let parts: Vec<&str> = (0..3).map(|part| &token[PART_DIGITS * part..][..PART_DIGITS]).collect();
        for odd in [
            "",
            "ü",
            &format!("{token}0"),
            &token[..47],
            &"0".repeat(48),
            &[parts[1], parts[0], parts[2]].concat(),
        ] {
            assert!(installs.read(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn host_keys_are_those_of_the_first_report_until_another_installation_is_done() {
        let first = inventory(&[("a", "lan", 1, ""), ("b", "lan", 2, "")]);
        let keys = |installs: &Installs, snapshot: &Snapshot, name| {
            installs.known(host(snapshot, name), &Machines::Scanned(&snapshot.inventory)).1
        };
        // Reported as the new system comes up for the first time, after the installer's own report.
        let mut installs = done(&first, "a");
        assert_eq!(keys(&installs, &first, "a"), []);
        assert_eq!(report(&mut installs, &first, "a", &[key(1)]), HostKeys::Noted);
        for (reported, outcome) in
            [(vec![key(2)], HostKeys::Others), (vec![], HostKeys::None), (vec![key(1)], HostKeys::Noted)]
        {
            assert_eq!(report(&mut installs, &first, "a", &reported), outcome);
            assert_eq!(keys(&installs, &first, "a"), [key(1)]);
        }
        assert_eq!(keys(&installs, &first, "b"), []);

        let second = inventory(&[("a", "lan", 1, "2")]);
        assert_eq!(keys(&installs, &second, "a"), [key(1)], "as long as the other one is not done");
        report(&mut installs, &second, "a", &[key(2)]);
        assert_eq!(keys(&installs, &second, "a"), [key(2)]);
        report(&mut installs, &inventory(&[("a", "lan", 1, "3")]), "a", &[]);
        assert_eq!(keys(&installs, &second, "a"), [], "a system without known keys is there by now");
    }

    #[test]
    fn host_keys_stay_with_the_machine() {
        let mut installs = Installs::new(&[7; 32]);
        let keys = |installs: &Installs, hosts: &[(&str, &str, u8, &str)], name| {
            let snapshot = inventory(hosts);
            installs.known(host(&snapshot, name), &Machines::Scanned(&snapshot.inventory)).1
        };
        report(&mut installs, &inventory(&[("a", "lan", 1, "")]), "a", &[key(1)]);
        assert_eq!(keys(&installs, &[("b", "lan", 1, "")], "b"), [key(1)], "it was renamed");
        let swapped = [("a", "lan", 2, ""), ("b", "lan", 1, "")];
        assert_eq!(keys(&installs, &swapped, "a"), [], "another machine has the name");
        // Installed again under its new name, then renamed once more.
        report(&mut installs, &inventory(&[("b", "lan", 1, "2")]), "b", &[key(2)]);
        assert_eq!(keys(&installs, &[("c", "lan", 1, "2")], "c"), [key(2)]);
        let text = serde_json::to_string(&installs).unwrap();
        assert_eq!(serde_json::from_str::<Installs>(&text).unwrap(), installs);
    }

    #[test]
    fn what_is_remembered_is_read_back_also_from_before_cards_were_known() {
        let snapshot = inventory(&[("a", "lan", 1, "7")]);
        let mut installs = done(&snapshot, "a");
        // Another card, which is then another machine's, too.
        let other_card = inventory(&[("a", "lan", 2, "8")]);
        report(&mut installs, &other_card, "a", &[]);
        report(&mut installs, &inventory(&[("b", "lan", 2, "8")]), "b", &[]);
        let text = serde_json::to_string(&installs).unwrap();
        assert_eq!(serde_json::from_str::<Installs>(&text).unwrap(), installs);
        let known = |card| installs.with_cards(&[MacAddr([2, 0, 0, 0, 0, card])]).collect::<Vec<_>>();
        assert_eq!((known(1), known(2)), (vec![], vec!["a.lab.example", "b.lab.example"]));
        let old: Installs = serde_json::from_str(r#"{"secret":"00","done":{"a.lab.example":"7"}}"#).unwrap();
        assert!(is_done(&old, &snapshot, "a"));
    }
}
