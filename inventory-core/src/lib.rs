//! The inventory: one book of hosts, networks and zones.
//!
//! Text files go in, a checked, immutable [`Snapshot`](model::Snapshot) comes out, or every mistake
//! with its place. See `ARCHITECTURE.md` for the way a file takes through the modules.
//!
//! Only `source` and `watch` touch the world. Everything else is a function of its arguments: no
//! files, sockets or clocks.

pub mod diag;
pub mod mac;
pub mod name;
pub mod span;
