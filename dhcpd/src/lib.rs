//! DHCP, served directly from the inventory.
//!
//! [`view`] lays a snapshot out for looking up, [`core`] decides what each message is answered, without
//! I/O, [`shell`] owns sockets, threads and clocks. See `ARCHITECTURE.md`.

pub mod code;
pub mod core;
pub mod shell;
pub mod view;
