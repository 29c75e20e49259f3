//! The allocator's memory.

/// Gives what the allocator keeps of freed memory back to the system. Cost: a walk through what is free, and a call
/// for each stretch of whole pages; a few milliseconds after some hundred megabytes were freed.
pub(crate) fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes no pointer, and locks what it walks through.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Resident memory of this process in octets (proc(5), `statm`; pages of 4 KiB at least).
    fn resident() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    #[test]
    #[cfg(target_env = "gnu")]
    fn what_was_freed_between_what_is_kept_goes_back() {
        let mut boxes: Vec<Option<Box<[u8; 2048]>>> = vec![Some(Box::new([1; 2048])); 32 << 10];
        // One of each stretch holds it.
        for (_, one) in boxes.iter_mut().enumerate().filter(|(at, _)| at % 64 != 0) {
            *one = None;
        }
        let before = resident();
        give_back_memory();
        assert!(resident() + (32 << 20) < before, "{before} {}", resident());
        assert_eq!(boxes.iter().flatten().count(), 512);
    }
}
