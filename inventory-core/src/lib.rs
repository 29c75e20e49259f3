//! The inventory: one book of hosts, networks and zones.
//!
//! Text files go in, a checked, immutable [`Snapshot`](model::Snapshot) comes out, or every mistake
//! with its place. See `ARCHITECTURE.md` for the way a file takes through the modules.
//!
//! Only `source` and `watch` touch the world. Everything else is a function of its arguments: no
//! files, sockets or clocks.

mod check;
pub mod diag;
pub mod join;
pub mod load;
pub mod mac;
pub mod model;
pub mod name;
pub mod octets;
pub mod options;
pub mod parse;
pub mod records;
pub mod resolve;
pub mod source;
pub mod span;
pub mod template;
pub mod toml;
pub mod units;
pub mod watch;

pub use load::load_texts;
