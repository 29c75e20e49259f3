//! Measuring beside the servers that others use: what `hostbook-bench` and `hostbook-load` are made of.
//!
//! The figure is the processor time of a server per answer, which other load on the machine changes little;
//! ratios come from one run, in which the servers take turns. Every answer is checked.

pub mod clock;
pub mod daemons;
pub mod dhcp;
pub mod dns;
pub mod edit;
pub mod figures;
pub mod flood;
pub mod growth;
pub mod machine;
pub mod plot;
pub mod report;
pub mod runs;
pub mod server;
pub mod site;
pub mod transfer;
