//! The life of a zone's keys: RFC 7583 with times that a machine can keep alone.
//!
//! A zone has a key that signs its keys (KSK), which its parent names in a DS record, and a key that
//! signs everything else (ZSK). The second is replaced on a timer by pre-publication (section 3.2.1),
//! without anybody's help: the parent knows nothing of it. The first is replaced when an operator
//! wants it, by double signatures (section 3.3.1), and waits for the operator to say that the parent
//! has the new DS record: nothing else may end the old one.
//!
//! A pure state machine. Time is an argument, and so is what makes keys; the caller keeps the state
//! before it acts on it, and calls again at [`ZoneKeys::next_step`].

use serde::{Deserialize, Serialize};

use super::{Algorithm, Role};
use crate::core::serial::UnixSeconds;

/// Seconds that a key for the zone's data is in use.
pub const ZONE_KEY_LIFETIME: u64 = 90 * 86_400;

/// A zone's keys, old and new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneKeys {
    /// In the order in which they were made.
    pub keys: Vec<KeyState>,
}

/// A key and where it is in its life.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    /// What it signs.
    pub role: Role,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Its state.
    pub state: State,
    /// Since when, in seconds since 1970.
    pub since: u64,
    /// The private key: PKCS #8 in hexadecimal digits.
    pub private: String,
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Among the zone's keys, so that it is known everywhere before it is needed. A KSK signs already.
    Published,
    /// A KSK that is known everywhere: the parent is asked to name it, and not the one before.
    Ready,
    /// In use.
    Active,
    /// To be taken out when nobody remembers what depends on it: of a ZSK, which signs nothing more, the
    /// signatures; of a KSK, which still signs, the parent's DS record.
    Retired,
}

/// How long things take, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// TTL of the keys' records.
    pub key_ttl: u64,
    /// The greatest TTL of what is signed.
    pub ttl_max: u64,
    /// Until all servers of the zone have a change.
    pub propagation: u64,
    /// TTL of the parent's DS record, and until all of its servers have a change.
    pub parent: u64,
    /// How long a ZSK is in use.
    pub zone_key_lifetime: u64,
}

/// What somebody wants to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// A new KSK.
    Roll,
    /// The parent has the DS record of the new KSK, and not that of the old one.
    ParentHasIt,
}

impl ZoneKeys {
    /// The first keys of a zone: nobody remembers others, so they are in use at once. `None` if none can be
    /// made.
    pub fn first(
        algorithm: Algorithm,
        now: UnixSeconds,
        mut make: impl FnMut() -> Option<String>,
    ) -> Option<ZoneKeys> {
        let mut key =
            |role| Some(KeyState { role, algorithm, state: State::Active, since: now.0, private: make()? });
        Some(ZoneKeys { keys: vec![key(Role::Keys)?, key(Role::Zone)?] })
    }

    /// Does what is due at `now`, and whether there was anything. A key is made by `make`; if it cannot,
    /// that is left for later. To be called again until it says no.
    ///
    /// A key made in the future waits for as long as one made now: the clock was set back.
    pub fn step(
        &mut self,
        now: UnixSeconds,
        timing: &Timing,
        mut make: impl FnMut(Algorithm) -> Option<String>,
    ) -> bool {
        let mut changed = false;
        for key in self.keys.iter_mut().filter(|key| key.since > now.0) {
            key.since = now.0;
            changed = true;
        }
        let before = self.keys.len();
        self.keys.retain(|key| key.state != State::Retired || now.0 < key.since + timing.stays(key.role));
        changed |= self.keys.len() != before;
        changed |= self.step_zone_key(now, timing, &mut make);
        changed | self.step_key_key(now, timing)
    }

    fn step_zone_key(
        &mut self,
        now: UnixSeconds,
        timing: &Timing,
        make: &mut impl FnMut(Algorithm) -> Option<String>,
    ) -> bool {
        let Some((since, algorithm)) =
            self.find(Role::Zone, State::Active).map(|key| (key.since, key.algorithm))
        else {
            return false;
        };
        match self.find(Role::Zone, State::Published) {
            Some(next)
                if now.0 >= next.since + timing.becomes_known()
                    && now.0 >= since + timing.zone_key_lifetime =>
            {
                self.replace(Role::Zone, State::Published, now);
                true
            }
            Some(_) => false,
            None if now.0 + timing.becomes_known() >= since + timing.zone_key_lifetime => {
                let Some(private) = make(algorithm) else { return false };
                let (role, state) = (Role::Zone, State::Published);
                self.keys.push(KeyState { role, algorithm, state, since: now.0, private });
                true
            }
            None => false,
        }
    }

    fn step_key_key(&mut self, now: UnixSeconds, timing: &Timing) -> bool {
        let known = timing.becomes_known();
        let next = self.keys.iter_mut().find(|key| key.role == Role::Keys && key.state == State::Published);
        match next.filter(|key| now.0 >= key.since + known) {
            Some(key) => {
                (key.state, key.since) = (State::Ready, now.0);
                true
            }
            None => false,
        }
    }

    /// Does what somebody wants.
    ///
    /// # Errors
    /// Says why that cannot be.
    pub fn command(
        &mut self,
        command: Command,
        now: UnixSeconds,
        mut make: impl FnMut(Algorithm) -> Option<String>,
    ) -> Result<(), &'static str> {
        let role = Role::Keys;
        match command {
            Command::Roll => {
                let under_way = self.keys.iter().any(|key| key.role == role && key.state != State::Active);
                if under_way {
                    return Err("its last key-signing key is still being replaced");
                }
                let active = self.find(role, State::Active).ok_or("it has no key-signing key")?;
                let algorithm = active.algorithm;
                let private = make(algorithm).ok_or("no key can be made")?;
                self.keys.push(KeyState { role, algorithm, state: State::Published, since: now.0, private });
                Ok(())
            }
            Command::ParentHasIt => {
                if self.find(role, State::Ready).is_none() {
                    return Err("no new key-signing key waits for the parent");
                }
                self.replace(role, State::Ready, now);
                Ok(())
            }
        }
    }

    /// When something is due next; `None` if nothing is before somebody says something.
    pub fn next_step(&self, timing: &Timing) -> Option<UnixSeconds> {
        let has_next = self.find(Role::Zone, State::Published).is_some();
        let due = self.keys.iter().filter_map(|key| match (key.role, key.state) {
            (role, State::Retired) => Some(key.since + timing.stays(role)),
            (Role::Keys, State::Published) => Some(key.since + timing.becomes_known()),
            (Role::Zone, State::Published) => {
                let active = self.find(Role::Zone, State::Active).map_or(0, |key| key.since);
                Some((key.since + timing.becomes_known()).max(active + timing.zone_key_lifetime))
            }
            (Role::Zone, State::Active) if !has_next => {
                Some((key.since + timing.zone_key_lifetime).saturating_sub(timing.becomes_known()))
            }
            _ => None,
        });
        due.min().map(UnixSeconds)
    }

    /// Whether a key signs: a KSK as soon as it is there.
    pub fn signs(key: &KeyState) -> bool {
        match key.role {
            Role::Keys => true,
            Role::Zone => key.state == State::Active,
        }
    }

    /// Whether the parent is asked to name a key.
    pub fn is_delegated(&self, key: &KeyState) -> bool {
        let newer = self.find(Role::Keys, State::Ready).is_some();
        key.role == Role::Keys
            && match key.state {
                State::Ready => true,
                State::Active => !newer,
                State::Published | State::Retired => false,
            }
    }

    fn find(&self, role: Role, state: State) -> Option<&KeyState> {
        self.keys.iter().find(|key| key.role == role && key.state == state)
    }

    /// The key in this state is in use from now on, and the one before it no longer.
    fn replace(&mut self, role: Role, state: State, now: UnixSeconds) {
        for key in self.keys.iter_mut().filter(|key| key.role == role) {
            if key.state == State::Active {
                (key.state, key.since) = (State::Retired, now.0);
            } else if key.state == state {
                (key.state, key.since) = (State::Active, now.0);
            }
        }
    }
}

impl Timing {
    /// Until a key that is published is known everywhere: who asked just before remembers the keys without
    /// it for their TTL (RFC 7583, section 3.2.1: Ipub).
    fn becomes_known(&self) -> u64 {
        self.propagation + self.key_ttl
    }

    /// Until nothing needs a retired key (Iret; of a KSK: until no parent's DS record names it).
    fn stays(&self, role: Role) -> u64 {
        match role {
            Role::Zone => self.propagation + self.ttl_max.max(self.key_ttl),
            Role::Keys => self.parent,
        }
    }
}

impl std::fmt::Debug for KeyState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let KeyState { role, algorithm, state, since, private: _ } = self;
        write!(f, "{role:?} {algorithm:?} {state:?} since {since}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, VecDeque};

    use super::*;

    const DAY: u64 = 86_400;
    const START: u64 = 1_800_000_000;
    const TIMING: Timing = Timing {
        key_ttl: 3600,
        ttl_max: 2 * DAY,
        propagation: DAY,
        parent: 3 * DAY,
        zone_key_lifetime: 20 * DAY,
    };

    /// What validators can see at one time; keys by their number.
    struct Seen {
        at: u64,
        published: BTreeSet<usize>,
        zone_signer: usize,
        key_signers: BTreeSet<usize>,
        ds: usize,
    }

    struct Site {
        keys: ZoneKeys,
        made: usize,
        ds: usize,
        seen: VecDeque<Seen>,
    }

    fn number(key: &KeyState) -> usize {
        key.private.parse().unwrap()
    }

    impl Site {
        fn new() -> Site {
            let mut made = 0;
            let make = || {
                made += 1;
                Some(made.to_string())
            };
            let keys = ZoneKeys::first(Algorithm::Ed25519, UnixSeconds(START), make).unwrap();
            Site { keys, made, ds: 1, seen: VecDeque::new() }
        }

        fn step(&mut self, now: u64) {
            let mut make = |_| {
                self.made += 1;
                Some(self.made.to_string())
            };
            while self.keys.step(UnixSeconds(now), &TIMING, &mut make) {}
            let all = |wanted: &dyn Fn(&KeyState) -> bool| {
                self.keys.keys.iter().filter(|key| wanted(key)).map(number).collect::<BTreeSet<_>>()
            };
            let zone_signers = all(&|key| key.role == Role::Zone && ZoneKeys::signs(key));
            assert_eq!(zone_signers.len(), 1, "{:?}", self.keys);
            self.seen.push_back(Seen {
                at: now,
                published: all(&|_| true),
                zone_signer: zone_signers.into_iter().next().unwrap(),
                key_signers: all(&|key| key.role == Role::Keys && ZoneKeys::signs(key)),
                ds: self.ds,
            });
            let oldest = now - TIMING.parent.max(TIMING.propagation + TIMING.ttl_max);
            while self.seen.front().is_some_and(|seen| seen.at < oldest) {
                self.seen.pop_front();
            }
        }

        /// Whether whatever validators remember at `now` fits together.
        fn check(&self, now: u64) {
            let within =
                |seconds: u64| self.seen.iter().filter(move |seen| seen.at + seconds > now || seen.at == now);
            for keys in within(TIMING.propagation + TIMING.key_ttl) {
                for data in within(TIMING.propagation + TIMING.ttl_max) {
                    assert!(keys.published.contains(&data.zone_signer), "{now}: {:?}", self.keys);
                }
                for parent in within(TIMING.parent) {
                    assert!(keys.key_signers.contains(&parent.ds), "{now}: {:?}", self.keys);
                }
            }
        }
    }

    #[test]
    fn no_validator_is_ever_lost_while_keys_are_replaced() {
        let mut site = Site::new();
        let mut zone_signers = BTreeSet::new();
        let mut confirmed = 0;
        for hour in 0..150 * 24 {
            let now = START + hour * 3600;
            site.step(now);
            site.check(now);
            zone_signers.insert(site.seen.back().unwrap().zone_signer);
            if hour % (40 * 24) == 7 {
                let make = |_| {
                    site.made += 1;
                    Some(site.made.to_string())
                };
                site.keys.command(Command::Roll, UnixSeconds(now), make).unwrap();
            }
            // The operator looks once in three days, and has the parent changed.
            let wanted: Vec<usize> =
                site.keys.keys.iter().filter(|key| site.keys.is_delegated(key)).map(number).collect();
            assert_eq!(wanted.len(), 1);
            if hour % (3 * 24) == 5 && wanted != [site.ds] {
                site.ds = wanted[0];
                site.keys.command(Command::ParentHasIt, UnixSeconds(now), |_| None).unwrap();
                confirmed += 1;
            }
        }
        assert!(zone_signers.len() >= 7, "{zone_signers:?}");
        assert!(confirmed >= 3, "{confirmed}");
        assert!(site.keys.keys.len() <= 4, "{:?}", site.keys);
    }

    #[test]
    fn nothing_is_due_between_what_is_said_to_be_due() {
        let mut site = Site::new();
        let mut now = UnixSeconds(START);
        for _ in 0..20 {
            let mut make = |_| Some("9".to_owned());
            while site.keys.step(now, &TIMING, &mut make) {}
            let due = site.keys.next_step(&TIMING).unwrap();
            assert!(due > now, "{due:?}");
            assert!(!site.keys.clone().step(UnixSeconds(due.0 - 1), &TIMING, |_| None));
            now = due;
            assert!(site.keys.clone().step(now, &TIMING, |_| Some("9".to_owned())));
        }
    }

    #[test]
    fn a_clock_that_was_far_ahead_does_not_hold_keys_for_ever() {
        let mut site = Site::new();
        let ahead = START + 40 * 365 * DAY;
        site.step(ahead);
        assert!(site.keys.keys.iter().any(|key| key.since == ahead));
        for day in 0..60 {
            site.step(START + day * DAY);
        }
        assert!(site.keys.keys.iter().all(|key| key.since < START + 60 * DAY), "{:?}", site.keys);
        assert!(site.keys.keys.len() <= 3);
    }

    #[test]
    fn private_keys_are_not_printed_and_what_is_kept_is_read_back() {
        let keys = Site::new().keys;
        let text = serde_json::to_string(&keys).unwrap();
        assert_eq!(serde_json::from_str::<ZoneKeys>(&text).unwrap(), keys);
        assert!(!format!("{keys:?}").contains("private"));
    }
}
