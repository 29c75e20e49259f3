//! What must hold between the things of an inventory.
//!
//! * [`network`] judges networks against each other and in themselves.
//! * [`host`] judges one host against its networks.
//! * [`delegation`] judges prefixes that are delegated.
//! * [`claims`] finds what two hosts both claim: names, addresses, hardware addresses, identifiers.
//! * [`installing`] judges where machines are installed from.
//! * [`names`] finds what hosts claim and zones or pools have already.
//! * [`records`] judges the records that are written in zones, [`targets`] what they point to.
//! * [`templates`] renders the templates of boot profiles for the hosts that use them.
//! * [`vm`] judges virtual machines against the machines that they run on.
//!
//! All are functions from the resolved inventory to findings.

pub(crate) mod claims;
pub(crate) mod delegation;
pub(crate) mod host;
pub(crate) mod installing;
pub(crate) mod names;
pub(crate) mod network;
pub(crate) mod records;
pub(crate) mod targets;
pub(crate) mod templates;
pub(crate) mod vm;
