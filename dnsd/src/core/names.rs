//! Names that a reply has so far, for pointers to them (RFC 1035, section 4.1.4).

use crate::view::Labels;

use super::message::{QUESTION_NAME, pointer_to};

/// Most places that are remembered. What comes later is written in full: a longer message, no wrong one.
const PLACES: usize = 64;

/// Which names a pointer may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// One that is the same in every octet: names in data are given out as they are written.
    Exact,
    /// One in any case: owner names are given back as the question has them (RFC 4343, section 4.1).
    Any,
}

/// Where labels start that a pointer may point to.
pub(super) struct NameTable {
    places: [u16; PLACES],
    count: usize,
    knows_question: bool,
}

impl Default for NameTable {
    #[inline]
    fn default() -> NameTable {
        NameTable { places: [0; PLACES], count: 0, knows_question: false }
    }
}

impl NameTable {
    /// Remembers the labels of the question's name, once.
    pub(super) fn learn_question(&mut self, name: &Labels) {
        if !self.knows_question {
            self.knows_question = true;
            let octets = name.as_wire();
            self.learn(octets.get(..octets.len() - 1).unwrap_or(&[]), QUESTION_NAME.into());
        }
    }

    /// Remembers `labels`, written at `start`.
    pub(super) fn learn(&mut self, labels: &[u8], start: usize) {
        let mut at = start;
        for label in crate::view::labels_of(labels) {
            let (Some(offset), Some(place)) = (pointer_to(at), self.places.get_mut(self.count)) else {
                return;
            };
            *place = offset;
            self.count += 1;
            at += label.len() + 1;
        }
    }

    /// Forgets what was written at `end` or later.
    #[inline]
    pub(super) fn forget_from(&mut self, end: usize) {
        while let Some(last) = self.count.checked_sub(1) {
            if self.places.get(last).is_some_and(|place| usize::from(*place) < end) {
                break;
            }
            self.count = last;
        }
    }

    /// The labels of `wire` to write, and what to point to after them. `name` is the same in lower case,
    /// `message` what is written.
    pub(super) fn shorten<'n>(
        &self,
        wire: &'n [u8],
        name: &Labels,
        case: Case,
        message: &[u8],
    ) -> (&'n [u8], Option<u16>) {
        let places = self.places.get(..self.count).unwrap_or(&[]);
        for depth in (1..=name.count()).rev() {
            let Some((labels, suffix)) = wire.split_at_checked(name.offset(depth)) else { break };
            if let Some(place) = places.iter().find(|place| is_at(suffix, case, (**place).into(), message)) {
                return (labels, Some(*place));
            }
        }
        (wire.get(..name.offset(0)).unwrap_or(&[]), None)
    }
}

/// Whether the name at `at` of `message` is `name`. Pointers that were written there lead
/// backwards, so that this ends.
fn is_at(mut name: &[u8], case: Case, mut at: usize, message: &[u8]) -> bool {
    loop {
        let (Some(length), Some(ours)) = (message.get(at), name.first()) else { return false };
        if *length >= 0xc0 {
            let Some(low) = message.get(at + 1) else { return false };
            let target = usize::from(u16::from_be_bytes([length & 0x3f, *low]));
            if target >= at {
                return false;
            }
            at = target;
            continue;
        }
        if length != ours {
            return false;
        }
        let octets = usize::from(*length) + 1;
        let (Some(theirs), Some((label, rest))) =
            (message.get(at..at + octets), name.split_at_checked(octets))
        else {
            return false;
        };
        if theirs != label && (case == Case::Exact || !theirs.eq_ignore_ascii_case(label)) {
            return false;
        }
        if octets == 1 {
            return true;
        }
        (name, at) = (rest, at + octets);
    }
}
