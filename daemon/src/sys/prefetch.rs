//! Fetching memory into the cache before it is read: for many look-ups at a time, whose misses then overlap.

/// Asks the processor to fetch what is at `at` of `items` and what is beside it (64 octets, usually, at either end of
/// a large one). Reads nothing, and does nothing past the end, or on processors for which nobody has said how.
#[inline]
pub fn prefetch<T>(items: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(item) = items.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let first = std::ptr::from_ref(item).cast::<i8>();
        // SAFETY: a prefetch is a hint, which is allowed for any address; every x86-64 has SSE.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(first) };
        if size_of::<T>() > WORD {
            // SAFETY: as above.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(size_of::<T>() - 1)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, at);
}

/// Octets of what lies in one line of the cache, as it is aligned.
#[cfg(target_arch = "x86_64")]
const WORD: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_place_may_be_fetched() {
        let octets = [1, 2, 3];
        for at in [0, 2, 3, usize::MAX] {
            prefetch(&octets, at);
        }
        prefetch::<u8>(&[], 0);
        let large = [[7_u64; 20]; 2];
        for at in [0, 1, 2] {
            prefetch(&large, at);
        }
        assert_eq!((octets, large), ([1, 2, 3], [[7; 20]; 2]));
    }
}
