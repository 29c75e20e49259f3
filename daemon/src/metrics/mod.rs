//! Metrics: counted on the hot path without locks, summed and shown when somebody asks.
//!
//! Names are written in full (`hostbook_dnsd_answers`), so that they can be found by searching for
//! them; the registry has no prefix.

mod common;
mod computed;
mod counters;
mod histogram;
mod http;
mod reason;

pub use common::{Common, InventoryFigures};
pub use computed::Computed;
pub use counters::{Counters, SharedTally, Tally};
pub use histogram::{Histograms, Observer};
pub use http::serve;
pub use prometheus_client::registry::Registry;
pub use reason::CountedReason;
