//! Messages to the DNS server: each is an answer, an error of the right code, or a counted drop.
//!
//! Replies are read back by hickory-proto, which shares no code with us.

use std::sync::LazyLock;

use dnsd::core::{self, HEADER_OCTETS, Outcome, QueryContext, Reason, Transport, UDP_PAYLOAD};
use dnsd::view::DnsView;
use hickory_proto::op::Message;

/// A site with a bit of everything that answers differ by.
static VIEW: LazyLock<DnsView> = LazyLock::new(|| {
    let files = [("site.toml", include_str!("site.toml"))];
    let snapshot = inventory_core::load_texts(&files).unwrap_or_else(|all| panic!("{all:#?}"));
    let mut view = DnsView::build(&snapshot);
    view.set_serials(|_| 7);
    view
});

/// Octets after the room that a reply is given; they must stay as they are.
const FENCE: [u8; 16] = [0xee; 16];

/// Checks what becomes of `message`.
///
/// # Panics
/// A promise is broken.
pub fn survive(message: &[u8]) {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Encrypted] {
        answer(message, transport, usize::from(u16::MAX));
        // Rooms of any size, chosen by octets that say nothing else.
        if let Some(&[high, low]) = message.first_chunk::<2>() {
            answer(message, transport, usize::from(u16::from_be_bytes([high & 7, low])));
        }
    }
}

/// What becomes of `message`, every promise checked.
///
/// # Panics
/// A promise is broken.
pub fn answer(message: &[u8], transport: Transport, room: usize) -> Outcome {
    let mut out = vec![0; room];
    out.extend_from_slice(&FENCE);
    let (reply, fence) = out.split_at_mut(room);
    let outcome = core::answer(&VIEW, message, QueryContext::anonymous(transport), reply);
    assert_eq!(fence, FENCE, "octets beyond the room");
    match outcome {
        Outcome::Dropped(reason) => assert_eq!(reason.rcode(), None, "{reason:?} has a response code"),
        Outcome::Answered { octets, truncated, .. } => check(message, &reply[..octets], transport, truncated),
        Outcome::Failed { octets, reason } => {
            check(message, &reply[..octets], transport, false);
            let code = reason.rcode().unwrap_or_else(|| panic!("a reply for {reason:?}"));
            assert_eq!(code_of(&reply[..octets]), code, "{reason:?}");
        }
    }
    assert!(message.len() >= HEADER_OCTETS || outcome == Outcome::Dropped(Reason::Short));
    outcome
}

/// Response code, with what the OPT record adds.
fn code_of(reply: &[u8]) -> u16 {
    Message::from_vec(reply).unwrap().metadata.response_code.into()
}

fn check(message: &[u8], reply: &[u8], transport: Transport, truncated: bool) {
    assert_eq!(reply.first_chunk::<2>(), message.first_chunk::<2>(), "the id");
    let (theirs, ours) =
        (u16::from_be_bytes([message[2], message[3]]), u16::from_be_bytes([reply[2], reply[3]]));
    assert_eq!(ours & 0x8000, 0x8000, "a response");
    assert_eq!(ours & 0x7900, theirs & 0x7900, "opcode and RD are given back");
    assert_eq!(ours & 0x00f0, 0, "RA, Z, AD and CD are clear");
    assert_eq!(ours & 0x0200 != 0, truncated, "TC");
    let read = Message::from_vec(reply).unwrap_or_else(|error| panic!("{error}: {reply:02x?}"));
    let limit = match (transport, Message::from_vec(message).ok().and_then(|query| query.edns)) {
        (Transport::Tcp | Transport::Encrypted, _) => u16::MAX,
        (Transport::Udp, Some(edns)) => edns.max_payload().clamp(512, UDP_PAYLOAD),
        // What hickory cannot read may have an OPT record all the same.
        (Transport::Udp, None) if Message::from_vec(message).is_ok() => 512,
        (Transport::Udp, None) => UDP_PAYLOAD,
    };
    assert!(reply.len() <= limit.into(), "{} octets, not {limit}", reply.len());
    assert!(read.queries.len() <= 1, "{} questions", read.queries.len());
    if !read.queries.is_empty() {
        let name = message[HEADER_OCTETS..].iter().zip(&reply[HEADER_OCTETS..]);
        let same = name.take_while(|(theirs, ours)| theirs == ours).count();
        assert!(same > 4, "the question is given back, in its case");
    }
}
