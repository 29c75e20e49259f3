//! Telling threads that wait on sockets to finish.
//!
//! A worker sleeps in poll(2) on its socket and on a [`StopToken`]. One [`Stop`] wakes all of them, at
//! once and for good, without a signal or a timer.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Stops all workers that hold one of its tokens, when [`stop`](Stop::stop) is called or it is dropped.
#[derive(Debug)]
pub struct Stop {
    // Closing this end makes the other end readable for everyone, for ever.
    _keep: UnixStream,
    token: StopToken,
}

/// A worker's view of a [`Stop`].
#[derive(Clone, Debug)]
pub struct StopToken {
    end: Arc<UnixStream>,
}

/// What woke a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The socket can be read (or has an error, which a read returns).
    Readable,
    /// The worker shall finish. Comes before anything else.
    Stopped,
    /// The time is over, or a signal came: look around and wait again.
    TimedOut,
}

impl Stop {
    /// Makes a stop and its first token. Uses two file descriptors.
    pub fn new() -> io::Result<Stop> {
        let (keep, end) = UnixStream::pair()?;
        Ok(Stop { _keep: keep, token: StopToken { end: Arc::new(end) } })
    }

    /// A token for one more worker.
    pub fn token(&self) -> StopToken {
        self.token.clone()
    }

    /// Stops all workers.
    pub fn stop(self) {}
}

impl StopToken {
    /// Waits until `socket` can be read, the stop comes, or `timeout` is over (`None`: never).
    pub fn wait(&self, socket: impl AsFd, timeout: Option<Duration>) -> io::Result<Woken> {
        let timeout = match timeout {
            Some(timeout) => PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        let mut waiting = [
            PollFd::new(self.end.as_fd(), PollFlags::POLLIN),
            PollFd::new(socket.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut waiting, timeout) {
            Ok(0) | Err(Errno::EINTR) => Ok(Woken::TimedOut),
            Ok(_) if waiting[0].any().unwrap_or(true) => Ok(Woken::Stopped),
            Ok(_) => Ok(Woken::Readable),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Returns whether the stop has come, without waiting.
    pub fn is_stopped(&self) -> bool {
        let mut end = [PollFd::new(self.end.as_fd(), PollFlags::POLLIN)];
        !matches!(poll(&mut end, PollTimeout::ZERO), Ok(0) | Err(_))
    }
}

impl AsFd for StopToken {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn a_stop_wakes_every_worker_and_stays() {
        let stop = Stop::new().unwrap();
        let quiet = UdpSocket::bind("127.0.0.1:0").unwrap();
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let (token, socket) = (stop.token(), quiet.try_clone().unwrap());
                std::thread::spawn(move || (token.wait(&socket, None).unwrap(), token.is_stopped()))
            })
            .collect();
        let late = stop.token();
        assert!(!late.is_stopped());
        stop.stop();
        for worker in workers {
            assert_eq!(worker.join().unwrap(), (Woken::Stopped, true));
        }
        assert_eq!(late.wait(&quiet, None).unwrap(), Woken::Stopped);
    }

    #[test]
    fn a_datagram_wakes_a_worker_and_silence_ends_with_the_time() {
        let stop = Stop::new().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let token = stop.token();
        assert_eq!(token.wait(&socket, Some(Duration::ZERO)).unwrap(), Woken::TimedOut);
        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        assert_eq!(token.wait(&socket, None).unwrap(), Woken::Readable);
    }
}
