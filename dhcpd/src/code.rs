//! DHCPv4 option codes that the server reads or writes itself (RFC 2132 unless said otherwise).

/// Fill octet without length.
pub const PAD: u8 = 0;
/// Subnet mask.
pub const SUBNET_MASK: u8 = 1;
/// Routers of the network.
pub const ROUTERS: u8 = 3;
/// DNS servers.
pub const DOMAIN_NAME_SERVERS: u8 = 6;
/// Host name.
pub const HOST_NAME: u8 = 12;
/// Domain that names without dots are looked up in.
pub const DOMAIN_NAME: u8 = 15;
/// Broadcast address.
pub const BROADCAST_ADDRESS: u8 = 28;
/// Vendor's own options.
pub const VENDOR_OPTIONS: u8 = 43;
/// Address that the client wants.
pub const REQUESTED_ADDRESS: u8 = 50;
/// Lease time in seconds.
pub const LEASE_TIME: u8 = 51;
/// Which of the fields `file` and `sname` hold options as well.
pub const OVERLOAD: u8 = 52;
/// Message type.
pub const MESSAGE_TYPE: u8 = 53;
/// Address of the server that is meant.
pub const SERVER_ID: u8 = 54;
/// Options that the client asks for, the dearest first.
pub const PARAMETER_REQUEST_LIST: u8 = 55;
/// Text for people.
pub const MESSAGE: u8 = 56;
/// Longest message that the client takes.
pub const MAX_MESSAGE_SIZE: u8 = 57;
/// Seconds until the client renews.
pub const RENEWAL_TIME: u8 = 58;
/// Seconds until the client asks any server.
pub const REBINDING_TIME: u8 = 59;
/// Vendor class of the client.
pub const VENDOR_CLASS: u8 = 60;
/// Client identifier.
pub const CLIENT_ID: u8 = 61;
/// TFTP server name.
pub const TFTP_SERVER: u8 = 66;
/// Boot file name.
pub const BOOT_FILE: u8 = 67;
/// User class (RFC 3004; iPXE sends it without lengths).
pub const USER_CLASS: u8 = 77;
/// The client takes a DHCPACK for its DHCPDISCOVER (RFC 4039).
pub const RAPID_COMMIT: u8 = 80;
/// Name of the client and who keeps it in the DNS (RFC 4702).
pub const CLIENT_FQDN: u8 = 81;
/// Relay agent information (RFC 3046).
pub const RELAY_AGENT: u8 = 82;
/// Seconds since the client's last message (RFC 4388).
pub const CLIENT_LAST_TRANSACTION_TIME: u8 = 91;
/// All addresses of a client (RFC 4388).
pub const ASSOCIATED_IP: u8 = 92;
/// Architecture types of the client (RFC 4578).
pub const CLIENT_ARCHITECTURE: u8 = 93;
/// UUID of the client (RFC 4578).
pub const CLIENT_UUID: u8 = 97;
/// Address in the network that the client wants an address of (RFC 3011).
pub const SUBNET_SELECTION: u8 = 118;
/// Classless static routes (RFC 3442).
pub const CLASSLESS_ROUTES: u8 = 121;
/// Addresses of TFTP servers (RFC 5859).
pub const TFTP_ADDRESS: u8 = 150;
/// How a bulk leasequery has ended (RFC 6926).
pub const STATUS_CODE: u8 = 151;
/// The server's time, in seconds since 1970 (RFC 6926).
pub const BASE_TIME: u8 = 152;
/// Seconds since a binding is what it is (RFC 6926).
pub const START_TIME_OF_STATE: u8 = 153;
/// Since when a binding must have changed to be told of (RFC 6926).
pub const QUERY_START_TIME: u8 = 154;
/// Until when it must have (RFC 6926).
pub const QUERY_END_TIME: u8 = 155;
/// What a binding is (RFC 6926).
pub const DHCP_STATE: u8 = 156;
/// iPXE's own options.
pub const IPXE: u8 = 175;
/// End of the options.
pub const END: u8 = 255;

/// Circuit id, a suboption of [`RELAY_AGENT`].
pub const RELAY_CIRCUIT_ID: u8 = 1;
/// Remote id, a suboption of [`RELAY_AGENT`].
pub const RELAY_REMOTE_ID: u8 = 2;
/// Link of the client, a suboption of [`RELAY_AGENT`] (RFC 3527).
pub const RELAY_LINK_SELECTION: u8 = 5;
/// The server as the client is to see it, a suboption of [`RELAY_AGENT`] (RFC 5107).
pub const RELAY_SERVER_OVERRIDE: u8 = 11;
/// Identifier of the relay agent, a suboption of [`RELAY_AGENT`] (RFC 6925).
pub const RELAY_ID: u8 = 12;
