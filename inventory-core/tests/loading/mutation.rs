//! What happens to texts: cut, flipped, doubled, joined wrongly.

use proptest::prelude::*;

/// One thing that goes wrong. Places are shares of the text, so that they fit any.
#[derive(Clone, Debug)]
pub(crate) enum Mutation {
    /// The text ends here.
    Cut(u16),
    /// One bit of one octet.
    Flip(u16, u8),
    /// One octet becomes another.
    Put(u16, u8),
    /// A line stands twice.
    DoubleLine(u16),
    /// A line is gone.
    DropLine(u16),
    /// Two lines change places.
    SwapLines(u16, u16),
    /// A piece goes.
    Drop(u16, u8),
    /// A word that means something somewhere.
    Insert(u16, &'static str),
}

const WORDS: &[&str] = &[
    "[",
    "]",
    "[[",
    "\"",
    "\"\"\"",
    "'",
    "=",
    ".",
    ",",
    "{",
    "}",
    "#",
    "\n",
    "\r",
    "\0",
    "\u{feff}",
    "ü",
    "\\",
    "\\u0000",
    "host",
    "[host.web1]\n",
    "[host.\"web1.lab.example.org\"]\n",
    "[site]\n",
    "network = \"servers\"\n",
    "ip = \"10.20.0.11\"\n",
    "nic.lan",
    "use = \"web\"\n",
    "0x",
    "1979-05-27",
    "true",
    "9223372036854775807",
    "-1",
    "nan",
    "$TTL 1h\n",
    "$ORIGIN .\n",
    "( ",
    "@ MX 10 mail\n",
    "10.20.0.0/24",
    "2001:db8::/64",
    "= \"\"\n",
    "<<<<<<< HEAD\n",
    "=======\n",
    ">>>>>>> x\n",
];

pub(crate) fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        1 => any::<u16>().prop_map(Mutation::Cut),
        3 => (any::<u16>(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        2 => (any::<u16>(), any::<u8>()).prop_map(|(at, octet)| Mutation::Put(at, octet)),
        2 => any::<u16>().prop_map(Mutation::DoubleLine),
        2 => any::<u16>().prop_map(Mutation::DropLine),
        1 => (any::<u16>(), any::<u16>()).prop_map(|(a, b)| Mutation::SwapLines(a, b)),
        2 => (any::<u16>(), any::<u8>()).prop_map(|(at, length)| Mutation::Drop(at, length)),
        3 => (any::<u16>(), proptest::sample::select(WORDS)).prop_map(|(at, word)| Mutation::Insert(at, word)),
    ]
}

impl Mutation {
    pub(crate) fn apply(&self, text: &mut Vec<u8>) {
        let place = |share: u16, length: usize| usize::from(share) * length / (usize::from(u16::MAX) + 1);
        let length = text.len();
        match *self {
            Mutation::Cut(at) => text.truncate(place(at, length)),
            Mutation::Flip(at, bit) => {
                if let Some(octet) = text.get_mut(place(at, length)) {
                    *octet ^= 1 << bit;
                }
            }
            Mutation::Put(at, new) => {
                if let Some(octet) = text.get_mut(place(at, length)) {
                    *octet = new;
                }
            }
            Mutation::Drop(at, count) => {
                let from = place(at, length);
                text.drain(from..(from + usize::from(count)).min(length));
            }
            Mutation::Insert(at, word) => {
                let at = place(at, length);
                text.splice(at..at, word.bytes());
            }
            Mutation::DoubleLine(_) | Mutation::DropLine(_) | Mutation::SwapLines(..) => {
                let mut lines: Vec<Vec<u8>> =
                    text.split_inclusive(|octet| *octet == b'\n').map(<[u8]>::to_vec).collect();
                if lines.is_empty() {
                    return;
                }
                match *self {
                    Mutation::DoubleLine(at) => {
                        let at = place(at, lines.len());
                        lines.insert(at, lines[at].clone());
                    }
                    Mutation::DropLine(at) => drop(lines.remove(place(at, lines.len()))),
                    Mutation::SwapLines(a, b) => {
                        let (a, b) = (place(a, lines.len()), place(b, lines.len()));
                        lines.swap(a, b);
                    }
                    _ => {}
                }
                *text = lines.concat();
            }
        }
    }
}
