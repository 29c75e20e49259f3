//! Where machines are installed from, where there is more than one DHCP server.
//!
//! Which installations are done is known to the boot service that was told. Whoever writes `boot-server` on
//! one network has several servers, of which any may answer; a network without it would send a machine now to
//! one and now to another, which installs it again.

use crate::diag::{Finding, Rule};
use crate::model::{Globals, Shard, State};

/// Warns of networks without `boot-server`. Cost: nothing where all networks have one, or none has; else a
/// look at every host.
pub(crate) fn check<'a>(
    globals: &Globals,
    shards: impl Iterator<Item = &'a Shard>,
    findings: &mut Vec<Finding>,
) {
    let Some(other) = globals.networks.iter().find(|network| network.boot_server.is_some()) else { return };
    let lacks = |network: &crate::model::Network| {
        network.boot_server.is_none() && (network.dhcp || network.proxy) && network.ipv4.is_some()
    };
    if !globals.networks.iter().any(lacks) {
        return;
    }
    let mut told = vec![false; globals.networks.len()];
    for host in shards.flat_map(|shard| shard.in_state(|state| state == State::Install)) {
        for id in host.nics.iter().map(|nic| nic.network).filter(|id| lacks(globals.network(*id))) {
            let Some(told) = told.get_mut(id.0 as usize).filter(|told| !**told) else { continue };
            *told = true;
            let network = globals.network(id);
            let message = format!(
                "`{}` is installed in network `{}`, which has no `boot-server`",
                host.name.fqdn, network.name
            );
            let finding = Finding::new(Rule::BootServerMissing, network.span, message);
            findings.push(
                finding.other(other.span, "this network has one, so there are several servers").help(
                    "with several DHCP servers only one knows what is installed: name it in each network",
                ),
            );
        }
    }
}
