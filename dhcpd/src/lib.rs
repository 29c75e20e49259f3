//! DHCP, served directly from the inventory.
//!
//! [`view`] lays a snapshot out for looking up, [`core`] decides what each message is answered, [`boot`]
//! what a machine that starts over the network is served, both without I/O; [`history`] keeps what became
//! of leases, [`names`] says which names they have; [`shell`] owns sockets, files, threads and clocks. See `ARCHITECTURE.md`.

pub mod boot;
pub mod code;
pub mod code6;
pub mod core;
mod fnv;
pub mod history;
pub mod names;
pub mod shell;
pub mod view;
