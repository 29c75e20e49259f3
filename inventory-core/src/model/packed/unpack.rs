//! From octets to hosts. Nothing here fails for what [`super::pack`] made.

use std::net::IpAddr;
use std::sync::Arc;

use super::super::{
    Alias, BootId, Firmware, Hardware, Host, HostName, NetworkId, Nic, NicRest, Rare, State, ZoneId,
};
use super::{
    ALIASES, BIOS, BOOT, CPU, DHCP, DISKS, HARDWARE, MAC, MEMORY, MEMORY_AT, MEMORY_SHIFT, NIC_REST, Packed,
    REST, STATE, TAGS, UEFI, VMHOST, VMHOST_AT, pack,
};
use crate::mac::MacAddr;
use crate::name::Name;
use crate::span::{FileId, Span};

/// A place in the octets.
pub(super) struct Unpacking<'p> {
    packed: &'p Packed,
    rest: &'p [u8],
}

impl<'p> Unpacking<'p> {
    /// The start of the host at `place`.
    pub(super) fn at(packed: &'p Packed, place: usize) -> Option<Unpacking<'p>> {
        let start = *packed.starts.get(place)? as usize;
        Some(Unpacking { packed, rest: packed.octets.get(start..)? })
    }

    pub(super) fn is_called(&mut self, name: &Name) -> Option<bool> {
        self.octet()?;
        let (label, suffix) = self.parts()?;
        Some(pack::parts(name) == (label, suffix))
    }

    pub(super) fn host(mut self) -> Option<Host> {
        let flags = self.octet()?;
        let name = self.name()?;
        let span = self.span(Span::new(self.packed.file, 0, 0))?;
        let boot = if flags & BOOT != 0 { Some(BootId(self.small()?)) } else { None };
        let tags = match flags & TAGS {
            0 => Rare::default(),
            _ => Rare::of(self.packed.beside.tags.get(self.place()?)?),
        };
        let rest = match flags & REST {
            0 => Rare::default(),
            _ => Rare::of(self.packed.beside.rests.get(self.place()?)?),
        };
        let (hardware, memory_at, vmhost_at) = self.hardware(flags, span)?;
        let aliases = self.aliases(flags, span)?;
        let nics = match self.place()? {
            1 => [self.nic(span)?].into(),
            count => (0..count).map(|_| self.nic(span)).collect::<Option<_>>()?,
        };
        let state = *State::ALL.get(usize::from(flags & STATE))?;
        Some(Host { name, span, state, nics, aliases, tags, boot, hardware, memory_at, vmhost_at, rest })
    }

    /// The tags of the host alone.
    pub(super) fn host_tags(mut self) -> Option<&'p [Arc<str>]> {
        let flags = self.octet()?;
        self.past_name()?;
        self.span(Span::new(self.packed.file, 0, 0))?;
        if flags & BOOT != 0 {
            self.number()?;
        }
        let place = if flags & TAGS == 0 { None } else { self.place() };
        self.packed.beside.tags.get(place?).map(|tags| &***tags)
    }

    /// What the host's interface at `place` has that most do not have.
    pub(super) fn nic_rest(mut self, place: usize) -> Option<&'p NicRest> {
        let flags = self.octet()?;
        self.past_name()?;
        let span = self.span(Span::new(self.packed.file, 0, 0))?;
        for _ in 0..(flags & (BOOT | TAGS | REST)).count_ones() {
            self.number()?;
        }
        self.hardware(flags, span)?;
        self.aliases(flags, span)?;
        let count = self.place()?;
        for _ in 0..place.min(count) {
            self.nic(span)?;
        }
        (place < count).then(|| self.nic_and_rest(span)).flatten()?.1.map(|rest| &**rest)
    }

    fn aliases(&mut self, flags: u8, host: Span) -> Option<Box<[Alias]>> {
        if flags & ALIASES == 0 {
            return Some(Box::default());
        }
        let count = self.place()?;
        (0..count).map(|_| Some(Alias { name: self.name()?, span: self.span(host)? })).collect()
    }

    fn hardware(&mut self, flags: u8, host: Span) -> Option<(Hardware, Option<Span>, Option<Span>)> {
        if flags & HARDWARE == 0 {
            return Some((Hardware::default(), None, None));
        }
        let beside = &self.packed.beside;
        let flags = self.octet()?;
        let has = |flag: u8| flags & flag != 0;
        let mut hardware = Hardware::default();
        if has(CPU) {
            hardware.cpu = Some(self.small()?);
        }
        if has(MEMORY) {
            hardware.memory = Some(self.number()?.rotate_left(MEMORY_SHIFT));
        }
        if has(DISKS) {
            hardware.disks = beside.disks.get(self.place()?)?.clone();
        }
        if has(VMHOST) {
            hardware.vmhost = Some(beside.vmhosts.get(self.place()?)?.clone());
        }
        hardware.firmware =
            if has(BIOS) { Some(Firmware::Bios) } else { has(UEFI).then_some(Firmware::Uefi) };
        let memory_at = if has(MEMORY_AT) { Some(self.span(host)?) } else { None };
        let vmhost_at = if has(VMHOST_AT) { Some(self.span(host)?) } else { None };
        Some((hardware, memory_at, vmhost_at))
    }

    fn nic(&mut self, host: Span) -> Option<Nic> {
        let (mut nic, rest) = self.nic_and_rest(host)?;
        nic.rest = rest.map(Rare::of).unwrap_or_default();
        Some(nic)
    }

    /// An interface, and apart from it what most do not have.
    fn nic_and_rest(&mut self, host: Span) -> Option<(Nic, Option<&'p Arc<NicRest>>)> {
        let flags = self.octet()?;
        let has = |flag: u8| flags & flag != 0;
        let span = self.span(host)?;
        let network = NetworkId(self.small()?);
        let mac = if has(MAC) { Some(MacAddr(*self.octets()?)) } else { None };
        let mac_at = self.span(span)?;
        let count = self.place()?;
        let address = |at: &mut Unpacking<'_>| Some((at.address()?, at.span(span)?));
        let (addresses, addresses_at) = match count {
            // Most have two at most, which then need no memory of their own.
            1 => address(self).map(|(address, at)| ([address].into(), [at].into()))?,
            2 => {
                let [(one, one_at), (other, other_at)] = [address(self)?, address(self)?];
                ([one, other].into(), [one_at, other_at].into())
            }
            _ => {
                let all = (0..count).map(|_| address(self)).collect::<Option<Vec<_>>>()?;
                let (addresses, at): (Vec<_>, Vec<_>) = all.into_iter().unzip();
                (addresses.into(), at.into())
            }
        };
        let rest = if has(NIC_REST) { Some(self.packed.beside.nic_rests.get(self.place()?)?) } else { None };
        let dhcp = has(DHCP);
        Some((Nic { span, network, mac, dhcp, mac_at, addresses, addresses_at, rest: Rare::default() }, rest))
    }

    fn address(&mut self) -> Option<IpAddr> {
        match self.octet()? {
            4 => Some(IpAddr::from(*self.octets::<4>()?)),
            _ => Some(IpAddr::from(*self.octets::<16>()?)),
        }
    }

    fn name(&mut self) -> Option<HostName> {
        let (label, suffix) = self.parts()?;
        Some(HostName { fqdn: Name::joined(label, suffix), zone: ZoneId(self.small()?) })
    }

    fn past_name(&mut self) -> Option<()> {
        self.parts()?;
        self.number().map(drop)
    }

    fn parts(&mut self) -> Option<(&'p [u8], &'p [u8])> {
        let suffix = self.packed.beside.suffixes.get(self.place()?)?;
        let length = usize::from(*self.rest.first()?) + 1;
        let (label, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some((if length == 1 { &[] } else { label }, suffix))
    }

    fn span(&mut self, base: Span) -> Option<Span> {
        let head = self.number()?;
        let distance = (head >> 1).cast_signed();
        let distance = (distance >> 1) ^ -(distance & 1);
        let file = if head & 1 != 0 { FileId(self.small()?) } else { base.file };
        let start = u32::try_from(i64::from(base.start) + distance).ok()?;
        Some(Span::new(file, start, start.wrapping_add(self.small()?)))
    }

    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn octets<const N: usize>(&mut self) -> Option<&'p [u8; N]> {
        let (first, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(first)
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn place(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        let first = self.octet()?;
        if first < 0x80 {
            return Some(first.into());
        }
        let (mut number, mut shift) = (u64::from(first & 0x7f), 7);
        loop {
            let next = self.octet()?;
            number |= u64::from(next & 0x7f).checked_shl(shift)?;
            if next < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }
}
