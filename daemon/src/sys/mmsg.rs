//! `recvmmsg` and `sendmmsg`: many datagrams per system call, without allocation.
//!
//! The headers live on the stack of one call (5 KiB) and are built anew each time: no pointer outlives
//! the borrow of what it points to. Never uses the timeout argument of `recvmmsg`, which is checked
//! only after each datagram and so bounds nothing (recvmmsg(2), BUGS).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::cmsg::{CONTROL_LEN, Control};
use super::sockaddr::{NAME_LEN, Name};

/// The most datagrams of one call.
pub const MAX_BATCH: usize = 64;

/// Whether a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Return at once, whatever the mode of the socket.
    Never,
    /// Wait until one datagram has been received, or until there is room for one to be sent; as long
    /// as `SO_RCVTIMEO`, `SO_SNDTIMEO` and the socket's mode allow. A non-blocking socket never waits.
    ForOne,
}

/// One place of a batch to be received into.
pub(super) struct RecvSlot<'a> {
    pub(super) payload: &'a mut [u8],
    pub(super) name: &'a mut Name,
    pub(super) control: &'a mut Control,
}

/// What the kernel said of one received datagram. Lengths never exceed the room that was given.
#[derive(Clone, Copy, Default)]
pub(super) struct Filled {
    pub(super) len: usize,
    pub(super) name_len: usize,
    pub(super) control_len: usize,
    pub(super) truncated: bool,
}

/// One datagram of a batch to be sent.
pub(super) struct SendSlot<'a> {
    pub(super) payload: &'a mut [u8],
    pub(super) name: &'a mut Name,
    pub(super) control: &'a mut Control,
    pub(super) control_len: usize,
}

/// Receives into the first places of `slots` and says of each what came, in order.
///
/// At most [`MAX_BATCH`] places and as many as `filled` has are used. An error after the first
/// datagram is reported by the next call, as the kernel keeps it.
pub(super) fn receive<'a>(
    socket: BorrowedFd<'_>,
    slots: impl Iterator<Item = RecvSlot<'a>>,
    filled: &mut [Filled],
    wait: Wait,
) -> io::Result<usize> {
    let mut headers = empty_headers();
    let mut vectors = [EMPTY_VECTOR; MAX_BATCH];
    let mut count = 0;
    for ((slot, header), vector) in slots.take(filled.len()).zip(&mut headers).zip(&mut vectors) {
        *vector = libc::iovec { iov_base: slot.payload.as_mut_ptr().cast(), iov_len: slot.payload.len() };
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_name = slot.name.as_mut_ptr().cast();
        header.msg_hdr.msg_namelen = NAME_ROOM;
        header.msg_hdr.msg_control = slot.control.as_mut_ptr().cast();
        header.msg_hdr.msg_controllen = CONTROL_LEN as _;
        count += 1;
    }
    let flags = match wait {
        Wait::Never => libc::MSG_DONTWAIT,
        Wait::ForOne => libc::MSG_WAITFORONE,
    };
    // SAFETY: the first `count` headers point to payload, name and control data which `slots` lent
    // mutably for 'a, which ends after this call, each with its true length; to one element of
    // `vectors` each; and nothing else reads or writes them meanwhile.
    let got = unsafe {
        libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, flags as _, std::ptr::null_mut())
    };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    for (header, filled) in headers.iter().zip(filled.iter_mut()).take(got) {
        let message = &header.msg_hdr;
        let control_len: usize = message.msg_controllen as _;
        *filled = Filled {
            len: header.msg_len as usize,
            name_len: (message.msg_namelen as usize).min(NAME_LEN),
            control_len: control_len.min(CONTROL_LEN),
            truncated: message.msg_flags & libc::MSG_TRUNC != 0,
        };
    }
    Ok(got)
}

/// Sends `slots` in order and returns how many of the first ones went out, at least one.
///
/// An error is that of the first slot; an error of a later one ends the call and comes back when that
/// one is tried again as the first. At most [`MAX_BATCH`] are tried.
pub(super) fn send<'a>(
    socket: BorrowedFd<'_>,
    slots: impl Iterator<Item = SendSlot<'a>>,
    wait: Wait,
) -> io::Result<usize> {
    let mut headers = empty_headers();
    let mut vectors = [EMPTY_VECTOR; MAX_BATCH];
    let mut count = 0;
    for ((slot, header), vector) in slots.zip(&mut headers).zip(&mut vectors) {
        *vector = libc::iovec { iov_base: slot.payload.as_mut_ptr().cast(), iov_len: slot.payload.len() };
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_name = slot.name.as_mut_ptr().cast();
        header.msg_hdr.msg_namelen = slot.name.len().into();
        if slot.control_len != 0 {
            header.msg_hdr.msg_control = slot.control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = slot.control_len.min(CONTROL_LEN) as _;
        }
        count += 1;
    }
    let flags = match wait {
        Wait::Never => libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        Wait::ForOne => libc::MSG_NOSIGNAL,
    };
    // SAFETY: as in `receive`; the kernel only reads the payload, name and control data, and writes
    // nothing but `msg_len` of the headers.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, flags as _) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

const NAME_ROOM: libc::socklen_t = {
    assert!(NAME_LEN == 28);
    28
};
const EMPTY_VECTOR: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };

fn empty_headers() -> [libc::mmsghdr; MAX_BATCH] {
    // SAFETY: `mmsghdr` consists of integers and raw pointers, for which all zeros is a value.
    unsafe { std::mem::zeroed() }
}
