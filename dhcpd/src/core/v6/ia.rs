//! Identity associations: what a client holds or wants under a number of its own (RFC 8415, section 12).

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::reason::Reason;
use super::wire::{Options, split_address, split_u32};
use crate::code6;

/// Identity associations in one message at most.
pub const IAS_MAX: usize = 16;

/// What an identity association is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IaKind {
    /// Addresses.
    Na,
    /// Temporary addresses.
    Ta,
    /// Prefixes.
    Pd,
}

/// An identity association as a client sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ia<'a> {
    /// What for.
    pub kind: IaKind,
    /// The client's number for it.
    pub id: u32,
    options: Options<'a>,
}

/// An address or a prefix in an identity association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address, or the first of the prefix.
    pub address: Ipv6Addr,
    /// Length of the prefix; 128 for an address.
    pub prefix_len: u8,
}

impl Lease {
    /// As what a lease is of; `None` if it is none, such as a prefix that is longer than an address.
    pub(super) fn item(self) -> Option<Ipv6Net> {
        Ipv6Net::new(self.address, self.prefix_len).ok().filter(|item| item.addr() == item.network())
    }
}

impl IaKind {
    /// Code of the option that holds it.
    pub fn code(self) -> u16 {
        match self {
            IaKind::Na => code6::IA_NA,
            IaKind::Ta => code6::IA_TA,
            IaKind::Pd => code6::IA_PD,
        }
    }

    fn of(code: u16) -> Option<IaKind> {
        match code {
            code6::IA_NA => Some(IaKind::Na),
            code6::IA_TA => Some(IaKind::Ta),
            code6::IA_PD => Some(IaKind::Pd),
            _ => None,
        }
    }
}

impl<'a> Ia<'a> {
    /// All of a message, in its order.
    pub(super) fn read_all(options: &Options<'a>) -> Result<Vec<Ia<'a>>, Reason> {
        let mut all = Vec::new();
        for (code, data) in options.iter() {
            let Some(kind) = IaKind::of(code) else { continue };
            if all.len() == IAS_MAX {
                return Err(Reason::TooManyOptions);
            }
            all.push(Ia::read(kind, data)?);
        }
        Ok(all)
    }

    fn read(kind: IaKind, data: &'a [u8]) -> Result<Ia<'a>, Reason> {
        let (id, mut rest) = split_u32(data).ok_or(Reason::BadOption)?;
        if kind != IaKind::Ta {
            // T1 and T2, which mean nothing to a server.
            rest = rest.get(8..).ok_or(Reason::BadOption)?;
        }
        let ia = Ia { kind, id, options: Options::read(rest)? };
        let (addresses, prefixes) = (code6::IA_ADDRESS, code6::IA_PREFIX);
        let (code, octets) = if kind == IaKind::Pd { (prefixes, 25) } else { (addresses, 24) };
        let whole = ia.options.all(code).all(|data| data.len() >= octets);
        if whole { Ok(ia) } else { Err(Reason::BadOption) }
    }

    /// What the client holds or would like.
    pub fn leases(&self) -> impl Iterator<Item = Lease> + use<'a> {
        let prefixes = self.kind == IaKind::Pd;
        let code = if prefixes { code6::IA_PREFIX } else { code6::IA_ADDRESS };
        self.options.all(code).filter_map(move |data| {
            let lifetimes_or_address = if prefixes { data.get(8..)? } else { data };
            let (prefix_len, octets) = match lifetimes_or_address {
                [len, octets @ ..] if prefixes => (*len, octets),
                octets => (128, octets),
            };
            Some(Lease { address: split_address(octets)?.0, prefix_len })
        })
    }

    /// The first of `items` that is among them.
    pub(super) fn item_of(&self, items: &[Ipv6Net]) -> Option<Ipv6Net> {
        let mut held = self.leases().filter_map(Lease::item);
        held.find(|item| items.contains(item))
    }
}
