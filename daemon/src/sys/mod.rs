//! The system calls, the one instruction and the allocator that the standard library and `nix` do not offer safely.
//!
//! The only module of the workspace with unsafe code. Each file wraps one group of calls; what leaves
//! a file is safe for any argument. Layouts of the kernel's structures (socket addresses, control
//! messages) are read and written as bytes by `sockaddr` and `cmsg`, without unsafe code.
//!
//! Linux only, 64-bit and 32-bit.
#![expect(
    unsafe_code,
    reason = "batched UDP, capabilities, an ioctl, prefetching and the allocator have no safe wrapper"
)]

pub(crate) mod arp;
pub(crate) mod caps;
mod cmsg;
pub(crate) mod counting;
#[cfg(test)]
pub(crate) mod fork;
pub(crate) mod heap;
pub(crate) mod ioctl;
pub(crate) mod mmsg;
pub(crate) mod packet;
pub(crate) mod prefetch;
pub(crate) mod recv_batch;
pub(crate) mod send_batch;
mod sockaddr;
pub(crate) mod sockopt;
