//! The options that a client asks for, in its order (option 55, RFC 2132, section 9.8).
//!
//! A nic's own options go before those of the classes that it is in, and these before its network's. When they do
//! not all fit, the fields `file` and `sname` take some of them (option overload, RFC 2132, section 9.3), and
//! those that a client can hardly do without are kept first; a reply is never longer than the client takes.

use std::borrow::Cow;

use super::boot::NextStage;
use super::classes;
use super::options::CodeSet;
use super::packet::{Kind, Message};
use super::write::{FieldRoom, Writer};
use crate::code;
use crate::view::{
    NetworkView, OptionBlock, Reservation, domain_text, encoded_len, find_option, push_option,
};

/// What there is to tell a client.
pub(super) struct Parameters<'v> {
    /// Its network.
    pub(super) network: &'v NetworkView,
    /// Its nic, if it is known.
    pub(super) nic: Option<Reservation<'v>>,
    /// Options of the classes that it is in.
    pub(super) classes: &'v [&'v OptionBlock],
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
/// Octets of the option that says that other fields hold options.
const OVERLOAD_OCTETS: usize = 3;

/// A place for options.
struct Area {
    room: usize,
    chosen: CodeSet,
    octets: Vec<u8>,
}

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
                let fields = if takes_overload(message) { writer.field_room() } else { FieldRoom::default() };
                return self.append_dearest(&[forced, asked].concat(), fields, writer);
            }
        }
        true
    }

    /// Appends as much as fits, the dearest first, also into these fields; returns whether that is all.
    #[cold]
    fn append_dearest(&self, asked: &[u8], fields: FieldRoom, writer: &mut Writer<'_, '_>) -> bool {
        let FieldRoom { file, sname } = fields;
        let overload = if file + sname > 0 { OVERLOAD_OCTETS } else { 0 };
        let mut areas = [writer.room().saturating_sub(overload), file, sname].map(|room| Area {
            room,
            chosen: CodeSet::default(),
            octets: Vec::new(),
        });
        let mut done = written_elsewhere();
        let (dear, other): (Vec<u8>, Vec<u8>) = asked.iter().partition(|code| DEAR.contains(code));
        let mut all = true;
        for code in dear.into_iter().chain(other) {
            if done.insert(code)
                && let Some(value) = self.value(code)
            {
                let octets = value.octets();
                match areas.iter_mut().find(|area| octets <= area.room) {
                    Some(area) => {
                        area.room -= octets;
                        area.chosen.insert(code);
                    }
                    None => all = false,
                }
            }
        }
        let mut done = written_elsewhere();
        for &code in asked {
            if done.insert(code)
                && let Some(area) = areas.iter_mut().find(|area| area.chosen.contains(code))
                && let Some(value) = self.value(code)
            {
                value.push(code, &mut area.octets);
            }
        }
        let [main, file, sname] = areas.map(|area| area.octets);
        writer.overload(&file, &sname);
        writer.encoded(&main);
        all
    }

    fn value(&self, code: u8) -> Option<Value<'_>> {
        let own = self.nic.as_ref().and_then(|nic| find_option(nic.options(), code));
        if let Some(own) = own {
            return Some(Value::Data(Cow::Borrowed(own)));
        }
        if let Some(written) = classes::find(self.classes, code) {
            return Some(Value::Encoded(written));
        }
        if let Some(nic) = &self.nic {
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

    fn push(&self, code: u8, out: &mut Vec<u8>) {
        match self {
            Value::Encoded(octets) => out.extend_from_slice(octets),
            Value::Data(data) => push_option(out, code, data),
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

/// Whether options in other fields will be found by the client: firmware reads the fields as they are.
fn takes_overload(message: &Message<'_>) -> bool {
    let class = message.options.get(code::VENDOR_CLASS);
    let is_firmware = |class: &[u8]| class.starts_with(b"PXEClient") || class.starts_with(b"HTTPClient");
    message.kind() != Kind::Bootp && !class.is_some_and(|class| is_firmware(&class))
}

/// Codes that are written without being asked for, and those that no reply has.
fn written_elsewhere() -> CodeSet {
    let mut codes = CodeSet::default();
    use code::{CLIENT_FQDN, CLIENT_ID, END, PAD, RELAY_AGENT, SUBNET_MASK, SUBNET_SELECTION};
    let own = [PAD, SUBNET_MASK, CLIENT_ID, CLIENT_FQDN, RELAY_AGENT, SUBNET_SELECTION, END];
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
