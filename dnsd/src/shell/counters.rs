//! What is counted.

use std::sync::Arc;

use daemon::metrics::{Counters, Histograms, Observer, Registry, SharedTally, Tally};
use serde_json::{Value, json};

use super::forward::Forwarded;
use crate::core::update::Verdict;
use crate::core::{Answer, Outcome, Reason};

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
}

/// What one worker counts into; nobody else does.
pub(super) struct WorkerTally {
    answers: Tally<Answer>,
    failures: Tally<Reason>,
    pub(super) traffic: Tally<Traffic>,
    pub(super) latencies: Observer<Carrier>,
}

/// What connections count into.
#[derive(Clone)]
pub(super) struct ConnectionTally {
    answers: SharedTally<Answer>,
    failures: SharedTally<Reason>,
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
        };
        counters.latencies.register(registry);
        counters.answers.register(registry);
        counters.failures.register(registry);
        counters.traffic.register(registry);
        counters.updates.register(registry);
        counters.forwarded.register(registry);
        counters
    }

    pub(super) fn worker(&self) -> WorkerTally {
        WorkerTally {
            answers: self.answers.tally(),
            failures: self.failures.tally(),
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
            traffic: self.traffic.shared_tally(),
            latencies: self.latencies.observer(),
        }
    }

    /// All that are not zero, for status.
    pub fn to_json(&self) -> Value {
        json!({
            "answers": self.answers.to_json(),
            "failures": self.failures.to_json(),
            "traffic": self.traffic.to_json(),
            "updates": self.updates.to_json(),
            "forwarded": self.forwarded.to_json(),
            "latencies": self.latencies.to_json(),
        })
    }
}

impl WorkerTally {
    #[inline]
    pub(super) fn count(&self, outcome: Outcome) {
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
    pub(super) fn count(&self, outcome: Outcome) {
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
