//! DHCPv6 option codes that the server reads or writes itself (RFC 8415, section 21, unless said otherwise).

/// Who the client is: its DUID.
pub const CLIENT_ID: u16 = 1;
/// Which server is meant: its DUID.
pub const SERVER_ID: u16 = 2;
/// Identity association for addresses.
pub const IA_NA: u16 = 3;
/// Identity association for temporary addresses.
pub const IA_TA: u16 = 4;
/// An address, in [`IA_NA`] and [`IA_TA`].
pub const IA_ADDRESS: u16 = 5;
/// Option request option: what the client wants to know.
pub const OPTION_REQUEST: u16 = 6;
/// How much the client should prefer this server.
pub const PREFERENCE: u16 = 7;
/// Hundredths of a second since the client began.
pub const ELAPSED_TIME: u16 = 8;
/// The message that a relay agent passes on.
pub const RELAY_MESSAGE: u16 = 9;
/// Authentication.
pub const AUTH: u16 = 11;
/// Server's unicast address, which RFC 9915 has taken out.
pub const UNICAST: u16 = 12;
/// Success or not.
pub const STATUS_CODE: u16 = 13;
/// Two messages instead of four.
pub const RAPID_COMMIT: u16 = 14;
/// What kind of client asks, as its user or system says.
pub const USER_CLASS: u16 = 15;
/// What kind of client asks, by its vendor's enterprise number.
pub const VENDOR_CLASS: u16 = 16;
/// The relay agent's name for the port that the client is at.
pub const INTERFACE_ID: u16 = 18;
/// Which message a Reconfigure asks for.
pub const RECONFIGURE_MESSAGE: u16 = 19;
/// The client takes a Reconfigure.
pub const RECONFIGURE_ACCEPT: u16 = 20;
/// DNS servers (RFC 3646).
pub const DNS_SERVERS: u16 = 23;
/// Domains that names are looked up in (RFC 3646).
pub const DOMAIN_SEARCH: u16 = 24;
/// Identity association for prefixes.
pub const IA_PD: u16 = 25;
/// A prefix, in [`IA_PD`].
pub const IA_PREFIX: u16 = 26;
/// The relay agent's name for the machine at the other end of a line (RFC 4649).
pub const REMOTE_ID: u16 = 37;
/// The client's name (RFC 4704).
pub const CLIENT_FQDN: u16 = 39;
/// Options that a relay agent wants back (RFC 4994).
pub const ECHO_REQUEST: u16 = 43;
/// What a machine that boots loads next (RFC 5970).
pub const BOOT_FILE_URL: u16 = 59;
/// Architecture types of the firmware (RFC 5970).
pub const CLIENT_ARCHITECTURE: u16 = 61;
/// The client's hardware address as the relay agent saw it (RFC 6939).
pub const CLIENT_LINK_LAYER: u16 = 79;
/// Where a machine learns how to get out of a walled network (RFC 8910).
pub const CAPTIVE_PORTAL: u16 = 103;
/// The relay agent does not use the server's port (RFC 8357).
pub const RELAY_PORT: u16 = 135;
