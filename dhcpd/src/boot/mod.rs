//! Network boot, decided without I/O: see [`crate::shell`] for sockets and files.

#![deny(clippy::indexing_slicing, clippy::too_many_lines)]

pub mod tftp;
