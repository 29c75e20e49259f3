//! What is counted.

use std::sync::Arc;

use daemon::metrics::{Counters, Registry, SharedTally, Tally};
use serde_json::{Value, json};

use crate::boot::BootEvent;
use crate::core::bulk::BulkEvent;
use crate::core::v6::V6;
use crate::core::{Family, FamilyOutputs as Outputs, V4};

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

/// What is counted of one family.
#[derive(Debug)]
pub(super) struct FamilyCounters<F: Family> {
    messages: Arc<Counters<F::Event>>,
    reasons: Arc<Counters<F::Reason>>,
    traffic: Arc<Counters<Traffic>>,
}

/// What a worker counts into; nobody else does.
pub(super) struct FamilyTally<F: Family> {
    messages: Tally<F::Event>,
    reasons: Tally<F::Reason>,
    pub(super) traffic: Tally<Traffic>,
}

/// All counters of DHCPv4, of bulk leasequery and of the boot service.
#[derive(Debug)]
pub struct DhcpCounters {
    four: FamilyCounters<V4>,
    bulk: Arc<Counters<BulkEvent>>,
    boot: Arc<Counters<BootEvent>>,
}

impl FamilyCounters<V4> {
    fn four(registry: &mut Registry) -> FamilyCounters<V4> {
        let messages = ("hostbook_dhcpd_messages", "Messages received and sent, by type");
        let reasons = ("hostbook_dhcpd_unanswered", "Messages that were not answered or refused, by reason");
        FamilyCounters::new(registry, messages, reasons, ("hostbook_dhcpd_traffic", "Datagrams"))
    }
}

impl FamilyCounters<V6> {
    pub(super) fn six(registry: &mut Registry) -> FamilyCounters<V6> {
        let messages = ("hostbook_dhcpd_dhcpv6_messages", "DHCPv6 messages received and sent, by type");
        let why = "DHCPv6 messages that were not answered or refused, by reason";
        let reasons = ("hostbook_dhcpd_dhcpv6_unanswered", why);
        FamilyCounters::new(
            registry,
            messages,
            reasons,
            ("hostbook_dhcpd_dhcpv6_traffic", "DHCPv6 datagrams"),
        )
    }
}

type NameAndHelp = (&'static str, &'static str);

impl<F: Family> FamilyCounters<F> {
    fn new(
        registry: &mut Registry,
        messages: NameAndHelp,
        reasons: NameAndHelp,
        traffic: NameAndHelp,
    ) -> FamilyCounters<F> {
        let counters = FamilyCounters {
            messages: Counters::new(messages.0, messages.1, "message"),
            reasons: Counters::new(reasons.0, reasons.1, "reason"),
            traffic: Counters::new(traffic.0, traffic.1, "event"),
        };
        counters.messages.register(registry);
        counters.reasons.register(registry);
        counters.traffic.register(registry);
        counters
    }

    pub(super) fn worker(&self) -> FamilyTally<F> {
        FamilyTally {
            messages: self.messages.tally(),
            reasons: self.reasons.tally(),
            traffic: self.traffic.tally(),
        }
    }

    /// All that are not zero, for status.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "messages": self.messages.to_json(),
            "unanswered": self.reasons.to_json(),
            "traffic": self.traffic.to_json(),
        })
    }
}

impl DhcpCounters {
    pub(super) fn new(registry: &mut Registry) -> DhcpCounters {
        let four = FamilyCounters::four(registry);
        let counters = DhcpCounters { four, bulk: super::bulk::counters(), boot: super::boot::counters() };
        counters.bulk.register(registry);
        counters.boot.register(registry);
        counters
    }

    pub(super) fn worker(&self) -> FamilyTally<V4> {
        self.four.worker()
    }

    /// What bulk leasequery counts into.
    pub(super) fn bulk(&self) -> SharedTally<BulkEvent> {
        self.bulk.shared_tally()
    }

    /// What the boot service counts into.
    pub(super) fn boot(&self) -> SharedTally<BootEvent> {
        self.boot.shared_tally()
    }

    /// All that are not zero, for status.
    pub fn to_json(&self) -> Value {
        let mut all = self.four.to_json();
        if let Value::Object(all) = &mut all {
            all.insert("bulk".to_owned(), self.bulk.to_json());
            all.insert("boot".to_owned(), self.boot.to_json());
        }
        all
    }
}

impl<F: Family> FamilyTally<F> {
    /// Counts what came of one input.
    #[inline]
    pub(super) fn count(&self, out: &Outputs<F>) {
        for event in out.events() {
            self.messages.count(*event);
        }
        for transaction in out.transactions() {
            if let Some(reason) = F::unanswered(transaction) {
                self.reasons.count(reason);
            }
        }
    }

    pub(super) fn too_long(&self) {
        self.reasons.count(F::TOO_LONG);
    }
}
