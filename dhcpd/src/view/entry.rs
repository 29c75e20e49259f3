//! What a packet's way needs of a nic, in 32 octets: most answers read nothing else of it.

use std::net::Ipv4Addr;

use inventory_core::mac::MacAddr;
use inventory_core::model::{Globals, Host, NetworkId, Nic, State};

use super::key::KeyKind;

/// A nic under one of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Number of the file in the view, index of the host there, index of the nic there.
    pub(super) at: (u32, u32, u32),
    pub(super) network: NetworkId,
    pub(super) mac: MacAddr,
    pub(super) kind: KeyKind,
    flags: u8,
    /// 0.0.0.0: none.
    address: Ipv4Addr,
    /// 0: that of the network.
    lease_seconds: u32,
}

/// The host's state is one that is served.
const SERVED: u8 = 1;
/// DHCP is not off for the nic.
const DHCP: u8 = 2;
/// The nic has options of its own.
const OPTIONS: u8 = 4;
/// Its name lies in another zone than its network's.
const OTHER_ZONE: u8 = 8;
/// The host has a boot profile …
const BOOT: u8 = 16;
/// … and is to boot it now.
const BOOTS: u8 = 32;

impl Entry {
    /// The entry of `nic`, which is at `at`, under a key of this kind.
    pub(super) fn new(
        globals: &Globals,
        kind: KeyKind,
        at: (u32, u32, u32),
        host: &Host,
        nic: &Nic,
    ) -> Entry {
        let zone = nic.rest.name.as_ref().unwrap_or(&host.name).zone;
        let flag = |flag: u8, set: bool| if set { flag } else { 0 };
        Entry {
            at,
            network: nic.network,
            mac: nic.mac.unwrap_or(MacAddr([0; 6])),
            kind,
            flags: flag(SERVED, host.state.is_served())
                | flag(DHCP, nic.dhcp)
                | flag(OPTIONS, !nic.rest.options.is_empty())
                | flag(BOOT, host.boot.is_some())
                | flag(
                    BOOTS,
                    host.boot.is_some() && (host.state == State::Install || host.always_netboots()),
                )
                | flag(OTHER_ZONE, globals.network(nic.network).zone != Some(zone)),
            address: nic.ipv4().unwrap_or(Ipv4Addr::UNSPECIFIED),
            lease_seconds: nic.rest.lease_seconds.unwrap_or(0),
        }
    }

    pub(super) fn is_served(&self) -> bool {
        self.flags & SERVED != 0
    }

    pub(super) fn has_dhcp(&self) -> bool {
        self.flags & DHCP != 0
    }

    pub(super) fn has_options(&self) -> bool {
        self.flags & OPTIONS != 0
    }

    pub(super) fn is_of_other_zone(&self) -> bool {
        self.flags & OTHER_ZONE != 0
    }

    /// Whether the host has a boot profile, and if so whether it is to boot it.
    pub(super) fn has_boot(&self) -> Option<bool> {
        (self.flags & BOOT != 0).then_some(self.flags & BOOTS != 0)
    }

    pub(super) fn address(&self) -> Option<Ipv4Addr> {
        Some(self.address).filter(|address| !address.is_unspecified())
    }

    pub(super) fn lease_seconds(&self) -> Option<u32> {
        Some(self.lease_seconds).filter(|seconds| *seconds != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_fits_into_half_a_cache_line_and_a_little() {
        assert!(size_of::<Entry>() <= 36, "{}", size_of::<Entry>());
    }
}
