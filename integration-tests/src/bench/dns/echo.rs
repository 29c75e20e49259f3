//! An echo of datagrams, in batches: what no server can be faster than.

use std::net::SocketAddr;

use daemon::udp::{MAX_BATCH, Options, RecvBatch, SendBatch, Wait, bind};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;

/// Sends back whatever comes to `address`, for ever.
///
/// # Panics
/// It cannot listen.
pub fn echo(address: SocketAddr) -> ! {
    let socket = bind(&Options::new(address)).unwrap();
    let (mut asked, mut replies) = (RecvBatch::new(MAX_BATCH, 2048), SendBatch::new(MAX_BATCH, 2048));
    loop {
        if asked.receive(&socket, Wait::Never).unwrap_or(0) == 0 {
            // A signal is no datagram.
            let _ = poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE);
            continue;
        }
        for datagram in asked.iter() {
            let Some(buffer) = replies.buffer() else { break };
            buffer[..datagram.bytes.len()].copy_from_slice(datagram.bytes);
            assert!(
                replies.commit(datagram.bytes.len(), datagram.from, datagram.reply_route()),
                "there is room"
            );
        }
        replies.send(&socket, Wait::ForOne);
        replies.discard();
    }
}
