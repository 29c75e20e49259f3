//! A hash that is the same in all runs of a program and on all machines, for what is kept on disk. What is hashed by
//! `derive(Hash)` has another hash where a version of the program has another type.

use std::hash::Hasher;

/// FNV-1a of 64 bits (draft-eastlake-fnv, section 2). It keeps nobody from making two texts with one hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.write(&number.to_be_bytes());
    }

    fn write_u32(&mut self, number: u32) {
        self.write(&number.to_be_bytes());
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_be_bytes());
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_be_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hash;

    #[test]
    fn it_is_fnv_1a() {
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            let mut fnv = Fnv::default();
            fnv.write(text.as_bytes());
            assert_eq!(fnv.finish(), hash, "{text}");
        }
    }

    #[test]
    fn numbers_are_taken_in_the_order_of_the_network() {
        let (mut numbers, mut octets) = (Fnv::default(), Fnv::default());
        (1_u16, 2_u32, 3_i64, [4_u8].as_slice()).hash(&mut numbers);
        octets.write(&[0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 4]);
        assert_eq!(numbers.finish(), octets.finish());
    }
}
