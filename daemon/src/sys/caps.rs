//! Capabilities of the calling thread (capabilities(7)). `nix` and `libc` have no wrapper for them.
//!
//! Every set is a mask with bit `n` for capability number `n`. All calls concern one thread only: a
//! process changes them before it starts a second one.

use std::io;

use nix::errno::Errno;

/// Bit of `CAP_NET_BIND_SERVICE`: ports below 1024.
pub(crate) const NET_BIND_SERVICE: u64 = 1 << 10;
/// Bit of `CAP_NET_RAW`: packet sockets, other people's source addresses, `SO_BINDTODEVICE`.
pub(crate) const NET_RAW: u64 = 1 << 13;

/// The three sets that capget and capset know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sets {
    pub(crate) effective: u64,
    pub(crate) permitted: u64,
    pub(crate) inheritable: u64,
}

/// `_LINUX_CAPABILITY_VERSION_3`: 64 capabilities, in two halves.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The sets of the calling thread.
pub(crate) fn get() -> io::Result<Sets> {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut halves = [Half::default(); 2];
    // SAFETY: the header and the two halves that version 3 demands are alive and laid out as in
    // <linux/capability.h>.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, halves.as_mut_ptr()) };
    Errno::result(result)?;
    let [low, high] = halves;
    let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    Ok(Sets {
        effective: join(low.effective, high.effective),
        permitted: join(low.permitted, high.permitted),
        inheritable: join(low.inheritable, high.inheritable),
    })
}

/// Replaces the sets of the calling thread. Nothing can be added to the permitted set.
pub(crate) fn set(sets: Sets) -> io::Result<()> {
    let header = Header { version: VERSION, pid: 0 };
    let half = |shift: u32| {
        let part = |set: u64| (set >> shift & 0xffff_ffff) as u32;
        Half {
            effective: part(sets.effective),
            permitted: part(sets.permitted),
            inheritable: part(sets.inheritable),
        }
    };
    let halves = [half(0), half(32)];
    // SAFETY: as in `get`; the kernel only reads.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, halves.as_ptr()) };
    Errno::result(result)?;
    Ok(())
}

/// Empties the ambient set, which would survive an exec.
pub(crate) fn clear_ambient() -> io::Result<()> {
    // SAFETY: no pointers.
    let result = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) };
    match Errno::result(result) {
        Ok(_) | Err(Errno::EINVAL) => Ok(()), // a kernel before 4.3 has no ambient set
        Err(errno) => Err(errno.into()),
    }
}

/// Takes all but `keep` out of the bounding set, so that no exec can gain them. Needs `CAP_SETPCAP`.
pub(crate) fn limit_bounding(keep: u64) -> io::Result<()> {
    for capability in 0..64_u32 {
        if keep & (1 << capability) != 0 {
            continue;
        }
        // SAFETY: no pointers.
        let result = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0, 0, 0) };
        match Errno::result(result) {
            Ok(_) => {}
            Err(Errno::EINVAL) => break, // past the last one that this kernel knows
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_those_that_proc_shows() {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let shown = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap();
            u64::from_str_radix(line[key.len()..].trim(), 16).unwrap()
        };
        let sets = get().unwrap();
        assert_eq!(sets.effective, shown("CapEff:"));
        assert_eq!(sets.permitted, shown("CapPrm:"));
        assert_eq!(sets.inheritable, shown("CapInh:"));
    }

    #[test]
    fn a_capability_that_was_given_up_is_gone_from_this_thread_only() {
        let before = get().unwrap();
        std::thread::spawn(move || {
            let keep = before.permitted & NET_RAW;
            let sets = Sets { effective: keep, permitted: keep, inheritable: 0 };
            set(sets).unwrap();
            assert_eq!(get().unwrap(), sets);
            let wanted = keep | NET_BIND_SERVICE;
            assert!(set(Sets { effective: wanted, permitted: wanted, inheritable: 0 }).is_err());
        })
        .join()
        .unwrap();
        assert_eq!(get().unwrap(), before);
    }
}
