//! What is counted of DHCPv6.

use std::sync::Arc;

use daemon::metrics::{Counters, Registry, Tally};
use serde_json::{Value, json};

use crate::core::v6::{Event, Outcome, Outputs, Reason};
use crate::shell::counters::Traffic;

/// All counters of DHCPv6.
#[derive(Debug)]
pub(in crate::shell) struct Counters6 {
    messages: Arc<Counters<Event>>,
    reasons: Arc<Counters<Reason>>,
    traffic: Arc<Counters<Traffic>>,
}

/// What the worker counts into; nobody else does.
pub(super) struct Tally6 {
    messages: Tally<Event>,
    reasons: Tally<Reason>,
    pub(super) traffic: Tally<Traffic>,
}

impl Counters6 {
    pub(in crate::shell) fn new(registry: &mut Registry) -> Counters6 {
        let counters = Counters6 {
            messages: Counters::new(
                "hostbook_dhcpd_dhcpv6_messages",
                "DHCPv6 messages received and sent, by type",
                "message",
            ),
            reasons: Counters::new(
                "hostbook_dhcpd_dhcpv6_unanswered",
                "DHCPv6 messages that were not answered or refused, by reason",
                "reason",
            ),
            traffic: Counters::new("hostbook_dhcpd_dhcpv6_traffic", "DHCPv6 datagrams", "event"),
        };
        counters.messages.register(registry);
        counters.reasons.register(registry);
        counters.traffic.register(registry);
        counters
    }

    pub(super) fn worker(&self) -> Tally6 {
        Tally6 {
            messages: self.messages.tally(),
            reasons: self.reasons.tally(),
            traffic: self.traffic.tally(),
        }
    }

    /// All that are not zero, for status.
    pub(in crate::shell) fn to_json(&self) -> Value {
        json!({
            "messages": self.messages.to_json(),
            "unanswered": self.reasons.to_json(),
            "traffic": self.traffic.to_json(),
        })
    }
}

impl Tally6 {
    /// Counts what came of one input.
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
