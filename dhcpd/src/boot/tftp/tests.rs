//! Whole transfers against a client of our own, over a link that loses, doubles and delays.

#![expect(clippy::cast_possible_truncation, reason = "numbers on the wire go round")]

use std::collections::BTreeMap;

use super::{End, FromClient, Send, Terms, Transfer};

/// A client as RFC 7440 describes it; with a window of 1 that is RFC 1350's.
struct Client {
    block_octets: usize,
    window: u64,
    got: Vec<u8>,
    blocks: u64,
    since_ack: u64,
    /// A gap was told of and not filled since.
    gap: bool,
    done: bool,
    /// Acknowledgements sent.
    acks: u64,
}

impl Client {
    fn new(terms: &Terms) -> Client {
        Client {
            block_octets: terms.block_octets.into(),
            window: terms.window.into(),
            got: Vec::new(),
            blocks: 0,
            since_ack: 0,
            gap: false,
            done: false,
            acks: 0,
        }
    }

    /// Takes a block; the acknowledgement, if there is one.
    fn block(&mut self, number: u16, data: &[u8]) -> Option<u16> {
        let expected = (self.blocks + 1) as u16;
        if self.done || number != expected {
            // A gap, or an old block: say what has come, once.
            self.since_ack = 0;
            return if std::mem::replace(&mut self.gap, true) && !self.done { None } else { self.ack() };
        }
        self.gap = false;
        self.got.extend_from_slice(data);
        self.blocks += 1;
        self.since_ack += 1;
        self.done = data.len() < self.block_octets;
        if self.done || self.since_ack >= self.window {
            self.since_ack = 0;
            return self.ack();
        }
        None
    }

    fn ack(&mut self) -> Option<u16> {
        self.acks += 1;
        Some(self.blocks as u16)
    }
}

enum Packet {
    Down(Send),
    Up(FromClient),
}

/// A link with a queue in virtual time.
struct Link {
    queue: BTreeMap<(u64, u64), Packet>,
    counter: u64,
    seed: u64,
    loss_percent: u64,
    copies_percent: u64,
    jitter_ms: u64,
}

impl Link {
    fn random(&mut self, below: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % below
    }

    fn send(&mut self, now: u64, make: impl Fn() -> Packet) {
        let copies = if self.random(100) < self.copies_percent { 2 } else { 1 };
        for _ in 0..copies {
            if self.random(100) >= self.loss_percent {
                self.counter += 1;
                let at = now + 1 + self.random(self.jitter_ms + 1);
                self.queue.insert((at, self.counter), make());
            }
        }
    }
}

struct Run {
    end: Option<End>,
    got: Vec<u8>,
    sent: u64,
    finished_ms: u64,
}

/// Transfers `file`; the client sends its acknowledgement again when nothing came for a while.
fn run(file: &[u8], options: &[(&str, &str)], mut link: Link) -> Run {
    let terms = Terms::new(options.iter().copied(), file.len() as u64, 1500, false);
    let (mut server, mut client) = (Transfer::new(terms, file.len() as u64), Client::new(&terms));
    let (mut now, mut sent, mut out, mut heard) = (0, 0, Vec::new(), 0);
    server.start(now, &mut out);
    while server.end().is_none() {
        for send in out.drain(..) {
            sent += 1;
            link.send(now, || Packet::Down(send));
        }
        let next = link.queue.first_key_value().map_or(u64::MAX, |((at, _), _)| *at);
        let patience = if client.done { u64::MAX } else { heard + 1_500 };
        now = next.min(server.deadline_ms()).min(patience);
        if now == next {
            let answer = match link.queue.pop_first().unwrap().1 {
                Packet::Up(packet) => {
                    server.packet(packet, now, &mut out);
                    None
                }
                Packet::Down(Send::Answer) => (client.blocks == 0).then(|| client.ack()).flatten(),
                Packet::Down(Send::Block { number, offset, octets }) => {
                    let from = usize::try_from(offset).unwrap();
                    client.block(number, &file[from..from + octets])
                }
            };
            heard = now;
            if let Some(number) = answer {
                link.send(now, || Packet::Up(FromClient::Ack(number)));
            }
        } else if now == patience {
            heard = now;
            let number = client.ack().unwrap();
            link.send(now, || Packet::Up(FromClient::Ack(number)));
        } else {
            server.time(now, &mut out);
        }
    }
    Run { end: server.end(), got: client.got, sent, finished_ms: now }
}

fn perfect() -> Link {
    lossy(1, 0, 0, 0)
}

fn lossy(seed: u64, loss_percent: u64, copies_percent: u64, jitter_ms: u64) -> Link {
    Link { queue: BTreeMap::new(), counter: 0, seed, loss_percent, copies_percent, jitter_ms }
}

fn file(octets: usize) -> Vec<u8> {
    (0..octets).map(|at| (at / 7 % 251) as u8).collect()
}

const WINDOWED: [(&str, &str); 3] = [("blksize", "1468"), ("windowsize", "16"), ("tsize", "0")];

#[test]
fn files_of_every_length_around_a_block_arrive_whole() {
    for octets in [0, 1, 511, 512, 513, 1023, 1024, 1025, 5120] {
        for options in [&[][..], &[("blksize", "512")], &[("blksize", "512"), ("windowsize", "4")]] {
            let run = run(&file(octets), options, perfect());
            assert_eq!(run.end, Some(End::Complete), "{octets} {options:?}");
            assert_eq!(run.got, file(octets), "{octets} {options:?}");
        }
    }
}

#[test]
fn on_a_perfect_link_every_block_is_sent_once() {
    let octets = 100 * 1468 + 5;
    for options in [&[("blksize", "1468")][..], &WINDOWED] {
        let run = run(&file(octets), options, perfect());
        assert_eq!(run.sent, 1 + 101, "the OACK and 101 blocks");
    }
}

#[test]
fn numbers_of_blocks_go_round_after_65535() {
    // 8 octets a block: 140,000 blocks go round twice.
    let octets = 8 * 140_000 + 3;
    for options in [&[("blksize", "8")][..], &[("blksize", "8"), ("windowsize", "32")]] {
        let run = run(&file(octets), options, perfect());
        assert_eq!((run.end, run.got.len()), (Some(End::Complete), octets));
        assert!(run.got == file(octets));
    }
}

#[test]
fn a_tenth_of_all_packets_lost_and_a_tenth_doubled_spoil_nothing() {
    for seed in 1..200 {
        for options in [&[("blksize", "1024")][..], &WINDOWED] {
            let octets = 60_000 + usize::try_from(seed).unwrap();
            // With and without overtaking on the way.
            for jitter_ms in [0, 3] {
                let run = run(&file(octets), options, lossy(seed, 10, 10, jitter_ms));
                // The last acknowledgement may be lost seven times: then all has arrived nevertheless.
                assert_ne!(run.end, Some(End::Aborted(0)), "seed {seed} {options:?}");
                assert!(run.got == file(octets), "seed {seed} {options:?}");
                // Lost packets cost repetitions, but the transfer does not multiply itself.
                let blocks = octets as u64 / 1024 + 2;
                let bound = if jitter_ms == 0 { 8 } else { 20 };
                assert!(run.sent < blocks * bound, "seed {seed}: {} packets for {blocks} blocks", run.sent);
            }
        }
    }
}

#[test]
fn doubled_acknowledgements_do_not_double_the_blocks() {
    // RFC 1123, section 4.2.3.1: with every packet doubled once, an apprentice would send all twice.
    let mut link = perfect();
    link.copies_percent = 100;
    let octets = 200 * 512;
    let run = run(&file(octets), &[], link);
    assert_eq!((run.end, run.sent), (Some(End::Complete), 201));
}

#[test]
fn a_client_that_aborts_the_size_probe_ends_the_transfer_at_once() {
    let terms = Terms::new([("tsize", "0")], 1_000, 1500, false);
    let (mut transfer, mut out) = (Transfer::new(terms, 1_000), Vec::new());
    transfer.start(5, &mut out);
    assert_eq!(out, [Send::Answer]);
    out.clear();
    transfer.packet(FromClient::Error(8), 6, &mut out);
    assert_eq!(transfer.end(), Some(End::Aborted(8)));
    transfer.time(1_000_000, &mut out);
    transfer.packet(FromClient::Ack(0), 1_000_000, &mut out);
    assert_eq!(out, []);
}

#[test]
fn whoever_does_not_answer_gets_seven_single_packets_and_no_more() {
    for options in [&[][..], &WINDOWED] {
        let run = run(&file(1_000_000), options, lossy(1, 100, 0, 0));
        assert_eq!((run.end, run.sent), (Some(End::Silent), 7), "{options:?}");
        assert_eq!(run.finished_ms, 1_000 + 2_000 + 4_000 + 4 * 8_000);
    }
}

#[test]
fn a_wait_that_the_client_asks_for_grows_only_late() {
    let run = run(&file(1_000), &[("timeout", "2")], lossy(1, 100, 0, 0));
    assert_eq!((run.end, run.finished_ms), (Some(End::Silent), 4 * 2_000 + 4_000 + 2 * 8_000));
}

#[test]
fn a_client_that_passes_over_repeated_blocks_has_time_to_repeat_itself() {
    // atftp after its acknowledgement was lost: it sends it again when nothing has come for 5 seconds.
    let terms = Terms::new([("timeout", "1")], 10_000, 1500, false);
    let (mut transfer, mut out) = (Transfer::new(terms, 10_000), Vec::new());
    transfer.start(0, &mut out);
    transfer.packet(FromClient::Ack(0), 1, &mut out);
    let mut now = 1;
    while transfer.deadline_ms() - now < 5_000 {
        now = transfer.deadline_ms();
        transfer.time(now, &mut out);
        assert_eq!(transfer.end(), None);
    }
    out.clear();
    transfer.packet(FromClient::Ack(1), now + 5_000, &mut out);
    assert_eq!(out, [Send::Block { number: 2, offset: 512, octets: 512 }]);
}

#[test]
fn acknowledgements_of_blocks_that_were_never_sent_are_passed_over() {
    let terms = Terms::new([], 10_000, 1500, false);
    let (mut transfer, mut out) = (Transfer::new(terms, 10_000), Vec::new());
    transfer.start(0, &mut out);
    out.clear();
    for number in [2, 3, 1000, 65_535] {
        transfer.packet(FromClient::Ack(number), 1, &mut out);
    }
    transfer.packet(FromClient::Other, 1, &mut out);
    assert_eq!((out.len(), transfer.octets_arrived()), (0, 0));
    transfer.packet(FromClient::Ack(1), 1, &mut out);
    assert_eq!(out, [Send::Block { number: 2, offset: 512, octets: 512 }]);
}

#[test]
fn an_acknowledgement_in_the_middle_of_a_window_brings_the_rest_again() {
    let terms = Terms::new([("windowsize", "4")], 10_000, 1500, false);
    let (mut transfer, mut out) = (Transfer::new(terms, 10_000), Vec::new());
    transfer.start(0, &mut out);
    transfer.packet(FromClient::Ack(0), 1, &mut out);
    out.clear();
    transfer.packet(FromClient::Ack(2), 2, &mut out);
    let numbers: Vec<u16> = out
        .iter()
        .filter_map(|send| match send {
            Send::Block { number, .. } => Some(*number),
            Send::Answer => None,
        })
        .collect();
    assert_eq!(numbers, [3, 4, 5, 6]);
}
