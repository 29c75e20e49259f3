//! Random octets that nobody can guess.

use std::fs::File;
use std::io::{self, Read};

/// So many octets from the kernel's generator. They are not reproducible: what has to be takes them as an argument.
///
/// # Errors
/// `/dev/urandom` is missing, as in a root directory without devices, or there are too many open files.
pub fn octets<const N: usize>() -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        assert_ne!(octets::<16>().unwrap(), octets::<16>().unwrap());
    }
}
