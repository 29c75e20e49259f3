//! What the tiny client and the resident engine say to each other: lists of octet strings.

use std::io::{self, Read, Write};

/// No list has more strings.
const STRINGS_MAX: u32 = 1 << 20;

/// No string is longer: a gigabyte.
const OCTETS_MAX: u32 = 1 << 30;

/// Writes a list.
///
/// # Errors
/// The other side is gone, or the list does not fit the format.
pub fn write(to: &mut impl Write, list: &[&[u8]]) -> io::Result<()> {
    let mut frame = Vec::with_capacity(list.iter().map(|string| string.len() + 4).sum::<usize>() + 4);
    frame.extend_from_slice(&length(list.len(), STRINGS_MAX)?.to_be_bytes());
    for string in list {
        frame.extend_from_slice(&length(string.len(), OCTETS_MAX)?.to_be_bytes());
        frame.extend_from_slice(string);
    }
    to.write_all(&frame)
}

/// Reads a list.
///
/// # Errors
/// The other side is gone, or what comes is no list.
pub fn read(from: &mut impl Read) -> io::Result<Vec<Vec<u8>>> {
    let count = number(from, STRINGS_MAX)?;
    (0..count)
        .map(|_| {
            let size = number(from, OCTETS_MAX)?;
            let mut string = Vec::new();
            from.take(size.into()).read_to_end(&mut string)?;
            if string.len() as u64 == u64::from(size) {
                Ok(string)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        })
        .collect()
}

fn length(length: usize, most: u32) -> io::Result<u32> {
    let length = u32::try_from(length).ok().filter(|length| *length <= most);
    length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "too long for the engine"))
}

fn number(from: &mut impl Read, most: u32) -> io::Result<u32> {
    let mut octets = [0; 4];
    from.read_exact(&mut octets)?;
    let number = u32::from_be_bytes(octets);
    if number > most { Err(io::ErrorKind::InvalidData.into()) } else { Ok(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let mut octets = Vec::new();
        write(&mut octets, &[b"define", b"", b"a\0b"]).unwrap();
        let list = read(&mut octets.as_slice()).unwrap();
        assert_eq!(list, [b"define".to_vec(), Vec::new(), b"a\0b".to_vec()]);
        for end in 0..octets.len() {
            assert!(read(&mut &octets[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_length_out_of_bounds_is_refused_before_anything_is_allocated() {
        assert!(read(&mut [0xff, 0xff, 0xff, 0xff].as_slice()).is_err());
        assert!(read(&mut [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff].as_slice()).is_err());
    }
}
