//! Services that a host offers, found by DNS-Based Service Discovery (RFC 6763).

use crate::name::Name;
use crate::span::Span;

/// Priority and weight of SRV records: there is one for each instance.
const FIRST: [u8; 4] = [0; 4];
/// Type numbers.
const PTR: u16 = 12;
const TXT: u16 = 16;
const SRV: u16 = 33;
/// What browsers ask a zone for to learn what to browse: all, the one to begin with, and what goes without asking
/// (RFC 6763, section 11).
const BROWSING: [&str; 3] = ["b", "db", "lb"];

/// An instance of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What people choose it by: up to 63 octets of UTF-8.
    pub instance: Box<str>,
    /// Name of the service, as `_ipp`.
    pub service: Box<str>,
    /// `_tcp`, or `_udp` for all else (RFC 6763, section 7).
    pub protocol: &'static str,
    /// Its port.
    pub port: u16,
    /// RDATA of its TXT record.
    pub txt: Box<[u8]>,
    /// Subtypes, as `_universal`.
    pub subtypes: Box<[Box<str>]>,
    /// The instance as a domain name, in the zone of the host's name.
    pub name: Name,
    /// Apex of that zone.
    pub zone: Name,
    /// Where it is written.
    pub span: Span,
}

/// A record that follows from a service: owner, type, data.
pub type ServiceRecord = (Name, u16, Box<[u8]>);

impl Service {
    /// The type of service as a domain name, below which its instances are; `None` if it is too long.
    pub fn type_name(&self) -> Option<Name> {
        self.zone.child(self.protocol).ok()?.child(&self.service).ok()
    }

    /// The records that make it found, at names that other hosts have, too, and its own (SRV, TXT), which say where it
    /// is: on the host called `host`.
    pub fn records(&self, host: &Name) -> Vec<ServiceRecord> {
        let Some(kind) = self.type_name() else { return Vec::new() };
        // People see it as it is written.
        let length = u8::try_from(self.instance.len()).unwrap_or(u8::MAX);
        let instance: Box<[u8]> = [&[length], self.instance.as_bytes(), kind.as_wire()].concat().into();
        let discovery = self.zone.child("_udp").and_then(|name| name.child("_dns-sd"));
        let below = |labels: &[&str], name: &Name| {
            labels.iter().rev().try_fold(name.clone(), |name, label| name.child(label)).ok()
        };
        let subtypes = self.subtypes.iter().filter_map(|subtype| below(&[subtype, "_sub"], &kind));
        let mut all: Vec<ServiceRecord> = std::iter::once(kind.clone())
            .chain(subtypes)
            .map(|owner| (owner, PTR, instance.clone()))
            .collect();
        if let Ok(discovery) = &discovery {
            let types = below(&["_services"], discovery).map(|owner| (owner, PTR, kind.as_wire().into()));
            let domains = BROWSING.iter().filter_map(|label| below(&[label], discovery));
            all.extend(types);
            all.extend(domains.map(|owner| (owner, PTR, self.zone.as_wire().into())));
        }
        let srv = [&FIRST[..], &self.port.to_be_bytes(), host.as_wire()].concat();
        all.push((self.name.clone(), SRV, srv.into()));
        all.push((self.name.clone(), TXT, self.txt.clone()));
        all
    }
}
