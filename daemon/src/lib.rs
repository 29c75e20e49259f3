//! What the hostbook daemons share and neither may own.
//!
//! | module | is |
//! | --- | --- |
//! | [`udp`], [`tcp`], [`interfaces`], [`frame`] | sockets bound for servers, batched UDP, replies to clients without an address |
//! | [`http`] | connections as hyper wants them |
//! | [`follow`] | each good state of the inventory taken into service, the last good one kept |
//! | [`control`] | the Unix socket by which `hostbook status` and others ask a running daemon |
//! | [`metrics`] | counters for the hot path, and the page that Prometheus scrapes |
//! | [`log`], [`notify`], [`signals`], [`stop`] | a daemon's life under systemd or a shell |
//! | [`random`] | octets that nobody can guess |
//! | [`privileges`], [`state`], [`secret`] | what it may do, where it keeps what it learns, and what it signs with |
//! | [`explain`], [`exit`] | errors that say what to do, and the exit codes of the contract |
//!
//! Never decides what a packet means; that is the daemons' cores. Unsafe code is in `sys` only.

pub mod control;
pub mod exit;
pub mod explain;
pub mod follow;
pub mod frame;
pub mod http;
pub mod interfaces;
mod listen_error;
pub mod log;
pub mod metrics;
pub mod neighbours;
pub mod notify;
pub mod privileges;
pub mod random;
pub mod secret;
pub mod service;
pub mod signals;
pub mod state;
pub mod stop;
mod sys;
pub mod tcp;
#[cfg(test)]
mod testing;
pub mod udp;
pub mod view;

pub use listen_error::ListenError;
pub use sys::counting::CountingAllocator;
pub use sys::prefetch::prefetch;
