//! Queries as programs sent them: `captures/*.txt`, one a line, octets in hexadecimal digits behind what
//! was typed.

/// Queries of `dig`, `kdig`, `drill`, `host`, resolvers, and odd ones.
const DNS_QUERIES: &str = include_str!("../captures/dns-queries.txt");

/// A captured message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// How it came to be.
    pub what: String,
    /// The message.
    pub octets: Vec<u8>,
}

/// The queries to DNS servers.
///
/// # Panics
/// A line is not a capture.
pub fn dns_queries() -> Vec<Capture> {
    DNS_QUERIES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(read).collect()
}

fn read(line: &str) -> Capture {
    let (what, digits) = line.rsplit_once(": ").unwrap_or_else(|| panic!("no capture: {line}"));
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "an odd number of digits: {line}");
    let octet = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    Capture { what: what.to_owned(), octets: pairs.iter().map(octet).collect() }
}
