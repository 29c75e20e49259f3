//! What is counted.

use std::sync::Arc;

use daemon::metrics::{Counters, Registry, SharedTally, Tally};
use serde_json::{Value, json};

use crate::boot::BootEvent;
use crate::core::{Event, Outcome, Outputs, Reason};

daemon::counted_reasons! {
    /// What happens to datagrams around the deciding.
    pub enum Traffic {
        /// Datagrams received.
        Received => "received",
        /// Datagrams sent.
        Sent => "sent",
        /// Datagrams that the kernel would not send.
        Unsent => "unsent",
        /// Datagrams that the kernel threw away, because they came faster than they were read.
        Overflow => "overflow",
    }
}

/// All counters of the daemon.
#[derive(Debug)]
pub struct DhcpCounters {
    messages: Arc<Counters<Event>>,
    reasons: Arc<Counters<Reason>>,
    traffic: Arc<Counters<Traffic>>,
    boot: Arc<Counters<BootEvent>>,
}

/// What the worker counts into; nobody else does.
pub(super) struct WorkerTally {
    messages: Tally<Event>,
    reasons: Tally<Reason>,
    pub(super) traffic: Tally<Traffic>,
}

impl DhcpCounters {
    pub(super) fn new(registry: &mut Registry) -> DhcpCounters {
        let counters = DhcpCounters {
            messages: Counters::new(
                "hostbook_dhcpd_messages",
                "Messages received and sent, by type",
                "message",
            ),
            reasons: Counters::new(
                "hostbook_dhcpd_unanswered",
                "Messages that were not answered or refused, by reason",
                "reason",
            ),
            traffic: Counters::new("hostbook_dhcpd_traffic", "Datagrams", "event"),
            boot: super::boot::counters(),
        };
        counters.messages.register(registry);
        counters.reasons.register(registry);
        counters.traffic.register(registry);
        counters.boot.register(registry);
        counters
    }

    pub(super) fn worker(&self) -> WorkerTally {
        WorkerTally {
            messages: self.messages.tally(),
            reasons: self.reasons.tally(),
            traffic: self.traffic.tally(),
        }
    }

    /// What the boot service counts into.
    pub(super) fn boot(&self) -> SharedTally<BootEvent> {
        self.boot.shared_tally()
    }

    /// All that are not zero, for status.
    pub fn to_json(&self) -> Value {
        json!({
            "messages": self.messages.to_json(),
            "unanswered": self.reasons.to_json(),
            "traffic": self.traffic.to_json(),
            "boot": self.boot.to_json(),
        })
    }
}

impl WorkerTally {
    /// Counts what came of one input.
    #[inline]
    pub(super) fn count(&self, out: &Outputs) {
        for event in out.events() {
            self.messages.count(*event);
        }
        for transaction in out.transactions() {
            if let Outcome::Refused(reason) | Outcome::Unanswered(reason) = transaction.outcome {
                self.reasons.count(reason);
            }
        }
    }

    pub(super) fn too_long(&self) {
        self.reasons.count(Reason::TooLong);
    }
}
