//! From hosts to octets.

use std::net::IpAddr;
use std::sync::Arc;

use super::super::{Alias, Firmware, Host, HostName, Nic, State};
use super::{
    ALIASES, BIOS, BOOT, Beside, CPU, DHCP, DISKS, HARDWARE, MAC, MEMORY, MEMORY_AT, MEMORY_SHIFT, NIC_REST,
    Packed, REST, TAGS, UEFI, VMHOST, VMHOST_AT,
};
use crate::name::Name;
use crate::span::{FileId, Span};

/// So many of what is kept beside are looked through, the latest: neighbours are alike.
const LOOKED_AT: usize = 32;

/// Hosts on their way.
pub(super) struct Packing {
    octets: Vec<u8>,
    file: FileId,
    beside: Beside,
}

/// The place of `item` among `kept`, where it is put unless one of the latest is the same.
fn place<T: Clone>(kept: &mut Vec<T>, item: &T, is_same: impl Fn(&T, &T) -> bool) -> u64 {
    let latest = kept.len().saturating_sub(LOOKED_AT);
    let known = kept.iter().skip(latest).position(|one| is_same(one, item));
    let place = known.map_or(kept.len(), |known| latest + known);
    if known.is_none() {
        kept.push(item.clone());
    }
    place as u64
}

impl Packing {
    pub(super) fn all(hosts: &[Host]) -> Packed {
        let file = hosts.first().map_or(FileId(0), |host| host.span.file);
        let mut packing = Packing { octets: Vec::new(), file, beside: Beside::default() };
        let mut starts = Vec::with_capacity(hosts.len());
        for host in hosts {
            // Files are below 4 GiB, and hosts are longer as text.
            starts.push(u32::try_from(packing.octets.len()).unwrap_or(u32::MAX));
            packing.host(host);
        }
        let Packing { octets, mut beside, .. } = packing;
        beside.shrink_to_fit();
        Packed { octets: octets.into(), starts: starts.into(), file, beside }
    }

    fn host(&mut self, host: &Host) {
        let flag = |flag: u8, set: bool| if set { flag } else { 0 };
        let state = State::ALL.iter().position(|state| *state == host.state).unwrap_or(0);
        let hardware = self.hardware_flags(host);
        self.octets.push(
            u8::try_from(state).unwrap_or(0)
                | flag(BOOT, host.boot.is_some())
                | flag(TAGS, host.tags.shared().is_some())
                | flag(REST, host.rest.shared().is_some())
                | flag(HARDWARE, hardware != 0)
                | flag(ALIASES, !host.aliases.is_empty()),
        );
        self.name(&host.name);
        self.span(Span::new(self.file, 0, 0), host.span);
        if let Some(boot) = host.boot {
            self.number(boot.0.into());
        }
        if let Some(tags) = host.tags.shared() {
            let place = place(&mut self.beside.tags, tags, Arc::ptr_eq);
            self.number(place);
        }
        if let Some(rest) = host.rest.shared() {
            let place = place(&mut self.beside.rests, rest, Arc::ptr_eq);
            self.number(place);
        }
        if hardware != 0 {
            self.hardware(hardware, host);
        }
        if !host.aliases.is_empty() {
            self.number(host.aliases.len() as u64);
            for Alias { name, span } in &host.aliases {
                self.name(name);
                self.span(host.span, *span);
            }
        }
        self.number(host.nics.len() as u64);
        host.nics.iter().for_each(|nic| self.nic(host.span, nic));
    }

    fn hardware_flags(&self, host: &Host) -> u8 {
        let flag = |flag: u8, set: bool| if set { flag } else { 0 };
        let hardware = &host.hardware;
        let firmware = match hardware.firmware {
            None => 0,
            Some(Firmware::Bios) => BIOS,
            Some(Firmware::Uefi) => UEFI,
        };
        firmware
            | flag(CPU, hardware.cpu.is_some())
            | flag(MEMORY, hardware.memory.is_some())
            | flag(DISKS, !hardware.disks.is_empty())
            | flag(VMHOST, hardware.vmhost.is_some())
            | flag(MEMORY_AT, host.memory_at.is_some())
            | flag(VMHOST_AT, host.vmhost_at.is_some())
    }

    fn hardware(&mut self, flags: u8, host: &Host) {
        self.octets.push(flags);
        let hardware = &host.hardware;
        if let Some(cpu) = hardware.cpu {
            self.number(cpu.into());
        }
        if let Some(memory) = hardware.memory {
            self.number(memory.rotate_right(MEMORY_SHIFT));
        }
        if !hardware.disks.is_empty() {
            let place = place(&mut self.beside.disks, &hardware.disks, Arc::ptr_eq);
            self.number(place);
        }
        if let Some(vmhost) = &hardware.vmhost {
            let place = place(&mut self.beside.vmhosts, vmhost, Arc::ptr_eq);
            self.number(place);
        }
        for span in [host.memory_at, host.vmhost_at].into_iter().flatten() {
            self.span(host.span, span);
        }
    }

    fn nic(&mut self, host: Span, nic: &Nic) {
        let flag = |flag: u8, set: bool| if set { flag } else { 0 };
        let rest = nic.rest.shared();
        self.octets
            .push(flag(DHCP, nic.dhcp) | flag(MAC, nic.mac.is_some()) | flag(NIC_REST, rest.is_some()));
        self.span(host, nic.span);
        self.number(nic.network.0.into());
        if let Some(mac) = nic.mac {
            self.octets.extend_from_slice(&mac.0);
        }
        self.span(nic.span, nic.mac_at);
        self.number(nic.addresses.len() as u64);
        let places = nic.addresses_at.iter().chain(std::iter::repeat(&nic.span));
        for (address, span) in nic.addresses.iter().zip(places) {
            match address {
                IpAddr::V4(v4) => {
                    self.octets.push(4);
                    self.octets.extend_from_slice(&v4.octets());
                }
                IpAddr::V6(v6) => {
                    self.octets.push(16);
                    self.octets.extend_from_slice(&v6.octets());
                }
            }
            self.span(nic.span, *span);
        }
        if let Some(rest) = rest {
            let place = place(&mut self.beside.nic_rests, rest, Arc::ptr_eq);
            self.number(place);
        }
    }

    fn name(&mut self, HostName { fqdn, zone }: &HostName) {
        let (label, suffix) = parts(fqdn);
        let known = place(&mut self.beside.suffixes, &Box::from(suffix), |one, other| one == other);
        self.number(known);
        // The root's length octet stands for no label.
        self.octets.extend_from_slice(if label.is_empty() { &[0] } else { label });
        self.number(zone.0.into());
    }

    /// From the start of `base`, which is mostly near; the lowest bit says that it is in another file.
    fn span(&mut self, base: Span, span: Span) {
        let distance = i64::from(span.start) - i64::from(base.start);
        let distance = ((distance << 1) ^ (distance >> 63)).cast_unsigned();
        let elsewhere = span.file != base.file;
        self.number(distance << 1 | u64::from(elsewhere));
        if elsewhere {
            self.number(span.file.0.into());
        }
        self.number(span.end.wrapping_sub(span.start).into());
    }

    /// Seven bits an octet, the lowest first; the eighth says that more follow.
    fn number(&mut self, mut number: u64) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                return self.octets.push(low & 0x7f);
            }
            self.octets.push(low | 0x80);
        }
    }
}

/// The first label with its length octet, and what follows; the root has no label.
pub(super) fn parts(name: &Name) -> (&[u8], &[u8]) {
    let wire = name.as_wire();
    match wire.first() {
        Some(length) if *length > 0 => wire.split_at_checked(usize::from(*length) + 1).unwrap_or((&[], wire)),
        _ => (&[], wire),
    }
}

impl Beside {
    fn shrink_to_fit(&mut self) {
        self.suffixes.shrink_to_fit();
        self.tags.shrink_to_fit();
        self.disks.shrink_to_fit();
        self.vmhosts.shrink_to_fit();
        self.rests.shrink_to_fit();
        self.nic_rests.shrink_to_fit();
    }
}
