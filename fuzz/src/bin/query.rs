//! A message to the DNS server.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::query::survive(octets));
