//! What is counted.

use std::sync::{Arc, Mutex};

use daemon::metrics::{Computed, Counters, Histograms, Observer, Registry, SharedTally, Tally};
use serde_json::{Value, json};

use super::by_zone::{ZoneCounters, ZoneTally};
use super::forward::Forwarded;
use super::status::lock;
use crate::core::update::Verdict;
use crate::core::{Answer, Asked, Kind, Outcome, Reason, rcode};
use crate::view::DnsView;

daemon::counted_reasons! {
    /// What happens to datagrams and connections around the answering.
    pub enum Traffic {
        /// Datagrams received.
        UdpReceived => "udp-received",
        /// Datagrams sent.
        UdpSent => "udp-sent",
        /// Datagrams that the kernel would not send.
        UdpUnsent => "udp-unsent",
        /// Datagrams that the kernel threw away, because they came faster than they were read.
        UdpOverflow => "udp-overflow",
        /// Replies that said less than they should for want of room.
        Truncated => "truncated",
        /// Connections accepted.
        TcpAccepted => "tcp-accepted",
        /// Connections sent away, because there were too many.
        TcpRefused => "tcp-refused",
        /// Messages received over connections that are not encrypted.
        TcpReceived => "tcp-received",
        /// Messages received by TLS.
        TlsReceived => "tls-received",
        /// Messages received by HTTPS.
        HttpsReceived => "https-received",
        /// Messages received by QUIC.
        QuicReceived => "quic-received",
        /// Encrypted connections that did not come about.
        HandshakeFailed => "handshake-failed",
        /// Requests by HTTPS that have no query (RFC 8484, section 4.1).
        HttpsInvalid => "https-invalid",
        /// Connections by QUIC that broke its rules for queries (RFC 9250, section 4.3.3).
        QuicInvalid => "quic-invalid",
        /// Connections closed, because nothing came for too long.
        TcpIdle => "tcp-idle",
        /// Connections closed, because the client did not read its answers.
        TcpSlowReader => "tcp-slow-reader",
        /// Connections closed, because a message was longer than any query.
        TcpTooLong => "tcp-too-long",
        /// Zones that were copied as a whole.
        TransferWhole => "transfer-whole",
        /// Zones of which what changed was copied.
        TransferChanges => "transfer-changes",
        /// Secondaries that asked for changes and had all.
        TransferUpToDate => "transfer-up-to-date",
        /// Transfers that did not come to their end.
        TransferFailed => "transfer-failed",
    }
}

daemon::counted_reasons! {
    /// What carries messages.
    pub(super) enum Carrier {
        /// Datagrams.
        Udp => "udp",
        /// Connections that are not encrypted.
        Tcp => "tcp",
        /// TLS.
        Tls => "tls",
        /// HTTPS.
        Https => "https",
        /// QUIC.
        Quic => "quic",
    }
}

/// All counters of the daemon.
#[derive(Debug)]
pub struct DnsCounters {
    answers: Arc<Counters<Answer>>,
    failures: Arc<Counters<Reason>>,
    traffic: Arc<Counters<Traffic>>,
    updates: Arc<Counters<Verdict>>,
    forwarded: Arc<Counters<Forwarded>>,
    latencies: Arc<Histograms<Carrier>>,
    kinds: Arc<Counters<Kind>>,
    pub(super) zones: Arc<ZoneCounters>,
}

/// What one worker counts into; nobody else does.
pub(super) struct WorkerTally {
    answers: Tally<Answer>,
    failures: Tally<Reason>,
    kinds: Tally<Kind>,
    pub(super) zones: ZoneTally,
    pub(super) traffic: Tally<Traffic>,
    pub(super) latencies: Observer<Carrier>,
}

/// What connections count into.
#[derive(Clone)]
pub(super) struct ConnectionTally {
    answers: SharedTally<Answer>,
    failures: SharedTally<Reason>,
    kinds: SharedTally<Kind>,
    zones: Arc<Mutex<ZoneTally>>,
    pub(super) traffic: SharedTally<Traffic>,
    pub(super) latencies: Observer<Carrier>,
}

impl DnsCounters {
    pub(super) fn new(registry: &mut Registry) -> DnsCounters {
        let counters = DnsCounters {
            answers: Counters::new("hostbook_dnsd_answers", "Questions answered, by what was said", "answer"),
            failures: Counters::new(
                "hostbook_dnsd_failures",
                "Messages that got an error or were dropped, by reason",
                "reason",
            ),
            traffic: Counters::new("hostbook_dnsd_traffic", "Datagrams and connections", "event"),
            updates: Counters::new(
                "hostbook_dnsd_updates",
                "Signed updates of names of leases, by what became of them",
                "verdict",
            ),
            forwarded: Counters::new(
                "hostbook_dnsd_forwarded",
                "Questions looked up elsewhere, by what became of them",
                "outcome",
            ),
            latencies: Histograms::new(
                "hostbook_dnsd_latency_seconds",
                "From when a message was read until its reply was sent, or handed to who sends it",
                "transport",
            ),
            kinds: Counters::new(
                "hostbook_dnsd_questions",
                "Questions, by the type of records asked for",
                "type",
            ),
            zones: Arc::default(),
        };
        counters.latencies.register(registry);
        counters.answers.register(registry);
        counters.failures.register(registry);
        counters.traffic.register(registry);
        counters.updates.register(registry);
        counters.forwarded.register(registry);
        counters.kinds.register(registry);
        counters.zones.register(registry);
        let (answers, failures) = (Arc::clone(&counters.answers), Arc::clone(&counters.failures));
        let (name, help) = ("hostbook_dnsd_responses", "Responses of our own to questions, by response code");
        Computed::register(registry, name, help, ["rcode"], move || by_rcode(&answers, &failures));
        counters
    }

    pub(super) fn worker(&self) -> WorkerTally {
        WorkerTally {
            answers: self.answers.tally(),
            failures: self.failures.tally(),
            kinds: self.kinds.tally(),
            zones: self.zones.tally(),
            traffic: self.traffic.tally(),
            latencies: self.latencies.observer(),
        }
    }

    pub(super) fn updates(&self) -> SharedTally<Verdict> {
        self.updates.shared_tally()
    }

    pub(super) fn forwarded(&self) -> SharedTally<Forwarded> {
        self.forwarded.shared_tally()
    }

    pub(super) fn connections(&self) -> ConnectionTally {
        ConnectionTally {
            answers: self.answers.shared_tally(),
            failures: self.failures.shared_tally(),
            kinds: self.kinds.shared_tally(),
            zones: Arc::new(Mutex::new(self.zones.tally())),
            traffic: self.traffic.shared_tally(),
            latencies: self.latencies.observer(),
        }
    }

    /// All that are not zero, for status.
    pub fn to_json(&self) -> Value {
        json!({
            "answers": self.answers.to_json(),
            "failures": self.failures.to_json(),
            "types": self.kinds.to_json(),
            "traffic": self.traffic.to_json(),
            "updates": self.updates.to_json(),
            "forwarded": self.forwarded.to_json(),
            "latencies": self.latencies.to_json(),
        })
    }
}

impl WorkerTally {
    /// Counts what became of a message. `view` was followed by the zones' tally.
    #[inline]
    pub(super) fn count(&self, view: &DnsView, asked: &Asked, outcome: Outcome) {
        if let Some(question) = asked.question() {
            self.kinds.count(Kind::of(question.qtype));
            if let Some(zone) = asked.zone(view) {
                self.zones.count(zone, outcome);
            }
        }
        match outcome {
            Outcome::Answered { answer, truncated, .. } => {
                self.answers.count(answer);
                if truncated {
                    self.traffic.count(Traffic::Truncated);
                }
            }
            Outcome::Failed { reason, .. } | Outcome::Dropped(reason) => self.failures.count(reason),
        }
    }
}

impl ConnectionTally {
    /// The same.
    pub(super) fn count(&self, view: &DnsView, asked: &Asked, outcome: Outcome) {
        if let Some(question) = asked.question() {
            self.kinds.count(Kind::of(question.qtype));
            if let Some(zone) = asked.zone(view) {
                let mut zones = lock(&self.zones);
                zones.follow(view);
                zones.count(zone, outcome);
            }
        }
        match outcome {
            Outcome::Answered { answer, truncated, .. } => {
                self.answers.count(answer);
                if truncated {
                    self.traffic.count(Traffic::Truncated);
                }
            }
            Outcome::Failed { reason, .. } | Outcome::Dropped(reason) => self.failures.count(reason),
        }
    }
}

/// Responses by their code, which follows from what is counted.
fn by_rcode(answers: &Counters<Answer>, failures: &Counters<Reason>) -> Vec<([String; 1], u64)> {
    let count = |code| {
        let answers = answers.all().filter(|(answer, _)| answer.rcode() == code).map(|(_, count)| count);
        let failures = failures.all().filter(|(reason, _)| reason.rcode() == Some(code));
        answers.chain(failures.map(|(_, count)| count)).fold(0, u64::wrapping_add)
    };
    rcode::NAMES.iter().map(|(code, name)| ([(*name).to_owned()], count(*code))).collect()
}
