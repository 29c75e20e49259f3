//! The captured packets of `tests/vectors`: real firmware, boot loaders and clients, and the answers
//! that they took at the time.

use std::net::SocketAddrV4;

/// A captured packet.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// File and line, for messages.
    pub(crate) place: String,
    /// `discover`, `offer`, `request`, `ack`.
    pub(crate) kind: String,
    pub(crate) from: SocketAddrV4,
    pub(crate) to: SocketAddrV4,
    pub(crate) octets: Vec<u8>,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../vectors/", $name, ".txt")))),*] };
}

const FILES: [(&str, &str); 12] = files![
    "arm64-pxe4",
    "bios-rom-e1000",
    "bios-rom-ipxe",
    "bios-undionly",
    "client-dhclient4",
    "client-dhcpcd4",
    "client-networkd4",
    "client-udhcpc4",
    "uefi-http4-snponly",
    "uefi-pxe4-ipxe-efi",
    "uefi-pxe4-snponly",
    "uefi-pxe6-snponly",
];

/// The frames of each file, in the order in which they went over the wire.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Vec<Frame>)> {
    FILES.into_iter().map(|(name, text)| (name, frames(name, text)))
}

/// The frames of one file.
pub(crate) fn file(name: &str) -> Vec<Frame> {
    all().find(|(other, _)| *other == name).unwrap().1
}

fn frames(name: &str, text: &str) -> Vec<Frame> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#'));
    let frames = lines.map(|(number, line)| {
        let fields: Vec<&str> = line.split(' ').collect();
        let [kind, from, to, hex] = *fields else { panic!("{name}:{number}: four fields") };
        Frame {
            place: format!("{name}:{number}"),
            kind: kind.to_owned(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            octets: octets(hex),
        }
    });
    frames.collect()
}

fn octets(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

impl Frame {
    /// Whether a client sent it.
    pub(crate) fn is_request(&self) -> bool {
        self.octets[0] == 1
    }

    /// The hardware address of the client.
    pub(crate) fn mac(&self) -> [u8; 6] {
        self.octets[28..34].try_into().unwrap()
    }

    /// The data of an option; parts joined.
    pub(crate) fn option(&self, code: u8) -> Option<Vec<u8>> {
        let mut rest = &self.octets[240..];
        let mut found: Option<Vec<u8>> = None;
        while let [other, len, tail @ ..] = rest {
            match *other {
                0 => rest = &rest[1..],
                255 => break,
                _ => {
                    let (data, after) = tail.split_at(usize::from(*len));
                    if *other == code {
                        found.get_or_insert_default().extend(data);
                    }
                    rest = after;
                }
            }
        }
        found
    }
}
