//! What the DHCPv6 core does, seen from outside: inventories as text, packets as octets.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod advertisements;
mod boot;
mod captures;
mod hostile;
mod lab;
mod leases;
mod matching;
mod messages;
mod options;
mod packet;
mod reconfigure;
mod relays;
