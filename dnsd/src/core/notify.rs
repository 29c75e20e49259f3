//! Telling secondaries that a zone has changed (NOTIFY, RFC 1996), until each has heard it.
//!
//! What is to be told is the difference between the serials that are served and those that were told
//! last. A message is sent again after a second, then after twice as long each time, and every five
//! minutes from then on: a secondary that was away for a day learns of a change when it is back, not
//! when its copy expires. Time and message ids are arguments.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use inventory_core::name::Name;

use crate::view::{DnsView, Labels, ZoneNumber, rtype};

use super::query::{HEADER_OCTETS, Header};
use super::serial::UnixSeconds;
use super::tsig::{Keyring, Session, Signature};

/// Pause before the second message.
const FIRST: Duration = Duration::from_secs(1);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(300);
/// Messages that are sent at a time: thousands of zones are told in seconds, and not in one burst.
const AT_A_TIME: usize = 64;
/// Opcode NOTIFY with AA, as flags.
const FLAGS: u16 = 4 << 11 | 0x0400;

/// When something happens.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Since some moment that stays the same.
    pub elapsed: Duration,
    /// By the wall clock.
    pub wall: UnixSeconds,
}

/// What has to be told, and to whom.
#[derive(Debug, Default)]
pub struct Announcer {
    /// Serials that were announced.
    announced: BTreeMap<Name, u32>,
    pending: BTreeMap<(Name, SocketAddr), Pending>,
}

#[derive(Debug)]
struct Pending {
    serial: u32,
    key: Option<Name>,
    id: u16,
    session: Option<Session>,
    due: Duration,
    pause: Duration,
    /// It was answered with an error.
    refused: bool,
}

/// A message to a secondary.
#[derive(Debug)]
pub struct Outgoing {
    /// Where it goes.
    pub to: SocketAddr,
    /// The zone that it is about.
    pub zone: Name,
    /// The message.
    pub octets: Vec<u8>,
}

/// What a secondary answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The zone.
    pub zone: Name,
    /// The serial that it was told.
    pub serial: u32,
    /// Response code: not zero if it does not have the zone, or does not listen to us.
    pub rcode: u16,
    /// Whether it had refused before.
    pub again: bool,
}

impl Announcer {
    /// Takes note of the serials of `view`.
    pub fn update(&mut self, view: &DnsView, now: Moment) {
        let mut announced = BTreeMap::new();
        let mut wanted = BTreeMap::new();
        for (number, zone) in view.zones().iter().filter(|(_, zone)| !zone.secondaries.is_empty()) {
            let serial = view.serial(number);
            let is_new = self.announced.get(&zone.name) != Some(&serial);
            for secondary in zone.secondaries.iter() {
                let Some(to) = secondary.notify else { continue };
                let place = (zone.name.clone(), to);
                let key = secondary.key.clone();
                let pending = match self.pending.remove(&place) {
                    Some(pending) if !is_new => Pending { key, ..pending },
                    None if !is_new => continue,
                    _ => Pending {
                        serial,
                        key,
                        id: 0,
                        session: None,
                        due: now.elapsed,
                        pause: FIRST,
                        refused: false,
                    },
                };
                wanted.insert(place, pending);
            }
            announced.insert(zone.name.clone(), serial);
        }
        (self.announced, self.pending) = (announced, wanted);
    }

    /// When the next message is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.pending.values().map(|pending| pending.due).min()
    }

    /// The messages that are due. `ids` makes message ids that nobody can guess.
    pub fn due(
        &mut self,
        view: &DnsView,
        keys: &Keyring,
        now: Moment,
        mut ids: impl FnMut() -> u16,
    ) -> Vec<Outgoing> {
        let due = self.pending.iter_mut().filter(|(_, pending)| pending.due <= now.elapsed);
        let mut messages = Vec::new();
        for ((zone, to), pending) in due.take(AT_A_TIME) {
            pending.due = now.elapsed + pending.pause;
            pending.pause = (pending.pause * 2).min(LONGEST);
            pending.id = ids();
            let number = view.zones().with_apex(zone.as_wire());
            let octets = number.and_then(|number| pending.message(view, number, keys, now.wall));
            messages.extend(octets.map(|octets| Outgoing { to: *to, zone: zone.clone(), octets }));
        }
        messages
    }

    /// Takes note of a datagram. `None` if it answers nothing that was told. A secondary that answers with an error, as
    /// one does that is starting, or has not got the zone yet, is told again some minutes later.
    pub fn answered(&mut self, from: SocketAddr, octets: &[u8], now: Moment) -> Option<Heard> {
        let header = Header::read(octets)?;
        if !header.is_response() || header.opcode() != 4 {
            return None;
        }
        let asked = Labels::read(octets.get(HEADER_OCTETS..)?).ok()?;
        let same = |((zone, to), pending): (&(Name, SocketAddr), &Pending)| {
            *to == from
                && pending.id.to_be_bytes() == header.id
                && zone.as_wire() == asked.as_wire()
                && pending.is_answered_by(octets, now.wall)
        };
        let place = self.pending.iter().find(|entry| same(*entry)).map(|(place, _)| place.clone())?;
        let (zone, rcode) = (place.0.clone(), header.flags & 15);
        if rcode == 0 {
            let pending = self.pending.remove(&place)?;
            return Some(Heard { zone, serial: pending.serial, rcode, again: false });
        }
        let pending = self.pending.get_mut(&place)?;
        let again = std::mem::replace(&mut pending.refused, true);
        (pending.due, pending.pause) = (now.elapsed + LONGEST, LONGEST);
        Some(Heard { zone, serial: pending.serial, rcode, again })
    }

    /// Takes note that the secondary at `peer` has a copy of `zone` with this serial.
    pub fn copied(&mut self, zone: &Name, peer: IpAddr, serial: u32) {
        self.pending
            .retain(|(name, to), pending| name != zone || to.ip() != peer || pending.serial != serial);
    }
}

impl Pending {
    fn message(
        &mut self,
        view: &DnsView,
        zone: ZoneNumber,
        keys: &Keyring,
        now: UnixSeconds,
    ) -> Option<Vec<u8>> {
        let soa = view.soa(zone);
        let words = [self.id, FLAGS, 1, 1, 0, 0].map(u16::to_be_bytes);
        let [soa_type, class, pointer] = [rtype::SOA, 1, 0xc000 | 12].map(u16::to_be_bytes);
        let length = u16::try_from(soa.rdata.len()).ok()?.to_be_bytes();
        let mut octets = [
            words.as_flattened(),
            soa.owner.as_wire(),
            &[soa_type, class, pointer, soa_type, class].concat(),
            &soa.ttl.to_be_bytes(),
            &length,
            &soa.rdata,
        ]
        .concat();
        self.session = None;
        if let Some(name) = &self.key {
            // Without its secret nothing is sent: the other side would not listen.
            let (key, at) = (keys.get(name)?, octets.len());
            octets.resize(at + ROOM, 0);
            let (end, session) = Session::start(key, &mut octets, at, now)?;
            octets.truncate(end);
            self.session = Some(session);
        }
        Some(octets)
    }

    /// Whether `octets` are signed as they have to be.
    fn is_answered_by(&self, octets: &[u8], now: UnixSeconds) -> bool {
        match &self.session {
            None => self.key.is_none(),
            Some(session) => {
                signature_of(octets).is_some_and(|signature| session.is_answered_by(octets, &signature, now))
            }
        }
    }
}

/// Octets that suffice for any signature.
const ROOM: usize = 512;

/// The signature at the end of a response.
fn signature_of(octets: &[u8]) -> Option<Signature<'_>> {
    let header = Header::read(octets)?;
    let [questions, records @ ..] = header.counts;
    let mut at = HEADER_OCTETS;
    for _ in 0..questions {
        at += super::query::name_octets(octets.get(at..)?)? + 4;
    }
    let records: u32 = records.into_iter().map(u32::from).sum();
    for _ in 1..records {
        at += super::query::name_octets(octets.get(at..)?)?;
        let length = octets.get(at + 8..at + 10)?.first_chunk::<2>()?;
        at += 10 + usize::from(u16::from_be_bytes(*length));
    }
    Signature::read(octets, at).filter(|_| records > 0)
}

#[cfg(test)]
mod tests {
    use inventory_core::model::KeyAlgorithm;

    use super::*;
    use crate::core::tsig::SharedKey;
    use crate::testing::{name, snapshot};

    const TWO: &str = "[site]\nnameservers = [\"ns.elsewhere.test\"]\n[key.k]\nfile = \"/k\"\n[zone.\"lab.example\"]\n\
         secondaries = [\"192.0.2.1\", { address = \"192.0.2.2:5353\", key = \"k\" }]\n\
         [zone.\"other.example\"]\n";

    fn view(text: &str) -> DnsView {
        let mut view = DnsView::build(&snapshot(&[("zones.toml", text)]));
        view.set_serials(|_| 7);
        view
    }

    fn at(seconds: u64) -> Moment {
        Moment { elapsed: Duration::from_secs(seconds), wall: UnixSeconds(1_800_000_000 + seconds) }
    }

    fn keys() -> Keyring {
        Keyring::new([SharedKey::new(name("k"), KeyAlgorithm::HmacSha256, b"secret")])
    }

    /// The answer of a secondary that shares the key.
    fn answer(message: &[u8], key: bool) -> Vec<u8> {
        let end = HEADER_OCTETS + "lab.example".len() + 2 + 4;
        let mut octets = message[..end].to_vec();
        octets[2] |= 0x80;
        octets[6..12].fill(0);
        if key {
            let mut session = keys().open(message, &signature_of(message).unwrap(), at(0).wall).unwrap();
            octets.resize(end + ROOM, 0);
            let signed = session.sign(&mut octets, end, at(0).wall).unwrap();
            octets.truncate(signed);
        }
        octets
    }

    #[test]
    fn each_secondary_is_told_until_it_answers() {
        let view = view(TWO);
        let mut announcer = Announcer::default();
        announcer.update(&view, at(0));
        let mut id = 0;
        let mut due = |announcer: &mut Announcer, seconds| {
            announcer.due(&view, &keys(), at(seconds), || {
                id += 1;
                id
            })
        };
        let first = due(&mut announcer, 0);
        assert_eq!(first.len(), 2, "and nobody is told of other.example");
        assert!(due(&mut announcer, 0).is_empty());
        let heard = announcer.answered(first[0].to, &answer(&first[0].octets, false), at(0));
        assert_eq!(heard, Some(Heard { zone: name("lab.example"), serial: 7, rcode: 0, again: false }));
        let times: Vec<u64> = (1..2000).filter(|now| !due(&mut announcer, *now).is_empty()).collect();
        assert_eq!(times[..9], [1, 3, 7, 15, 31, 63, 127, 255, 511]);
        assert!(times[9..].windows(2).all(|pair| pair[1] - pair[0] == 300), "{times:?}");
        announcer.copied(&name("lab.example"), "192.0.2.2".parse().unwrap(), 7);
        assert_eq!(announcer.next_due(), None, "who has it need not be told");
    }

    #[test]
    fn an_answer_is_from_that_place_to_that_message_and_signed_with_that_key() {
        let view = view(TWO);
        let mut announcer = Announcer::default();
        announcer.update(&view, at(0));
        let messages = announcer.due(&view, &keys(), at(0), || 77);
        let [plain, signed] = [&messages[0], &messages[1]];
        let right = answer(&signed.octets, true);
        assert_eq!(announcer.answered(signed.to, &answer(&signed.octets, false), at(0)), None);
        assert_eq!(announcer.answered("192.0.2.3:53".parse().unwrap(), &right, at(0)), None);
        let mut other_id = right.clone();
        other_id[1] ^= 1;
        assert_eq!(announcer.answered(signed.to, &other_id, at(0)), None);
        assert_eq!(announcer.answered(plain.to, &plain.octets, at(0)), None, "no response");
        let mut refused = right.clone();
        refused[3] |= 5;
        assert_eq!(announcer.answered(signed.to, &refused, at(0)), None, "changed on the way");
        assert!(announcer.answered(signed.to, &right, at(0)).is_some());
        let mut refused = answer(&plain.octets, false);
        refused[3] |= 5;
        let heard = |announcer: &mut Announcer, octets: &[u8], now| {
            announcer.answered(plain.to, octets, now).map(|heard| (heard.rcode, heard.again))
        };
        assert_eq!(heard(&mut announcer, &refused, at(0)), Some((5, false)));
        // It is told again, less often, until it has heard.
        assert_eq!(announcer.next_due(), Some(at(300).elapsed));
        assert_eq!(announcer.due(&view, &keys(), at(300), || 77).len(), 1);
        assert_eq!(heard(&mut announcer, &refused, at(300)), Some((5, true)));
        assert_eq!(announcer.due(&view, &keys(), at(600), || 77).len(), 1);
        assert_eq!(heard(&mut announcer, &answer(&plain.octets, false), at(600)), Some((0, false)));
        assert_eq!(announcer.next_due(), None);
    }

    #[test]
    fn a_change_is_told_at_once_and_the_same_serial_never_twice() {
        let mut served = view(TWO);
        let mut announcer = Announcer::default();
        announcer.update(&served, at(0));
        announcer.copied(&name("lab.example"), "192.0.2.1".parse().unwrap(), 7);
        announcer.copied(&name("lab.example"), "192.0.2.2".parse().unwrap(), 7);
        announcer.update(&served, at(5));
        assert_eq!(announcer.next_due(), None);
        served.set_serials(|_| 8);
        announcer.update(&served, at(9));
        assert_eq!(announcer.next_due(), Some(at(9).elapsed));
        let without = view("[site]\nnameservers = [\"ns.elsewhere.test\"]\n[zone.\"lab.example\"]\n");
        announcer.update(&without, at(10));
        assert_eq!(announcer.next_due(), None, "who is no secondary any more is told nothing");
    }
}
