//! TFTP's packets (RFC 1350, section 5; RFC 2347 for the options).

/// UDP port of the server (RFC 1350, section 4).
pub const PORT: u16 = 69;
/// Octets in front of the data of a DATA packet.
pub const DATA_HEADER: usize = 4;
/// Longest request that is read: RFC 2347, section "Packet Formats", allows no more.
pub const REQUEST_OCTETS_MAX: usize = 512;

const RRQ: u16 = 1;
const WRQ: u16 = 2;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
const OACK: u16 = 6;

/// How a file's octets are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As they are.
    Octet,
    /// As text: line ends are CR LF on the wire (RFC 1350, section 1; RFC 764).
    Netascii,
}

/// A request to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRequest<'a> {
    /// Name of the file as the client says it.
    pub file: &'a str,
    /// Mode.
    pub mode: Mode,
    /// Options and values, in the client's order.
    pub options: Vec<(&'a str, &'a str)>,
}

/// Why a datagram to the server's port is no request to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// A request to write.
    Write,
    /// Another mode than `octet` and `netascii`.
    Mode,
    /// Anything else.
    Malformed,
}

/// What a client sends during a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromClient {
    /// All blocks up to the one with this number have come.
    Ack(u16),
    /// The client gives up; there is no answer (RFC 1350, section 7).
    Error(u16),
    /// What no client sends at this point.
    Other,
}

/// Codes of ERROR packets (RFC 1350, appendix; RFC 2347).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum ErrorCode {
    /// See the message.
    Undefined = 0,
    /// There is no such file.
    NotFound = 1,
    /// It must not be read, or nothing may be written.
    Access = 2,
    /// The packet makes no sense.
    Illegal = 4,
}

impl<'a> ReadRequest<'a> {
    /// Reads a datagram to the server's port.
    ///
    /// # Errors
    /// It is none that can be answered with a file.
    pub fn read(octets: &'a [u8]) -> Result<ReadRequest<'a>, BadRequest> {
        let (opcode, rest) = split_u16(octets).ok_or(BadRequest::Malformed)?;
        match opcode {
            RRQ => {}
            WRQ => return Err(BadRequest::Write),
            _ => return Err(BadRequest::Malformed),
        }
        let mut words = Words(rest);
        let file = words.next().ok_or(BadRequest::Malformed)?;
        let mode = words.next().ok_or(BadRequest::Malformed)?;
        let mode = if mode.eq_ignore_ascii_case("octet") {
            Mode::Octet
        } else if mode.eq_ignore_ascii_case("netascii") {
            Mode::Netascii
        } else {
            return Err(BadRequest::Mode);
        };
        let mut options = Vec::new();
        // What does not follow the form ends the options: some ROMs send trailing padding.
        while let Some(name) = words.next() {
            let Some(value) = words.next() else { break };
            options.push((name, value));
        }
        Ok(ReadRequest { file, mode, options })
    }
}

impl FromClient {
    /// Reads a datagram to the port of a transfer.
    pub fn read(octets: &[u8]) -> FromClient {
        match split_u16(octets) {
            Some((ACK, [high, low, ..])) => FromClient::Ack(u16::from_be_bytes([*high, *low])),
            Some((ERROR, rest)) => FromClient::Error(split_u16(rest).map_or(0, |(code, _)| code)),
            _ => FromClient::Other,
        }
    }
}

/// Starts a DATA packet in `out`; the data goes behind it.
pub fn write_data(out: &mut Vec<u8>, block: u16) {
    out.clear();
    out.extend_from_slice(&DATA.to_be_bytes());
    out.extend_from_slice(&block.to_be_bytes());
}

/// Writes an OACK packet (RFC 2347) with these options and values.
pub fn write_oack<'a>(out: &mut Vec<u8>, options: impl Iterator<Item = (&'a str, u64)>) {
    out.clear();
    out.extend_from_slice(&OACK.to_be_bytes());
    for (name, value) in options {
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        out.extend_from_slice(value.to_string().as_bytes());
        out.push(0);
    }
}

/// Writes an ERROR packet.
pub fn write_error(out: &mut Vec<u8>, code: ErrorCode, message: &str) {
    out.clear();
    out.extend_from_slice(&ERROR.to_be_bytes());
    out.extend_from_slice(&(code as u16).to_be_bytes());
    out.extend_from_slice(message.as_bytes());
    out.push(0);
}

/// Octets as text on the wire: LF becomes CR LF, a bare CR becomes CR NUL.
pub fn to_netascii(octets: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(octets.len() + octets.len() / 16);
    for octet in octets {
        match octet {
            b'\n' => text.extend_from_slice(b"\r\n"),
            b'\r' => text.extend_from_slice(b"\r\0"),
            other => text.push(*other),
        }
    }
    text
}

fn split_u16(octets: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = octets.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*head), rest))
}

/// Words that end with a zero octet each, as long as they are text.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|octet| *octet == 0)?;
        let (word, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        std::str::from_utf8(word).ok().filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_request_has_a_file_a_mode_and_options() {
        let request = ReadRequest::read(b"\0\x01/a/b.efi\0OcTeT\0blksize\x001468\0tsize\x000\0").unwrap();
        assert_eq!((request.file, request.mode), ("/a/b.efi", Mode::Octet));
        assert_eq!(request.options, [("blksize", "1468"), ("tsize", "0")]);
        let request = ReadRequest::read(b"\0\x01x\0netascii\0").unwrap();
        assert_eq!((request.mode, request.options.len()), (Mode::Netascii, 0));
    }

    #[test]
    fn padding_behind_the_options_does_not_spoil_a_request() {
        let request = ReadRequest::read(b"\0\x01x\0octet\0tsize\x000\0\0\0\0\0").unwrap();
        assert_eq!(request.options, [("tsize", "0")]);
        let request = ReadRequest::read(b"\0\x01x\0octet\0tsize\x000\0blksize").unwrap();
        assert_eq!(request.options, [("tsize", "0")]);
    }

    #[test]
    fn what_is_no_read_request_is_told_apart() {
        assert_eq!(ReadRequest::read(b"\0\x02x\0octet\0"), Err(BadRequest::Write));
        assert_eq!(ReadRequest::read(b"\0\x01x\0mail\0"), Err(BadRequest::Mode));
        let whole = b"\0\x01x\0octet\0";
        for len in 0..whole.len() {
            assert_eq!(ReadRequest::read(&whole[..len]), Err(BadRequest::Malformed), "{len}");
        }
        assert_eq!(ReadRequest::read(b"\0\x01\xff\0octet\0"), Err(BadRequest::Malformed));
        assert_eq!(ReadRequest::read(b"\0\x03x\0octet\0"), Err(BadRequest::Malformed));
    }

    #[test]
    fn packets_of_a_client_cut_anywhere_are_read_without_a_panic() {
        assert_eq!(FromClient::read(&[0, 4, 1, 2]), FromClient::Ack(0x0102));
        assert_eq!(FromClient::read(&[0, 5, 0, 8, b'x']), FromClient::Error(8));
        assert_eq!(FromClient::read(&[0, 5]), FromClient::Error(0));
        for cut in [&[][..], &[0], &[0, 4], &[0, 4, 1], &[9, 9, 9, 9]] {
            assert_eq!(FromClient::read(cut), FromClient::Other, "{cut:?}");
        }
    }

    #[test]
    fn text_has_the_line_ends_of_netascii() {
        assert_eq!(to_netascii(b"a\nb\rc"), b"a\r\nb\r\0c");
    }
}
