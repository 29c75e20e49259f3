//! Every capture, every mutilation of one, and everything that fuzzing left is survived.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is the finding")]

use std::fs;
use std::path::Path;

use dnsd::core::{Outcome, Reason, Transport, rcode};
use fuzz::{captures, master, query};

/// Room for any reply.
const ROOM: usize = 65_535;

/// Calls `survive` with every file of a corpus; returns how many there are.
fn replay(corpus: &str, survive: fn(&[u8])) -> usize {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(corpus);
    let mut count = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let octets = fs::read(&path).unwrap();
        // The name of the input is what matters when it breaks a promise.
        if std::panic::catch_unwind(|| survive(&octets)).is_err() {
            panic!("{} breaks a promise: see above", path.display());
        }
        count += 1;
    }
    count
}

#[test]
fn every_input_that_fuzzing_found_for_queries_is_survived() {
    let count = replay("dns-query", query::survive);
    assert!(count > 100, "only {count}");
}

#[test]
fn every_input_that_fuzzing_found_for_master_files_is_survived() {
    let count = replay("dns-master", master::survive);
    assert!(count > 100, "only {count}");
}

#[test]
fn captured_queries_are_answered_and_odd_ones_are_errors_or_counted_drops() {
    let (mut answered, mut failed, mut dropped) = (0, 0, 0);
    for capture in captures::dns_queries() {
        for transport in [Transport::Udp, Transport::Tcp, Transport::Encrypted] {
            match query::answer(&capture.octets, transport, ROOM) {
                Outcome::Answered { .. } => answered += 1,
                Outcome::Failed { .. } => failed += 1,
                Outcome::Dropped(_) => dropped += 1,
            }
        }
    }
    assert!(answered > 150 && failed > 80 && dropped > 2, "{answered} {failed} {dropped}");
}

/// Whether a message that was cut short may come to this: what is not answered by its opcode alone is a format
/// error, and a response stays one.
fn is_told(whole: Outcome, cut: Outcome) -> bool {
    match cut {
        Outcome::Dropped(Reason::Short | Reason::Response) => true,
        Outcome::Failed { reason, .. } if reason.rcode() == Some(rcode::FORMERR) => true,
        Outcome::Failed { reason: Reason::Opcode, .. } => {
            matches!(whole, Outcome::Failed { reason: Reason::Opcode, .. })
        }
        _ => false,
    }
}

#[test]
fn captured_queries_cut_at_any_octet_are_format_errors_or_counted_drops() {
    for capture in captures::dns_queries() {
        let whole = query::answer(&capture.octets, Transport::Udp, ROOM);
        // An odd one may have a whole query in front.
        let odd = capture.what.starts_with("odd: ");
        for length in 0..capture.octets.len() {
            let cut = query::answer(&capture.octets[..length], Transport::Udp, ROOM);
            assert!(odd || is_told(whole, cut), "{} cut to {length} octets: {cut:?}", capture.what);
        }
    }
}

#[test]
fn captured_queries_with_any_octet_or_any_bit_flipped_are_survived() {
    for capture in captures::dns_queries() {
        let mut octets = capture.octets;
        for at in 0..octets.len() {
            let before = octets[at];
            for flip in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
                octets[at] = before ^ flip;
                for transport in [Transport::Udp, Transport::Tcp, Transport::Encrypted] {
                    query::answer(&octets, transport, ROOM);
                }
            }
            octets[at] = before;
        }
    }
}
