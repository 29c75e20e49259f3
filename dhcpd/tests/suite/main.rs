//! What the DHCPv4 core and its view do, seen from outside: inventories as text, packets as octets.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod allocations;
mod boot;
mod bulk;
mod captures;
mod class_pools;
mod classes;
mod clocks;
mod hostile;
mod lab;
mod leasequery;
mod links;
mod packet;
mod pools;
mod ports;
mod probes;
mod proxy;
mod relays;
mod replies;
mod simulation;
mod states;
mod vectors;
mod view;
