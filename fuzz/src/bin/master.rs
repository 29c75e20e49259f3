//! A master file, and those that it includes.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::master::survive(octets));
