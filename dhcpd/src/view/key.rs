//! What a client is found by, and the hash that places it.
//!
//! Only the inventory puts keys into a view; a stranger can look for any key but add none. So the hash
//! needs no secret, and equal inventories are laid out alike on any machine.

use std::net::Ipv4Addr;

use inventory_core::mac::MacAddr;
use inventory_core::model::NetworkId;

/// A key of a reservation, good in one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key<'a> {
    /// Hardware address.
    Mac(NetworkId, MacAddr),
    /// Client identifier (option 61), whole value.
    ClientId(NetworkId, &'a [u8]),
    /// DHCP unique identifier, as written.
    Duid(NetworkId, &'a [u8]),
    /// Port of a relay agent: circuit id, and the remote id if it matters.
    Port(NetworkId, &'a [u8], Option<&'a [u8]>),
    /// Address of a nic that is known by a port: a client that renews directly tells no port.
    PortAddress(NetworkId, Ipv4Addr),
}

/// Which variant of [`Key`] an entry is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum KeyKind {
    Mac = 0,
    ClientId = 1,
    Duid = 2,
    Port = 3,
    PortAddress = 4,
}

impl KeyKind {
    /// How many there are.
    pub(super) const COUNT: usize = 5;
    /// All of them, in the order of their numbers.
    pub(super) const ALL: [KeyKind; KeyKind::COUNT] =
        [KeyKind::Mac, KeyKind::ClientId, KeyKind::Duid, KeyKind::Port, KeyKind::PortAddress];
}

impl Key<'_> {
    /// The key's kind.
    pub(super) fn kind(&self) -> KeyKind {
        match self {
            Key::Mac(..) => KeyKind::Mac,
            Key::ClientId(..) => KeyKind::ClientId,
            Key::Duid(..) => KeyKind::Duid,
            Key::Port(..) => KeyKind::Port,
            Key::PortAddress(..) => KeyKind::PortAddress,
        }
    }

    /// The network that it is a key in.
    pub(super) fn network(&self) -> NetworkId {
        match self {
            Key::Mac(network, _)
            | Key::ClientId(network, _)
            | Key::Duid(network, _)
            | Key::Port(network, ..)
            | Key::PortAddress(network, _) => *network,
        }
    }

    /// Spread over all 64 bits.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        let kind = self.kind() as u64;
        match *self {
            Key::Mac(network, MacAddr([a, b, c, d, e, f])) => {
                let mac = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
                mix(mac ^ SEED, u64::from(network.0) << 3 | kind)
            }
            Key::ClientId(network, octets) | Key::Duid(network, octets) => {
                hash_octets(mix(SEED, u64::from(network.0) << 3 | kind), octets)
            }
            Key::Port(network, circuit, remote) => {
                let state = hash_octets(mix(SEED, u64::from(network.0) << 3 | kind), circuit);
                remote.map_or(state, |remote| hash_octets(state ^ 1, remote))
            }
            Key::PortAddress(network, address) => {
                mix(u64::from(address.to_bits()) ^ SEED, u64::from(network.0) << 3 | kind)
            }
        }
    }
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const FACTOR: u64 = 0xa076_1d64_78bd_642f;

fn hash_octets(mut state: u64, octets: &[u8]) -> u64 {
    for chunk in octets.chunks(8) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        state = mix(state, u64::from_le_bytes(word));
    }
    mix(state, octets.len() as u64)
}

/// Both halves of a 128-bit product: every bit of the input reaches every bit of the result.
#[expect(clippy::cast_possible_truncation, reason = "the halves of the product are what is wanted")]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ FACTOR) * u128::from(b ^ SEED.rotate_left(31));
    let folded = (product as u64) ^ ((product >> 64) as u64);
    let product = u128::from(folded ^ SEED) * u128::from(FACTOR);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn neighbouring_hardware_addresses_spread_over_the_shards() {
        let mut per_shard = vec![0u32; 1024];
        for n in 0..32_768u32 {
            let [a, b, c, d] = n.to_be_bytes();
            let hash = Key::Mac(NetworkId(3), MacAddr([0x52, 0x54, a, b, c, d])).hash();
            per_shard[usize::try_from(hash >> 54).unwrap()] += 1;
        }
        // 32 are expected in each; a random spread stays far below 96.
        assert!(per_shard.iter().all(|&count| count < 96), "{:?}", per_shard.iter().max());
        assert!(per_shard.iter().filter(|&&count| count == 0).count() < 5);
    }

    #[test]
    fn network_kind_length_and_remote_id_all_matter() {
        let (one, two) = (NetworkId(1), NetworkId(2));
        let keys = [
            Key::Mac(one, MacAddr([2, 0, 0, 0, 0, 1])),
            Key::Mac(two, MacAddr([2, 0, 0, 0, 0, 1])),
            Key::ClientId(one, b"a"),
            Key::ClientId(one, b"a\0"),
            Key::Duid(one, b"a"),
            Key::Port(one, b"a", None),
            Key::Port(one, b"a", Some(b"")),
            Key::Port(one, b"a", Some(b"b")),
        ];
        let hashes: HashSet<u64> = keys.iter().map(Key::hash).collect();
        assert_eq!(hashes.len(), keys.len());
    }
}
