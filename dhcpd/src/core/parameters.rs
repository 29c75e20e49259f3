//! The options that a client asks for, in its order (option 55, RFC 2132, section 9.8).
//!
//! A nic's own options go before its network's. When they do not all fit, those that a client can
//! hardly do without are kept first; a reply is never longer than the client takes.

use std::borrow::Cow;

use super::boot::NextStage;
use super::options::CodeSet;
use super::packet::Message;
use super::write::Writer;
use crate::code;
use crate::view::{NetworkView, Reservation, domain_text, encoded_len, find_option};

/// What there is to tell a client.
pub(super) struct Parameters<'v> {
    /// Its network.
    pub(super) network: &'v NetworkView,
    /// Its nic, if it is known.
    pub(super) nic: Option<Reservation<'v>>,
    /// The next stage of its boot, if it boots.
    pub(super) next: Option<&'v NextStage>,
}

/// An option to be appended.
enum Value<'v> {
    Encoded(&'v [u8]),
    Data(Cow<'v, [u8]>),
}

/// Options that go first when there is little room: addressing, naming, booting.
const DEAR: [u8; 11] = [
    code::ROUTERS,
    code::DOMAIN_NAME_SERVERS,
    code::CLASSLESS_ROUTES,
    code::BOOT_FILE,
    code::TFTP_SERVER,
    code::VENDOR_CLASS,
    code::VENDOR_OPTIONS,
    code::HOST_NAME,
    code::DOMAIN_NAME,
    PXELINUX_CONFIG,
    code::TFTP_ADDRESS,
];
const PXELINUX_CONFIG: u8 = 209;

impl Parameters<'_> {
    /// Appends what the client of `message` asks for, or everything if it does not say. Returns whether
    /// all of it fitted.
    pub(super) fn append(&self, message: &Message<'_>, writer: &mut Writer<'_, '_>) -> bool {
        let asked = message.options.get(code::PARAMETER_REQUEST_LIST);
        let asked = asked.as_deref().unwrap_or(&ALL);
        let mark = writer.mark();
        let mut done = written_elsewhere();
        let forced = self.next.map_or(&[][..], |next| next.forced());
        for &code in forced.iter().chain(asked) {
            if done.insert(code) && self.value(code).is_some_and(|value| !value.append(code, writer)) {
                writer.rewind(mark);
                self.append_dearest(&[forced, asked].concat(), writer);
                return false;
            }
        }
        true
    }

    #[cold]
    fn append_dearest(&self, asked: &[u8], writer: &mut Writer<'_, '_>) {
        let mut room = writer.room();
        let mut chosen = CodeSet::default();
        let mut done = written_elsewhere();
        let (dear, other): (Vec<u8>, Vec<u8>) = asked.iter().partition(|code| DEAR.contains(code));
        for code in dear.into_iter().chain(other) {
            if done.insert(code)
                && let Some(value) = self.value(code)
                && let Some(left) = room.checked_sub(value.octets())
            {
                room = left;
                chosen.insert(code);
            }
        }
        let mut done = written_elsewhere();
        for &code in asked {
            if done.insert(code)
                && chosen.contains(code)
                && let Some(value) = self.value(code)
            {
                value.append(code, writer);
            }
        }
    }

    fn value(&self, code: u8) -> Option<Value<'_>> {
        if let Some(nic) = &self.nic {
            if let Some(own) = find_option(nic.options(), code) {
                return Some(Value::Data(Cow::Borrowed(own)));
            }
            if code == code::HOST_NAME {
                return (!nic.label().is_empty()).then(|| Value::Data(Cow::Borrowed(nic.label())));
            }
            if code == code::DOMAIN_NAME
                && !self.network.writes_domain
                && let Some(zone) = nic.other_zone()
            {
                return Some(Value::Data(Cow::Owned(domain_text(zone))));
            }
        }
        if let Some(written) = self.network.options.get(code) {
            return Some(Value::Encoded(written));
        }
        self.next.and_then(|next| next.option(code)).map(|data| Value::Data(Cow::Owned(data.into())))
    }
}

impl Value<'_> {
    fn octets(&self) -> usize {
        match self {
            Value::Encoded(octets) => octets.len(),
            Value::Data(data) => encoded_len(data.len()),
        }
    }

    #[inline]
    fn append(&self, code: u8, writer: &mut Writer<'_, '_>) -> bool {
        match self {
            Value::Encoded(octets) => writer.encoded(octets),
            Value::Data(data) => writer.option(code, data),
        }
    }
}

/// Codes that are written without being asked for, and those that no reply has.
fn written_elsewhere() -> CodeSet {
    let mut codes = CodeSet::default();
    let own =
        [code::PAD, code::SUBNET_MASK, code::CLIENT_ID, code::CLIENT_FQDN, code::RELAY_AGENT, code::END];
    for code in own {
        codes.insert(code);
    }
    for code in code::REQUESTED_ADDRESS..=code::REBINDING_TIME {
        codes.insert(code);
    }
    codes
}

/// Every option code, ascending.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const ALL: [u8; 254] = {
    let mut all = [0; 254];
    let mut code = 1;
    while code < 255 {
        all[code as usize - 1] = code;
        code += 1;
    }
    all
};
