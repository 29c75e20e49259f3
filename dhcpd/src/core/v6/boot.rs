//! What a machine that boots by IPv6 is told beside its address: the URL of the next stage (RFC 5970).
//!
//! The same as for DHCPv4, a function of the message and the snapshot alone: firmware is sent to iPXE,
//! iPXE to the script of its host. What an operator has written as an option goes before all of this,
//! and a client that does not ask is told nothing.

use std::net::Ipv6Addr;

use super::input::{Link, Packet};
use super::message::Message;
use crate::boot::{Saying, Stage, script_path, server_url};
use crate::code6;
use crate::view::{NetworkView6, Reservation};

/// Octets of the enterprise number that a vendor class begins with (RFC 8415, section 21.16).
const ENTERPRISE: usize = 4;
const HTTP_CLIENT: &[u8] = b"HTTPClient";

/// Where the next stage of a boot is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NextStage {
    url: String,
    /// Vendor class of the reply, without which HTTP boot firmware takes none (UEFI 2.5, section 23.7).
    vendor_class: Option<Box<[u8]>>,
}

/// Who is told.
pub(super) struct Booting<'m, 'a, 'v> {
    pub(super) message: &'m Message<'a>,
    pub(super) packet: &'m Packet<'m>,
    /// The interface that it came by.
    pub(super) link: &'m Link,
    pub(super) network: &'v NetworkView6,
    pub(super) nic: Option<Reservation<'v>>,
    /// HTTP port of the boot service.
    pub(super) port: u16,
}

impl Booting<'_, '_, '_> {
    /// The next stage, if there is one to be told of.
    pub(super) fn next(&self) -> Option<NextStage> {
        let (path, boots) = self.path()?;
        let options = &self.message.options;
        let vendor_class = options.get(code6::VENDOR_CLASS);
        let stage = Stage::of(&Saying {
            vendor_class: vendor_class.and_then(|data| first_item(data.get(ENTERPRISE..)?)),
            architectures: options.get(code6::CLIENT_ARCHITECTURE),
            user_class: options.get(code6::USER_CLASS).and_then(first_item),
            has_ipxe_options: false,
        })?;
        let server = self.network.boot_server.or_else(|| self.own_address())?;
        let http = |path: &str| format!("{}/{path}", server_url(server.into(), self.port));
        let url = match stage {
            // An active host's script goes on to the disk at once, and says why.
            Stage::Ipxe => http(&path),
            Stage::Pxe(_) | Stage::Http(_) if !boots => return None,
            Stage::Pxe(architecture) => format!("tftp://[{server}]/{}", architecture.loader()),
            Stage::Http(architecture) => http(architecture.loader()),
        };
        let vendor_class = match stage {
            Stage::Http(_) => http_class(vendor_class?),
            Stage::Pxe(_) | Stage::Ipxe => None,
        };
        Some(NextStage { url, vendor_class })
    }

    /// Path of the script, and whether the machine is to boot from the network.
    fn path(&self) -> Option<(String, bool)> {
        let (boots, host) = match self.nic {
            // The boot service knows a host by its address, and takes one with IPv4 only for nobody else.
            Some(nic) if nic.address6().is_none() && nic.address().is_some() => return None,
            Some(nic) => (nic.has_boot()?, Some(nic.host_name()?)),
            None => (self.network.boots_unknown.then_some(true)?, None),
        };
        Some((script_path(host.as_ref(), &self.network.name), boots))
    }

    /// Our address as the client reaches it: where it or its relay agent has sent to, else one of its
    /// network, else any. Link-local ones mean nothing in a URL.
    fn own_address(&self) -> Option<Ipv6Addr> {
        let reaches = |address: &Ipv6Addr| {
            !address.is_unicast_link_local() && !address.is_multicast() && !address.is_loopback()
        };
        let asked = self.packet.destination.filter(reaches);
        let near = || self.link.addresses.iter().find(|address| self.network.prefix.contains(*address));
        let any = || self.link.addresses.iter().find(|address| reaches(address));
        asked.or_else(|| near().or_else(any).copied())
    }
}

impl NextStage {
    /// The option's value, if this has one.
    pub(super) fn option(&self, code: u16) -> Option<&[u8]> {
        match code {
            code6::BOOT_FILE_URL => Some(self.url.as_bytes()),
            code6::VENDOR_CLASS => self.vendor_class.as_deref(),
            _ => None,
        }
    }
}

/// The first of a list of items that have two octets of length before them.
fn first_item(list: &[u8]) -> Option<&[u8]> {
    let (len, rest) = list.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*len)))
}

/// The vendor class that firmware waits for: its own enterprise, and one item.
fn http_class(own: &[u8]) -> Option<Box<[u8]>> {
    let enterprise = own.get(..ENTERPRISE)?;
    let len = u16::try_from(HTTP_CLIENT.len()).ok()?;
    Some([enterprise, &len.to_be_bytes(), HTTP_CLIENT].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_items_begins_with_its_first_or_is_none() {
        assert_eq!(first_item(b"\0\x04iPXE\0\x01x"), Some(&b"iPXE"[..]));
        assert_eq!(first_item(b"\0\0"), Some(&b""[..]));
        for cut in [&b""[..], b"\0", b"\0\x05iPXE"] {
            assert_eq!(first_item(cut), None, "{cut:?}");
        }
    }

    #[test]
    fn firmware_of_http_boot_finds_its_enterprise_again() {
        let own = b"\0\0\x01\x57\0\x21HTTPClient:Arch:00016:UNDI:003000";
        assert_eq!(&*http_class(own).unwrap(), b"\0\0\x01\x57\0\x0aHTTPClient");
        assert_eq!(http_class(&own[..3]), None);
    }
}
