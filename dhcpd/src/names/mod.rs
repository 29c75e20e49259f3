//! Names of leases in the DNS: which lease has which name ([`wanted`]), and how a server is told of it by dynamic
//! updates (RFC 2136, [`message`]) such that no machine takes another's name (RFC 4703, [`steps`]).
//!
//! Nothing here touches a socket or a clock. No lease waits for a name.

mod dhcid;
mod message;
mod steps;
mod wanted;

pub use message::{Key, Request, Response, Sent};
pub use steps::{Course, Ended};
pub(crate) use wanted::host_label;
pub use wanted::{Leasing, Registration, Wanting};
