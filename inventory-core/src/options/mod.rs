//! DHCP options by IANA name or number. (Being written: types first.)

use crate::diag::Finding;
use crate::toml::Table;

/// DHCPv4 or DHCPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// DHCPv4.
    V4,
    /// DHCPv6.
    V6,
}

/// One option as it goes on the wire: whole data; RFC 3396 splitting is the sender's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DhcpOption {
    /// Option code.
    pub code: u16,
    /// Whole data.
    pub data: Box<[u8]>,
}

/// Reads a table of options.
pub fn read_options(_: Family, _: Table<'_, '_>, _: &mut Vec<Finding>) -> Vec<DhcpOption> {
    Vec::new()
}
