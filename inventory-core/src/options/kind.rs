//! The kinds of values that options take.

/// The values that an option takes, and their form on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// One IPv4 address.
    Ip4,
    /// IPv4 addresses.
    Ip4List,
    /// `10.0.0.0/8`: address and mask, 8 octets each (RFC 2132, section 4.3).
    PrefixList,
    /// `10.0.0.1 via 10.20.0.1`: destination and router, 8 octets each (RFC 2132, section 5.8).
    StaticRoutes,
    /// `10.0.0.0/8 via 10.20.0.1`: length, prefix and router (RFC 3442).
    ClasslessRoutes,
    /// One IPv6 address.
    Ip6,
    /// IPv6 addresses.
    Ip6List,
    /// A whole number.
    Integer(Integer),
    /// Whole numbers.
    IntegerList(Integer),
    /// Seconds in 32 bits, as a number or as a duration with units.
    Seconds {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// `true` or `false`, one octet.
    Boolean,
    /// Text without a length or an end mark.
    Text,
    /// A domain name, written as text on the wire.
    DomainText,
    /// Texts with a blank between them.
    Words,
    /// Texts with 16 bits of length in front of each.
    TextList,
    /// One domain name in wire form (RFC 1035, section 3.1).
    Domain,
    /// Domain names in wire form, not compressed (RFC 8415, section 10).
    DomainList,
    /// Domain names in wire form, compressed (RFC 3397, section 2).
    CompressedDomains,
    /// Addresses or domain names (RFC 3361).
    SipServers,
    /// Addresses or domain names, an option of its own each (RFC 5908).
    NtpServers,
    /// Suboptions by number, 8 bits of number and length each (RFC 2132, section 8.4).
    SubOptions,
    /// Suboptions by enterprise number and number. DHCPv4: RFC 3925, section 4.
    VendorOptions4,
    /// Suboptions by enterprise number and number. DHCPv6: RFC 8415, section 21.17.
    VendorOptions6,
    /// Any octets.
    Octets,
}

/// A whole number and its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integer {
    /// Its octets on the wire: 1, 2 or 4.
    pub octets: u8,
    /// The least.
    pub min: i64,
    /// The most.
    pub max: i64,
}

impl OptionKind {
    /// The values in words that follow «takes».
    pub fn describe(self) -> String {
        let fixed = match self {
            OptionKind::Ip4 => "an IPv4 address",
            OptionKind::Ip4List => "IPv4 addresses",
            OptionKind::PrefixList => "IPv4 prefixes",
            OptionKind::StaticRoutes => "routes to IPv4 addresses",
            OptionKind::ClasslessRoutes => "routes to IPv4 prefixes",
            OptionKind::Ip6 => "an IPv6 address",
            OptionKind::Ip6List => "IPv6 addresses",
            OptionKind::Integer(Integer { min, max, .. }) => {
                return format!("a whole number from {min} to {max}");
            }
            OptionKind::IntegerList(Integer { min, max, .. }) => {
                return format!("whole numbers from {min} to {max}");
            }
            OptionKind::Seconds { min: 0, max: u32::MAX } => "seconds, or a duration such as `12h`",
            OptionKind::Seconds { min, max } => {
                return format!("seconds from {min} to {max}, or a duration such as `12h`");
            }
            OptionKind::Boolean => "`true` or `false`",
            OptionKind::Text => "text",
            OptionKind::DomainText | OptionKind::Domain => "a domain name",
            OptionKind::Words => "texts without blanks",
            OptionKind::TextList => "texts",
            OptionKind::DomainList | OptionKind::CompressedDomains => "domain names",
            OptionKind::SipServers => "IPv4 addresses, or domain names",
            OptionKind::NtpServers => "IPv6 addresses and domain names",
            OptionKind::SubOptions => "octets, or a table of suboptions",
            OptionKind::VendorOptions4 | OptionKind::VendorOptions6 => {
                "octets, or a table of enterprise numbers with their suboptions"
            }
            OptionKind::Octets => "octets",
        };
        fixed.to_owned()
    }

    /// A value as it is written in the inventory.
    pub const fn example(self) -> &'static str {
        match self {
            OptionKind::Ip4 => "\"10.20.0.3\"",
            OptionKind::Ip4List => "[\"10.20.0.3\", \"10.20.0.4\"]",
            OptionKind::PrefixList => "[\"10.0.0.0/8\"]",
            OptionKind::StaticRoutes => "[\"10.30.0.9 via 10.20.0.1\"]",
            OptionKind::ClasslessRoutes => "[\"10.0.0.0/8 via 10.20.0.1\", \"0.0.0.0/0 via 10.20.0.2\"]",
            OptionKind::Ip6 => "\"2001:db8::3\"",
            OptionKind::Ip6List => "[\"2001:db8::3\", \"2001:db8::4\"]",
            // Sizes of packets have a lower bound.
            OptionKind::Integer(Integer { min: 68.., .. }) => "1500",
            OptionKind::Integer(_) => "100",
            OptionKind::IntegerList(Integer { min: 68.., .. }) => "[576, 1500]",
            OptionKind::IntegerList(_) => "[100, 200]",
            OptionKind::Seconds { .. } => "\"30m\"",
            OptionKind::Boolean => "true",
            OptionKind::Text => "\"text\"",
            OptionKind::DomainText | OptionKind::Domain => "\"lab.example.org\"",
            OptionKind::Words => "[\"https://a.example.org/\", \"https://b.example.org/\"]",
            OptionKind::TextList => "[\"first\", \"second\"]",
            OptionKind::DomainList | OptionKind::CompressedDomains => {
                "[\"lab.example.org\", \"example.org\"]"
            }
            OptionKind::SipServers => "[\"10.20.0.3\"]",
            OptionKind::NtpServers => "[\"2001:db8::3\", \"ntp.example.org\"]",
            OptionKind::SubOptions => "{ 1 = \"ip:10.20.0.3\", 241 = \"text:on\" }",
            OptionKind::VendorOptions4 | OptionKind::VendorOptions6 => "{ 4491 = { 1 = \"u8:5\" } }",
            OptionKind::Octets => "\"0a:00:ff\"",
        }
    }
}
