//! Everything that is tested across crates, in one binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of this is test code")]

mod suite {
    mod abuse;
    mod boot;
    mod boot6;
    mod bulk;
    mod cli;
    mod clients;
    mod clients6;
    mod differential;
    mod discovery;
    mod dnssec;
    mod edns;
    mod encrypted;
    mod endurance;
    mod examples;
    mod forwarding;
    mod generator;
    mod kea;
    mod kea6;
    mod leases;
    mod lives;
    mod load;
    mod loading;
    mod mission;
    mod names;
    mod operations;
    mod packaging;
    mod queries;
    mod ra;
    mod reconfigure;
    mod resolvers;
    mod storm;
    mod transfers;
    mod types;
    mod views;
    mod workspace;
}
