//! The messages of an answer, each with its length before it (RFC 6926, section 6.1).

use std::net::Ipv4Addr;

use crate::code;
use crate::core::packet::FIXED_OCTETS;
use crate::view::push_option;

/// Types of messages (option 53).
const UNASSIGNED: u8 = 11;
const ACTIVE: u8 = 13;
const DONE: u8 = 15;

/// How a query has ended (RFC 6926, section 6.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All was told.
    Success = 0,
    /// Not all was told.
    Terminated = 2,
    /// It makes no sense.
    Malformed = 3,
    /// Whoever asks may not.
    NotAllowed = 4,
}

/// What an address is (RFC 6926, section 6.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody has or had it.
    Available = 1,
    /// Somebody has it.
    Active = 2,
    /// The lease has run out.
    Expired = 3,
    /// The client gave it back, or an edit took it away.
    Released = 4,
    /// Somebody uses it without a lease.
    Abandoned = 5,
}

/// What is told of one address.
#[derive(Debug)]
pub(super) struct Told<'l> {
    pub(super) address: Ipv4Addr,
    pub(super) state: State,
    /// Type and octets of the hardware address.
    pub(super) hardware: Option<(u8, &'l [u8])>,
    pub(super) client_id: Option<&'l [u8]>,
    /// For how many seconds the client has it.
    pub(super) seconds: u32,
    /// Seconds since the client's last message, or since the state began if nobody has it.
    pub(super) age: Option<u32>,
    /// Information of the relay agent, whole.
    pub(super) agent: Option<&'l [u8]>,
}

/// Appends a message about an address. `base` is the time here, in seconds since 1970.
pub(super) fn push(out: &mut Vec<u8>, xid: u32, server: Ipv4Addr, base: u32, told: &Told<'_>) {
    let is_active = told.state == State::Active;
    framed(out, |out| {
        fixed(out, xid, told.address, told.hardware);
        let mut option = |code: u8, data: &[u8]| push_option(out, code, data);
        option(code::MESSAGE_TYPE, &[if is_active { ACTIVE } else { UNASSIGNED }]);
        option(code::SERVER_ID, &server.octets());
        option(code::BASE_TIME, &base.to_be_bytes());
        option(code::DHCP_STATE, &[told.state as u8]);
        if is_active {
            option(code::LEASE_TIME, &told.seconds.to_be_bytes());
        }
        if let Some(age) = told.age {
            let code = if is_active { code::CLIENT_LAST_TRANSACTION_TIME } else { code::START_TIME_OF_STATE };
            option(code, &age.to_be_bytes());
        }
        for (code, data) in [(code::CLIENT_ID, told.client_id), (code::RELAY_AGENT, told.agent)] {
            if let Some(data) = data {
                option(code, data);
            }
        }
        out.push(code::END);
    });
}

/// Appends the last message of an answer.
pub fn done(out: &mut Vec<u8>, xid: u32, status: Status) {
    framed(out, |out| {
        fixed(out, xid, Ipv4Addr::UNSPECIFIED, None);
        push_option(out, code::MESSAGE_TYPE, &[DONE]);
        if status != Status::Success {
            push_option(out, code::STATUS_CODE, &[status as u8]);
        }
        out.push(code::END);
    });
}

/// Appends what `write` appends, with its length before it.
fn framed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0, 0]);
    write(out);
    // The fixed fields and options of a few hundred octets.
    let octets = u16::try_from(out.len() - start - 2).unwrap_or(u16::MAX);
    if let Some(field) = out.get_mut(start..start + 2) {
        field.copy_from_slice(&octets.to_be_bytes());
    }
}

fn fixed(out: &mut Vec<u8>, xid: u32, ciaddr: Ipv4Addr, hardware: Option<(u8, &[u8])>) {
    let start = out.len();
    let (htype, address) = hardware.filter(|(_, address)| address.len() <= 16).unwrap_or((0, &[]));
    out.extend_from_slice(&[2, htype, u8::try_from(address.len()).unwrap_or(0), 0]);
    out.extend_from_slice(&xid.to_be_bytes());
    out.extend_from_slice(&[0; 4]); // secs, flags
    out.extend_from_slice(&ciaddr.octets());
    out.extend_from_slice(&[0; 12]); // yiaddr, siaddr, giaddr
    out.extend_from_slice(address);
    out.resize(start + FIXED_OCTETS - 4, 0);
    out.extend_from_slice(&[99, 130, 83, 99]);
}
