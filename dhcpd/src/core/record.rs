//! What is written down of a lease, and what it means when it is read again.
//!
//! A record says until when its address is taken by two clocks: the wall clock, which may step, and the
//! clock of the boot, which does not but begins anew with the machine. Within one boot the latter
//! decides; after another boot the former does, and never for longer than the lease was given. So no
//! lease lives for ever and, within a boot, no address is free too early, wherever the wall clock jumps.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use inventory_core::mac::MacAddr;
use ipnet::Ipv6Net;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::client::{ClientKey, colons};
use super::input::Now;

/// The latest state of one address. One JSON object a line where leases are exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The address, or the prefix.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub address: Leased,
    /// Whose it is.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub client: ClientKey,
    /// Hardware address of the client, where it is an Ethernet one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "some_as_text",
        deserialize_with = "some_from_text"
    )]
    pub mac: Option<MacAddr>,
    /// The name that the client gave itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// What the relay agent said of the client (option 82), whole. In hexadecimal digits where leases are exported.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "digits",
        deserialize_with = "from_digits"
    )]
    pub relay_agent: Option<Box<[u8]>>,
    /// What it is about.
    pub state: State,
    /// When it was written: seconds since 1970.
    pub written: i64,
    /// For how many seconds from then on the address is taken.
    pub seconds: u32,
    /// When it was written, by the clock of the boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
}

/// What a lease is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leased {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// A prefix that is delegated; an IPv6 address where it has all 128 bits.
    V6(Ipv6Net),
}

/// What an address is to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The client has it.
    Bound,
    /// The client gave it back, and will get it again if nobody else does before.
    Released,
    /// A client found somebody else using it: it is on probation.
    Declined,
    /// Nothing is known of it any more.
    Forgotten,
}

/// A moment of one boot of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// The boot.
    pub boot: u64,
    /// Milliseconds since then, suspended time included.
    pub ms: i64,
}

impl Record {
    /// Wall clock less the boot's clock when it was written, in milliseconds; `None`: not in this boot.
    pub(super) fn wall_offset_ms(&self, boot: Option<u64>) -> Option<i64> {
        let clock = self.clock.filter(|clock| Some(clock.boot) == boot)?;
        Some(self.written.saturating_mul(1000).saturating_sub(clock.ms))
    }

    /// Until when the address is taken, in milliseconds of this boot's clock; in the past if it is not.
    pub(super) fn ends(&self, now: Now, boot: Option<u64>) -> i64 {
        let span = i64::from(self.seconds).saturating_mul(1000);
        if let Some(clock) = self.clock
            && boot == Some(clock.boot)
            && clock.ms <= now.ms()
        {
            return clock.ms.saturating_add(span);
        }
        // A wall clock that was set back since makes it younger, never older than it is.
        let age = now.unix_ms.saturating_sub(self.written.saturating_mul(1000)).max(0);
        now.ms().saturating_add(span).saturating_sub(age)
    }
}

impl From<Ipv4Addr> for Leased {
    fn from(address: Ipv4Addr) -> Leased {
        Leased::V4(address)
    }
}

impl From<Ipv6Net> for Leased {
    fn from(prefix: Ipv6Net) -> Leased {
        Leased::V6(prefix)
    }
}

impl From<Leased> for IpAddr {
    /// The address, or the first of the prefix.
    fn from(leased: Leased) -> IpAddr {
        match leased {
            Leased::V4(address) => address.into(),
            Leased::V6(prefix) => prefix.addr().into(),
        }
    }
}

impl TryFrom<Leased> for Ipv4Addr {
    type Error = Leased;

    fn try_from(leased: Leased) -> Result<Ipv4Addr, Leased> {
        match leased {
            Leased::V4(address) => Ok(address),
            Leased::V6(_) => Err(leased),
        }
    }
}

impl TryFrom<Leased> for Ipv6Net {
    type Error = Leased;

    fn try_from(leased: Leased) -> Result<Ipv6Net, Leased> {
        match leased {
            Leased::V6(prefix) => Ok(prefix),
            Leased::V4(_) => Err(leased),
        }
    }
}

impl fmt::Display for Leased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Leased::V4(address) => address.fmt(f),
            Leased::V6(prefix) if prefix.prefix_len() == 128 => prefix.addr().fmt(f),
            Leased::V6(prefix) => prefix.fmt(f),
        }
    }
}

impl FromStr for Leased {
    type Err = String;

    fn from_str(text: &str) -> Result<Leased, String> {
        let v4 = text.parse::<Ipv4Addr>().map(Leased::V4);
        let v6 = || text.parse::<Ipv6Addr>().map(|address| Leased::V6(address.into()));
        let prefix = || text.parse::<Ipv6Net>().map(|prefix| Leased::V6(prefix.trunc()));
        v4.or_else(|_| v6())
            .or_else(|_| prefix())
            .map_err(|_| format!("`{text}` is no address or IPv6 prefix"))
    }
}

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn from_text<'de, T: FromStr<Err = String>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn some_as_text<S: Serializer>(mac: &Option<MacAddr>, serializer: S) -> Result<S::Ok, S::Error> {
    match mac {
        Some(mac) => serializer.serialize_str(colons(&mac.0, &mut [0; 18]).trim_start_matches(':')),
        None => serializer.serialize_none(),
    }
}

fn some_from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MacAddr>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let mac = |text: String| {
        text.parse().map_err(|_| serde::de::Error::custom(format!("`{text}` is no MAC address")))
    };
    text.map(mac).transpose()
}

fn digits<S: Serializer>(octets: &Option<Box<[u8]>>, serializer: S) -> Result<S::Ok, S::Error> {
    let octets = octets.as_deref().unwrap_or_default();
    serializer.collect_str(&octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>())
}

fn from_digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<[u8]>>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let pairs = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let octets: Option<Box<[u8]>> = pairs.collect();
    octets
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no octets in hexadecimal digits")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn record() -> Record {
        Record {
            address: Ipv4Addr::new(10, 0, 0, 5).into(),
            client: ClientKey::of_mac(MacAddr([2, 0, 0, 0, 0, 1])),
            mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
            name: Some("laptop".into()),
            relay_agent: Some([1, 2, 0xee, 0x0f].into()),
            state: State::Bound,
            written: 1_000_000,
            seconds: 3600,
            clock: Some(Clock { boot: 7, ms: 50_000 }),
        }
    }

    fn at(ms: i64, unix_ms: i64) -> Now {
        Now { monotonic_ms: u64::try_from(ms).unwrap(), unix_ms }
    }

    #[test]
    fn within_a_boot_the_wall_clock_means_nothing() {
        for wall in [0, 1_000_000_000, 1_000_000_000 + HOUR, 315_360_000_000_000, -5] {
            assert_eq!(record().ends(at(60_000, wall), Some(7)), 50_000 + HOUR);
        }
    }

    #[test]
    fn after_another_boot_the_wall_clock_tells_the_age() {
        let written = 1_000_000_000;
        assert_eq!(record().ends(at(500, written), Some(8)), 500 + HOUR);
        assert_eq!(record().ends(at(500, written + HOUR / 4), Some(8)), 500 + HOUR - HOUR / 4);
        assert!(record().ends(at(500, written + 2 * HOUR), Some(8)) < 500);
        assert_eq!(record().ends(at(500, written), None), 500 + HOUR, "a machine that tells no boot");
    }

    #[test]
    fn a_wall_clock_set_back_lengthens_no_lease_beyond_its_time() {
        let ten_years = 315_360_000_000;
        assert_eq!(record().ends(at(500, 1_000_000_000 - ten_years), Some(8)), 500 + HOUR);
    }

    #[test]
    fn a_record_is_one_line_of_json_and_is_read_back() {
        let line = serde_json::to_string(&record()).unwrap();
        assert_eq!(
            line,
            r#"{"address":"10.0.0.5","client":"hw:01:02:00:00:00:00:01","mac":"02:00:00:00:00:01","name":"laptop","relay_agent":"0102ee0f","state":"bound","written":1000000,"seconds":3600,"clock":{"boot":7,"ms":50000}}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record());
        for text in ["10.0.0.5", "2001:db8::5", "2001:db8:40::/56"] {
            assert_eq!(text.parse::<Leased>().unwrap().to_string(), text);
        }
        assert!("10.0.0.0/24".parse::<Leased>().is_err());
        let least = r#"{"address":"10.0.0.5","client":"id:01","state":"released","written":5,"seconds":0}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Record>(least).unwrap()).unwrap(), least);
    }
}
