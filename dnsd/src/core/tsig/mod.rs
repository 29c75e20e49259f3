//! Transaction signatures (TSIG, RFC 8945): who asks is known by a shared secret.
//!
//! [`Signature`] reads the record at the end of a message, [`Keyring::open`] judges it, and the
//! [`Session`] that comes of it signs the replies: a single one, or all messages of a transfer, each of
//! which covers the one before it. Time is an argument.
//!
//! Not taken are truncated signatures, which nobody sends, and algorithms below SHA-256.

mod keyring;
mod record;
#[cfg(test)]
mod tests;

pub use keyring::{Keyring, SharedKey};
pub use record::Signature;

use std::sync::Arc;

use ring::hmac;

use super::query::HEADER_OCTETS;
use super::reason::Reason;
use super::serial::UnixSeconds;

/// Seconds that the clocks of both sides may differ (RFC 8945, section 10).
const FUDGE: u16 = 300;
/// Octets of the largest signature that is made.
const MAC_OCTETS_MAX: usize = 64;

/// Error codes within a signature (RFC 8945, section 3).
mod code {
    pub(super) const BADSIG: u16 = 16;
    pub(super) const BADKEY: u16 = 17;
    pub(super) const BADTIME: u16 = 18;
    pub(super) const BADTRUNC: u16 = 22;
}

/// Signs what is said in one exchange.
#[derive(Clone, Debug)]
pub struct Session {
    key: Arc<SharedKey>,
    /// The signature that the next one covers.
    before: Vec<u8>,
    /// Whether the next message is the first that is signed: later ones cover less.
    first: bool,
}

/// A signature that does not hold, and what is said about it.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    code: u16,
    /// Signs the reply, where the key is known and the client knows it too.
    session: Option<Session>,
}

impl Keyring {
    /// Judges the signature of `message`; the session signs what is answered.
    ///
    /// # Errors
    /// It does not hold (RFC 8945, section 5.2): see [`Refused::sign`].
    pub fn open(
        &self,
        message: &[u8],
        signature: &Signature<'_>,
        now: UnixSeconds,
    ) -> Result<Session, Refused> {
        let refused = |reason, code| Refused { reason, code, session: None };
        let key = self.find(signature.key.as_wire(), signature.algorithm);
        let key = key.ok_or_else(|| refused(Reason::Signature, code::BADKEY))?;
        if signature.mac.len() < key.mac_octets() {
            return Err(refused(Reason::SignatureWrong, code::BADTRUNC));
        }
        if !key.holds(message, signature, None) {
            return Err(refused(Reason::SignatureWrong, code::BADSIG));
        }
        let session = Session { key, before: signature.mac.to_vec(), first: true };
        if now.0.abs_diff(signature.time) > signature.fudge.into() {
            let reason = Reason::SignatureTime;
            return Err(Refused { reason, code: code::BADTIME, session: Some(session) });
        }
        Ok(session)
    }
}

impl Session {
    /// Signs a message of ours that starts an exchange, in `out` up to `at`. Returns its octets then,
    /// and the session that the answer belongs to.
    pub fn start(
        key: &Arc<SharedKey>,
        out: &mut [u8],
        at: usize,
        now: UnixSeconds,
    ) -> Option<(usize, Session)> {
        let mut session = Session { key: Arc::clone(key), before: Vec::new(), first: true };
        let octets = session.sign(out, at, now)?;
        Some((octets, session))
    }

    /// Whether `message` is the signed answer to what started this session.
    pub fn is_answered_by(&self, message: &[u8], signature: &Signature<'_>, now: UnixSeconds) -> bool {
        signature.key.as_wire() == self.key.name.as_wire()
            && self.key.holds(message, signature, Some(&self.before))
            && now.0.abs_diff(signature.time) <= signature.fudge.into()
    }

    /// Name of the key.
    pub fn key(&self) -> &inventory_core::name::Name {
        &self.key.name
    }

    /// Octets that a signature takes in a message.
    pub fn octets(&self) -> usize {
        record::octets(&self.key, self.key.mac_octets(), 0)
    }

    /// Signs the message in `out` up to `at`; returns its octets then. `None` if there is no room.
    pub fn sign(&mut self, out: &mut [u8], at: usize, now: UnixSeconds) -> Option<usize> {
        let stamp = record::Stamp { time: now.0, fudge: FUDGE, error: 0, other: &[] };
        let mac = self.mac(out.get(..at)?, &stamp);
        let end = record::append(&self.key, mac.as_ref(), &stamp, out, at)?;
        self.before = mac.as_ref().to_vec();
        self.first = false;
        Some(end)
    }

    /// The signature of `message`: over the one before it, then the message, then when and by what, of
    /// which later messages of a transfer cover only the time (RFC 8945, section 5.3.1).
    fn mac(&self, message: &[u8], stamp: &record::Stamp<'_>) -> hmac::Tag {
        let mut mac = hmac::Context::with_key(&self.key.hmac);
        record::cover_before(&mut mac, &self.before);
        mac.update(message);
        if self.first {
            record::cover_variables(&mut mac, &self.key, stamp);
        } else {
            record::cover_timers(&mut mac, stamp);
        }
        mac.sign()
    }
}

impl Refused {
    /// Appends to the error reply in `out` up to `at` the record that says what was wrong. A wrong time
    /// is said under a signature, with ours (RFC 8945, section 5.2.3).
    pub fn sign(
        self,
        signature: &Signature<'_>,
        out: &mut [u8],
        at: usize,
        now: UnixSeconds,
    ) -> Option<usize> {
        let Some(session) = self.session else {
            return record::append_unsigned(signature, self.code, out, at);
        };
        let [_, _, ours @ ..] = now.0.to_be_bytes();
        let stamp =
            record::Stamp { time: signature.time, fudge: signature.fudge, error: self.code, other: &ours };
        let mac = session.mac(out.get(..at)?, &stamp);
        record::append(&session.key, mac.as_ref(), &stamp, out, at)
    }
}

/// Counts one more additional record in the header of `message`.
fn count_record(message: &mut [u8]) -> Option<()> {
    let count = message.get_mut(HEADER_OCTETS - 2..HEADER_OCTETS)?.first_chunk_mut::<2>()?;
    *count = u16::from_be_bytes(*count).checked_add(1)?.to_be_bytes();
    Some(())
}
