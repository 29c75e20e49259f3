//! Fetching memory into the cache before it is read: for many look-ups at a time, whose misses then overlap.

/// Asks the processor to fetch the octet at `at` of `octets` and what is beside it (64 octets, usually). Reads
/// nothing, and does nothing past the end, or on processors for which nobody has said how.
#[inline]
pub fn prefetch(octets: &[u8], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(octet) = octets.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint, which is allowed for any address; every x86-64 has SSE.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(octet).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (octets, at);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_place_may_be_fetched() {
        let octets = [1, 2, 3];
        for at in [0, 2, 3, usize::MAX] {
            prefetch(&octets, at);
        }
        prefetch(&[], 0);
        assert_eq!(octets, [1, 2, 3]);
    }
}
