//! What an option is: its number, its names, the values it takes.

use super::{OptionKind, v4, v6};

/// DHCPv4 or DHCPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// DHCPv4 (RFC 2131).
    V4,
    /// DHCPv6 (RFC 8415).
    V6,
}

impl Family {
    /// `DHCPv4` or `DHCPv6`.
    pub const fn name(self) -> &'static str {
        match self {
            Family::V4 => "DHCPv4",
            Family::V6 => "DHCPv6",
        }
    }

    /// The largest number an option can have. 255 ends the options of DHCPv4.
    pub const fn code_max(self) -> u16 {
        match self {
            Family::V4 => 254,
            Family::V6 => u16::MAX,
        }
    }
}

/// One option of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct OptionDef {
    /// Its number.
    pub code: u16,
    /// Its name, as it is written in the inventory.
    pub name: &'static str,
    /// Names that other servers use; they are read, too.
    pub also: &'static [&'static str],
    /// What it takes.
    pub kind: OptionKind,
    /// The RFC that defines it; 0 for none.
    pub rfc: u16,
    /// Why it cannot be written: hostbook sets it, or only clients or relay agents send it. Words
    /// that follow «because».
    pub reserved: Option<&'static str>,
}

/// Every option that is registered for `family`, and some of private use that many clients know, by
/// number (IANA "BOOTP Vendor Extensions and DHCP Options" and "DHCPv6 Option Codes").
pub fn table(family: Family) -> &'static [OptionDef] {
    match family {
        Family::V4 => v4::OPTIONS,
        Family::V6 => v6::OPTIONS,
    }
}

/// The option of this name, or that other servers call so; `None` if there is none. Linear in the
/// table.
pub fn by_name(family: Family, name: &str) -> Option<&'static OptionDef> {
    let table = table(family);
    let own = table.iter().find(|def| def.name == name);
    own.or_else(|| table.iter().find(|def| def.also.contains(&name)))
}

/// The option of this number; `None` if none is registered.
pub fn by_code(family: Family, code: u16) -> Option<&'static OptionDef> {
    let table = table(family);
    let at = table.binary_search_by_key(&code, |def| def.code).ok()?;
    table.get(at)
}

/// The lines of a table: `number name kind rfc`, then `also [names]` and `reserved why` where needed.
macro_rules! options {
    ($($code:literal $name:literal $kind:expr, $rfc:literal $(, also [$($also:literal),+])? $(, reserved $why:expr)?;)*) => {
        &[$(OptionDef {
            code: $code,
            name: $name,
            also: options!(@also $([$($also),+])?),
            kind: $kind,
            rfc: $rfc,
            reserved: options!(@reserved $($why)?),
        }),*]
    };
    (@also) => { &[] };
    (@also [$($also:literal),+]) => { &[$($also),+] };
    (@reserved) => { None };
    (@reserved $why:expr) => { Some($why) };
}
pub(super) use options;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn both_tables_ascend_and_every_name_is_unique() {
        for family in [Family::V4, Family::V6] {
            let table = table(family);
            assert!(table.windows(2).all(|pair| pair[0].code < pair[1].code), "{family:?}");
            assert!(table.iter().all(|def| (1..=family.code_max()).contains(&def.code)));
            let names: Vec<&str> = table
                .iter()
                .flat_map(|def| std::iter::once(def.name).chain(def.also.iter().copied()))
                .collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{family:?}");
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            for name in names {
                assert!(name.bytes().all(plain) && name.bytes().any(|b| b.is_ascii_lowercase()), "{name}");
            }
        }
    }

    #[test]
    fn options_are_found_by_name_and_by_number() {
        for family in [Family::V4, Family::V6] {
            for def in table(family) {
                assert_eq!(by_code(family, def.code), Some(def));
                assert_eq!(by_name(family, def.name), Some(def));
                for also in def.also {
                    assert_eq!(by_name(family, also), Some(def));
                }
            }
            assert_eq!(by_code(family, 0), None);
            assert_eq!(by_name(family, "no-such-option"), None);
        }
        let code = |family, name| by_name(family, name).map(|def| def.code);
        for (name, v4, v6) in [
            ("routers", Some(3), None),
            ("domain-name-servers", Some(6), None),
            ("ntp-servers", Some(42), None),
            ("ntp-server", None, Some(56)),
            ("domain-search", Some(119), Some(24)),
            ("captive-portal", Some(114), Some(103)),
            ("v6-only-preferred", Some(108), None),
            ("bootfile-name", Some(67), None),
            ("boot-file-name", Some(67), None),
            ("bootfile-url", None, Some(59)),
            ("dns-servers", None, Some(23)),
        ] {
            assert_eq!((code(Family::V4, name), code(Family::V6, name)), (v4, v6), "{name}");
        }
    }

    #[test]
    fn all_registered_numbers_are_there() {
        let unassigned4 = [84, 96, 110, 111, 115, 126, 127, 149, 160];
        let assigned4 = (1..=162).filter(|code| !(102..=107).contains(code) && !unassigned4.contains(code));
        for code in assigned4.chain(175..=177).chain(208..=213).chain(220..=221) {
            assert!(by_code(Family::V4, code).is_some(), "{code}");
        }
        for code in (1..=150).filter(|code| ![10, 35].contains(code)) {
            assert!(by_code(Family::V6, code).is_some(), "{code}");
        }
    }
}
