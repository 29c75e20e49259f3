//! Keys of signed zones: made when a zone is signed first, kept in the state directory, replaced as
//! [`crate::core::dnssec::lifecycle`] says.
//!
//! A state is durable before it is served. Which zones ever had keys is kept apart from the keys: one
//! whose keys are lost gets no others by itself, because its parent may name the old ones, and then
//! new ones would look as if all were well.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daemon::state::StateDir;
use data_encoding::HEXLOWER;
use inventory_core::model::SigningAlgorithm;
use inventory_core::name::Name;
use inventory_core::records::{RecordType, present};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use tracing::{error, info, warn};

use crate::core::dnssec::lifecycle::{Command, KeyState, Timing, ZONE_KEY_LIFETIME, ZoneKeys};
use crate::core::dnssec::{Algorithm, Role, Signatures, Signing, SigningKey, ZoneKeySet, ZoneSigner};
use crate::core::serial::UnixSeconds;
use crate::view::{DnsView, REFRESH, Zone, rtype};

/// File that names the zones that have keys, below the state directory.
const KNOWN: &str = "dnssec-zones.json";
/// Seconds after which secondaries are given new signatures: they have some days to come.
const EDITION: u64 = 2 * DAY;
/// Seconds for which resolvers remember records at most, whatever their TTL says.
const REMEMBERED_MAX: u64 = 7 * DAY;
/// Seconds that a change of a DS record needs: the parent's servers, and a TTL of two days.
const PARENT: u64 = 3 * DAY;
const DAY: u64 = 86_400;

/// The keys of all zones.
pub(super) struct ZoneKeyStore {
    state: Arc<StateDir>,
    random: SystemRandom,
    /// Zones that have keys; or why that is not known.
    known: Result<BTreeSet<String>, String>,
    held: BTreeMap<Name, Held>,
    signatures: Option<Arc<Signatures>>,
    troubles: BTreeMap<Name, String>,
}

/// The keys of one zone.
struct Held {
    states: ZoneKeys,
    /// In the order of the states.
    keys: Vec<Arc<SigningKey>>,
    timing: Timing,
}

impl ZoneKeyStore {
    /// The keys in `state`. None is read before a zone wants it.
    pub(super) fn new(state: Arc<StateDir>) -> ZoneKeyStore {
        let known = match state.read(KNOWN) {
            Ok(None) => Ok(BTreeSet::new()),
            Ok(Some(text)) => serde_json::from_slice(&text).map_err(|error| format!("`{KNOWN}`: {error}")),
            Err(error) => Err(error.to_string()),
        };
        ZoneKeyStore {
            state,
            random: SystemRandom::new(),
            known,
            held: BTreeMap::new(),
            signatures: None,
            troubles: BTreeMap::new(),
        }
    }

    /// What signs the zones of `view` at `now`. A zone whose keys cannot be had is not signed, which is
    /// said in the log.
    pub(super) fn signing(&mut self, view: &DnsView, now: UnixSeconds) -> Arc<Signing> {
        let mut troubles = BTreeMap::new();
        let mut zones = Vec::new();
        for (_, zone) in view.zones().iter() {
            let signer = zone.dnssec.map(|algorithm| self.signer(zone, algorithm_of(algorithm), now));
            match signer {
                Some(Err(why)) => {
                    if self.troubles.get(&zone.name) != Some(&why) {
                        error!(zone = %zone.name, "the zone is served without signatures: {why}");
                    }
                    troubles.insert(zone.name.clone(), why);
                    zones.push(None);
                }
                Some(Ok(signer)) => zones.push(Some(Arc::new(signer))),
                None => zones.push(None),
            }
        }
        self.troubles = troubles;
        if zones.iter().all(Option::is_none) {
            return Arc::default();
        }
        // What a name has, and its NSEC record; another one in what secondaries get.
        let signed = view.zones().iter().zip(&zones).filter(|(_, signer)| signer.is_some());
        let rrsets = signed.map(|((number, _), _)| view.names_of(number)).sum::<usize>().saturating_mul(4);
        let signatures = match &self.signatures {
            Some(signatures) => signatures.grown(rrsets).map_or_else(|| Arc::clone(signatures), Arc::new),
            None => Arc::new(Signatures::new(rrsets, self.secret())),
        };
        self.signatures = Some(Arc::clone(&signatures));
        Arc::new(Signing::new(zones, signatures))
    }

    /// Does what an operator wants with the key-signing key of `zone`.
    pub(super) fn command(&mut self, zone: &Name, command: Command, now: UnixSeconds) -> Result<(), String> {
        let random = &self.random;
        let held = self.held.get_mut(zone).ok_or_else(|| format!("zone `{zone}` is not signed"))?;
        let mut states = held.states.clone();
        states.command(command, now, |algorithm| private_key(algorithm, random))?;
        keep(&self.state, zone, &states)?;
        held.put(states, random, zone)
    }

    /// What is known of the keys of `zone`, for status; null if it is not to be signed.
    pub(super) fn to_json(&self, zone: &Name) -> Value {
        let Some(held) = self.held.get(zone) else {
            return self.troubles.get(zone).map_or(Value::Null, |why| json!({ "trouble": why }));
        };
        let keys = held.states.keys.iter().zip(&held.keys).map(|(state, key)| {
            json!({
                "role": state.role,
                "tag": key.tag(),
                "algorithm": state.algorithm,
                "state": state.state,
                "since": state.since,
            })
        });
        let delegated =
            held.states.keys.iter().zip(&held.keys).filter(|(key, _)| held.states.is_delegated(key));
        let ds = delegated.map(|(_, key)| {
            let text = present(RecordType(rtype::DS), &key.ds(zone.as_wire()));
            format!("{zone}. IN DS {text}")
        });
        json!({
            "keys": keys.collect::<Vec<_>>(),
            "ds": ds.collect::<Vec<_>>(),
            "next_step": held.states.next_step(&held.timing).map(|at| at.0),
            "trouble": self.troubles.get(zone),
        })
    }

    fn signer(&mut self, zone: &Zone, algorithm: Algorithm, now: UnixSeconds) -> Result<ZoneSigner, String> {
        let name = &zone.name;
        let first = !self.held.contains_key(name);
        if first {
            let states = self.read_or_make(name, algorithm, now)?;
            let mut held =
                Held { states: ZoneKeys { keys: Vec::new() }, keys: Vec::new(), timing: timing(zone) };
            held.put(states, &self.random, name)?;
            self.held.insert(name.clone(), held);
        }
        // Tried again every few seconds, and said once.
        if let Err(why) = self.note(name)
            && first
        {
            warn!(zone = %name, %why, "`{KNOWN}` does not have the zone: if its keys were lost, it would get others");
        }
        let random = &self.random;
        let held = self.held.get_mut(name).ok_or("no keys")?;
        held.timing = timing(zone);
        let mut states = held.states.clone();
        while states.step(now, &held.timing, |algorithm| private_key(algorithm, random)) {}
        if states != held.states {
            match keep(&self.state, name, &states).and_then(|()| held.put(states, random, name)) {
                Ok(()) => info!(zone = %name, keys = ?held.states.keys, "keys of the zone changed"),
                // Those of before are good for longer than a disk is full.
                Err(why) => warn!(zone = %name, %why, "keys of the zone cannot be changed"),
            }
        }
        Ok(ZoneSigner::new(name.clone(), zone.ttl, held.key_set()?, edition(zone, now)))
    }

    /// The keys of a zone as they are kept, or new ones if it never had any.
    fn read_or_make(
        &mut self,
        zone: &Name,
        algorithm: Algorithm,
        now: UnixSeconds,
    ) -> Result<ZoneKeys, String> {
        let file = file_of(zone);
        match self.state.read(&file) {
            Ok(Some(text)) => {
                return serde_json::from_slice(&text)
                    .map_err(|error| format!("`{file}` in the state directory: {error}"));
            }
            Ok(None) => {}
            Err(error) => return Err(error.to_string()),
        }
        let known =
            self.known.as_ref().map_err(|why| format!("it is not known which zones have keys: {why}"))?;
        if known.contains(&file) {
            return Err(format!(
                "its keys are lost: `{file}` is not in the state directory. Put it back from a copy; or have \
                 the parent remove its DS record, take the line of the zone out of `{KNOWN}` there, and start again"
            ));
        }
        let random = &self.random;
        let keys = ZoneKeys::first(algorithm, now, || private_key(algorithm, random));
        let keys = keys.ok_or("no key can be made")?;
        keep(&self.state, zone, &keys)?;
        warn!(%zone, "new keys for the zone: keep a copy of the state directory, and give the DS record to the parent");
        Ok(keys)
    }

    /// Keeps that a zone has keys, which are kept already: the other way round, keys that could not be
    /// written would be taken for lost.
    fn note(&mut self, zone: &Name) -> Result<(), String> {
        let file = file_of(zone);
        // Of a list that cannot be read nothing is known that could be written again.
        let Some(known) = self.known.as_mut().ok().filter(|known| !known.contains(&file)) else {
            return Ok(());
        };
        let mut with = known.clone();
        with.insert(file);
        let text = serde_json::to_vec_pretty(&with).map_err(|error| error.to_string())?;
        self.state.write(KNOWN, &text).map_err(|error| error.to_string())?;
        *known = with;
        Ok(())
    }

    fn secret(&self) -> [u8; 16] {
        let mut secret = [0; 16];
        // Without randomness there are no keys either.
        let _ = self.random.fill(&mut secret);
        secret
    }
}

impl Held {
    /// Takes these states, and reads the keys among them.
    fn put(&mut self, states: ZoneKeys, random: &SystemRandom, zone: &Name) -> Result<(), String> {
        let read = |key: &KeyState| {
            let octets = HEXLOWER.decode(key.private.as_bytes()).ok()?;
            SigningKey::read(key.algorithm, key.role, &octets, random).map(Arc::new)
        };
        let keys: Option<Vec<_>> = states.keys.iter().map(read).collect();
        self.keys = keys.ok_or_else(|| format!("`{}` holds a key that is none", file_of(zone)))?;
        self.states = states;
        Ok(())
    }

    fn key_set(&self) -> Result<ZoneKeySet, String> {
        let of = |wanted: &dyn Fn(&KeyState) -> bool| {
            let pairs = self.states.keys.iter().zip(&self.keys).filter(|(state, _)| wanted(state));
            pairs.map(|(_, key)| Arc::clone(key)).collect::<Vec<_>>()
        };
        let signs = |role| of(&|state| state.role == role && ZoneKeys::signs(state));
        let zone_key = signs(Role::Zone).pop().ok_or("it has no key that signs its data")?;
        Ok(ZoneKeySet {
            published: self.keys.clone(),
            key_keys: signs(Role::Keys),
            zone_key,
            delegated: of(&|state| self.states.is_delegated(state)),
        })
    }
}

fn keep(state: &StateDir, zone: &Name, keys: &ZoneKeys) -> Result<(), String> {
    let text = serde_json::to_vec_pretty(keys).map_err(|error| error.to_string())?;
    state.write_secret(&file_of(zone), &text).map_err(|error| error.to_string())
}

/// The file of a zone's keys. Octets that no file's name should have are written as `%` and two digits.
fn file_of(zone: &Name) -> String {
    let mut file = "dnssec-".to_owned();
    for octet in zone.to_string().bytes() {
        match octet {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => file.push(octet.into()),
            octet => file.push_str(&format!("%{octet:02x}")),
        }
    }
    file + ".json"
}

fn private_key(algorithm: Algorithm, random: &SystemRandom) -> Option<String> {
    let octets = algorithm.generate(random)?;
    Some(HEXLOWER.encode(&octets))
}

fn algorithm_of(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::EcdsaP256 => Algorithm::EcdsaP256,
        SigningAlgorithm::Ed25519 => Algorithm::Ed25519,
    }
}

fn timing(zone: &Zone) -> Timing {
    Timing {
        key_ttl: zone.ttl.into(),
        ttl_max: REMEMBERED_MAX,
        // Secondaries that miss the word come by themselves after that. One that has it from an earlier
        // SOA record may still wait for as long as ours usually says.
        propagation: u64::from(zone.soa.refresh().max(REFRESH)) + 3600,
        parent: PARENT,
        zone_key_lifetime: ZONE_KEY_LIFETIME,
    }
}

/// Changes when secondaries need new signatures; not for all zones at once.
fn edition(zone: &Zone, now: UnixSeconds) -> u64 {
    if zone.secondaries.is_empty() {
        return 0;
    }
    (now.0 + crate::view::name_hash(0, zone.name.as_wire()) % EDITION) / EDITION
}

#[cfg(test)]
mod tests;
