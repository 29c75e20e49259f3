//! Questions to the kernel about an interface that only an ioctl answers (netdevice(7)).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The MTU of the interface called `name`, in bytes; `socket` is any socket of the same network
/// namespace. A name that is too long is an error (`ENODEV`), as is one that does not exist.
pub(crate) fn mtu(socket: BorrowedFd<'_>, name: &str) -> io::Result<u32> {
    // SAFETY: `ifreq` consists of integers, arrays, a pointer and unions of these: zeros are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed() as libc::c_char;
    }
    // SAFETY: the request is a live `ifreq` with a terminated name, which SIOCGIFMTU reads and fills.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFMTU as _, &raw mut request) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: SIOCGIFMTU has filled this field of the union; any bits are an i32.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    u32::try_from(mtu).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}
