//! `hostbook-config` against a real sshd on loopback whose users live in a private root.
//!
//! Needs root, for the root directory's mounts, and `openssh-server`. The tests with cdist's own types
//! install the package `cdist` 7.0.0 from PyPI, once, beside what cargo builds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of this is test code")]

mod push {
    pub(crate) mod cdist;
    pub(crate) mod contract;
    pub(crate) mod desk;
    pub(crate) mod edges;
    pub(crate) mod faults;
    pub(crate) mod fleet;
    pub(crate) mod keys;
    pub(crate) mod login;
    pub(crate) mod original;
    pub(crate) mod own;
    pub(crate) mod plan;
    pub(crate) mod secret;
    pub(crate) mod server;
    pub(crate) mod skonfig;
    pub(crate) mod strange;
    pub(crate) mod target;
    pub(crate) mod tree;
}
