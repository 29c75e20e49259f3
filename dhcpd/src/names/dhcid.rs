//! Who has a name: the data of DHCID records (RFC 4701, section 3), a digest of the client and the name.

use inventory_core::name::Name;
use sha2::{Digest, Sha256};

use crate::core::ClientKey;

/// What a client is told by (RFC 4701, section 3.3).
const HARDWARE: u16 = 0;
const IDENTIFIER: u16 = 1;
const DUID: u16 = 2;
/// Digest by SHA-256.
const SHA256: u8 = 1;
/// Type of client identifiers that have a DUID in them, after four octets (RFC 4361, section 6.1).
const NODE_SPECIFIC: u8 = 255;

/// The data for `client` and `name`. By its DUID a machine is the same one in both families.
pub(super) fn of(client: &ClientKey, name: &Name) -> Box<[u8]> {
    let (kind, id): (u16, Vec<u8>) = if let Some((_, _, duid)) = client.association() {
        (DUID, duid.to_vec())
    } else if let Some(id) = client.identifier() {
        match id {
            [NODE_SPECIFIC, _, _, _, _, duid @ ..] if !duid.is_empty() => (DUID, duid.to_vec()),
            _ => (IDENTIFIER, id.to_vec()),
        }
    } else {
        let (htype, address) = client.hardware().unwrap_or((0, &[]));
        (HARDWARE, [&[htype], address].concat())
    };
    let digest = Sha256::new().chain_update(id).chain_update(name.as_wire()).finalize();
    [&kind.to_be_bytes()[..], &[SHA256], &digest].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    #[test]
    fn the_examples_of_rfc_4701_come_out() {
        for (client, name, data) in [
            (
                "na:00:00:00:07:00:01:00:06:41:2d:f1:66:01:02:03:04:05:06",
                "chi6.example.com",
                "000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40",
            ),
            (
                "id:01:07:08:09:0a:0b:0c",
                "chi.example.com",
                "0001013920fe5d1dceb3fd0ba3379756a70d73b17009f41d58bddbfcd6a2503956d8da",
            ),
            (
                "hw:01:01:02:03:04:05:06",
                "client.example.com",
                "000001c4b9a5b249651343158dde7bcc77169841f7a4243a572b5c283fffedeb3f75e6",
            ),
        ] {
            let name = Name::parse(name, None).unwrap();
            assert_eq!(hex(&of(&client.parse().unwrap(), &name)), data);
        }
    }

    #[test]
    fn a_machine_is_one_by_its_duid_in_both_families() {
        let name = Name::parse("a.example", None).unwrap();
        let four = "id:ff:00:00:00:07:00:01:00:06".parse().unwrap();
        let six = "na:00:00:00:09:00:01:00:06".parse().unwrap();
        assert_eq!(of(&four, &name), of(&six, &name));
    }
}
