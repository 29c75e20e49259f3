//! Reading the history.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;

use super::{FOLDER, files};
use crate::core::{Leased, Record};

/// What is known of one address.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Its records, in the order in which they became durable.
    pub records: Vec<Record>,
    /// Since when there are records at all, in seconds since 1970; `None`: there are none.
    pub begins: Option<i64>,
    /// Lines that cannot be read, such as one that a power cut left.
    pub unreadable: usize,
}

/// The past of `address`, or of the prefix that it is in, from the state directory of dhcpd. A history that
/// was never written is empty. Cost: linear in the whole history.
///
/// # Errors
/// The files cannot be read.
pub fn past_of(state: &Path, address: IpAddr) -> io::Result<Past> {
    let files = match files(&state.join(FOLDER)) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut past = Past::default();
    for (_, path) in files {
        let file = match File::open(path) {
            Ok(file) => file,
            // It was the oldest, and too old.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            match serde_json::from_slice::<Record>(&line) {
                Ok(record) => {
                    past.begins =
                        Some(past.begins.map_or(record.written, |begins| begins.min(record.written)));
                    if is_of(record.address, address) {
                        past.records.push(record);
                    }
                }
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(_) => past.unreadable += 1,
            }
            line.clear();
        }
    }
    Ok(past)
}

fn is_of(leased: Leased, address: IpAddr) -> bool {
    match (leased, address) {
        (Leased::V4(leased), IpAddr::V4(address)) => leased == address,
        (Leased::V6(prefix), IpAddr::V6(address)) => prefix.contains(&address),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_prefix_that_it_is_in() {
        let leased = |text: &str| text.parse::<Leased>().unwrap();
        assert!(is_of(leased("2001:db8:40::/56"), "2001:db8:40:12::5".parse().unwrap()));
        assert!(!is_of(leased("2001:db8:40::1"), "2001:db8:40::2".parse().unwrap()));
        assert!(!is_of(leased("10.0.0.1"), "2001:db8::".parse().unwrap()));
    }
}
