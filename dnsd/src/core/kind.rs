//! The types that are asked for, as they are counted.

use crate::view::rtype;

daemon::counted_reasons! {
    /// What is asked for.
    pub enum Kind {
        /// An IPv4 address.
        A => "A",
        /// An IPv6 address.
        Aaaa => "AAAA",
        /// A name of an address.
        Ptr => "PTR",
        /// Services.
        Srv => "SRV",
        /// Text.
        Txt => "TXT",
        /// How to reach a service of the web, and others (RFC 9460).
        Https => "HTTPS",
        /// The same of any service.
        Svcb => "SVCB",
        /// Where mail goes.
        Mx => "MX",
        /// Name servers.
        Ns => "NS",
        /// The start of authority.
        Soa => "SOA",
        /// An alias.
        Cname => "CNAME",
        /// Keys of a zone.
        Dnskey => "DNSKEY",
        /// Digests of keys.
        Ds => "DS",
        /// Rules for telephone numbers.
        Naptr => "NAPTR",
        /// Host keys of ssh.
        Sshfp => "SSHFP",
        /// Certificates of TLS.
        Tlsa => "TLSA",
        /// Who may issue certificates.
        Caa => "CAA",
        /// Anything.
        Any => "ANY",
        /// A whole zone.
        Axfr => "AXFR",
        /// Changes of a zone.
        Ixfr => "IXFR",
        /// Everything else.
        Other => "other",
    }
}

impl Kind {
    /// Of the type with this number.
    #[inline]
    pub fn of(qtype: u16) -> Kind {
        match qtype {
            rtype::A => Kind::A,
            rtype::AAAA => Kind::Aaaa,
            rtype::PTR => Kind::Ptr,
            rtype::SRV => Kind::Srv,
            rtype::TXT => Kind::Txt,
            rtype::HTTPS => Kind::Https,
            rtype::SVCB => Kind::Svcb,
            rtype::MX => Kind::Mx,
            rtype::NS => Kind::Ns,
            rtype::SOA => Kind::Soa,
            rtype::CNAME => Kind::Cname,
            rtype::DNSKEY => Kind::Dnskey,
            rtype::DS => Kind::Ds,
            rtype::NAPTR => Kind::Naptr,
            rtype::SSHFP => Kind::Sshfp,
            rtype::TLSA => Kind::Tlsa,
            rtype::CAA => Kind::Caa,
            rtype::ANY => Kind::Any,
            rtype::AXFR => Kind::Axfr,
            rtype::IXFR => Kind::Ixfr,
            _ => Kind::Other,
        }
    }
}
