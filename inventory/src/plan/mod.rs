//! `hostbook plan`: what changes on the wire between two states of the inventory, before it is served.
//!
//! DNS records come from dnsd's view and reservations are looked up in dhcpd's, as the daemons do it, so
//! that what is said here is what they answer.

mod boot;
mod dhcp;
mod dns;
mod leases;
mod print;
mod source;

use std::process::ExitCode;

use inventory_core::diag::Diagnostic;
use inventory_core::model::Snapshot;
use serde::Serialize;

use crate::args::Plan;
use crate::exit::{Failure, Outcome};
use crate::output;

pub(crate) use leases::lost;
pub(crate) use print::print;

/// Exit code when something changes.
const CHANGES: u8 = 3;

/// Everything that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Changes {
    /// Zones, with the records that come, change and go.
    pub(crate) dns: Vec<dns::ZoneChange>,
    /// What DHCP gives to machines that are written down.
    pub(crate) reservations: Vec<dhcp::ReservationChange>,
    /// What DHCP tells the clients of a network.
    pub(crate) networks: Vec<dhcp::NetworkChange>,
    /// Leases that their clients cannot keep any more.
    pub(crate) leases: Vec<leases::LostLease>,
    /// What machines boot.
    pub(crate) boot: Vec<boot::BootChange>,
    /// What is odd afterwards and was not before, such as virtual machines that outgrow their host.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Changes {
    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        let Changes { dns, reservations, networks, leases, boot, warnings } = self;
        dns.is_empty()
            && reservations.is_empty()
            && networks.is_empty()
            && leases.is_empty()
            && boot.is_empty()
            && warnings.is_empty()
    }
}

/// One side of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sign {
    /// It comes.
    Added,
    /// It is another afterwards.
    Changed,
    /// It goes.
    Removed,
}

/// What changes from `before` to `after`. Cost: both daemons' views of both.
pub(crate) fn between(before: &Snapshot, after: &Snapshot) -> Changes {
    if before.hash == after.hash {
        return Changes::default();
    }
    Changes {
        dns: dns::between(before, after),
        reservations: dhcp::reservations(before, after),
        networks: dhcp::networks(&before.inventory.globals, &after.inventory.globals),
        leases: Vec::new(),
        boot: boot::between(&before.inventory, &after.inventory),
        warnings: Vec::new(),
    }
}

/// Prints what changes. Exit code 0: nothing; 3: something.
pub(crate) fn run(args: &Plan) -> Outcome {
    let (before, from) = source::before(args)?;
    let (after, warnings) = match crate::inventory::load(&args.inventory.inventory) {
        Ok(loaded) => loaded,
        Err(diagnostics) => return Err(crate::inventory::broken(&diagnostics)),
    };
    let mut changes = between(&before.snapshot, &after);
    let (known_leases, trouble) = crate::leases::records(&args.control);
    if let Some(why) = trouble {
        eprintln!("hostbook: leases that are taken away are not known: {why}");
    }
    changes.leases = lost(&before.snapshot, &after, &known_leases, crate::moment::now_ms());
    let known = |new: &Diagnostic| {
        before.warnings.iter().any(|old| old.code == new.code && old.message == new.message)
    };
    changes.warnings = warnings.into_iter().filter(|new| !known(new)).collect();
    if args.format.is_json() {
        let text = serde_json::to_string(&changes).map_err(Failure::new)?;
        output::line(&text);
    } else if changes.is_empty() {
        output::line(&format!("nothing changes on the wire, compared with {from}"));
    } else {
        output::line(&format!("compared with {from}:"));
        output::line("");
        print(&changes);
    }
    Ok(if changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CHANGES) })
}
