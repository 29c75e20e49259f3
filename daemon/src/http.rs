//! A connection as hyper wants it, which also notes what happens on it, since hyper has no limits of its own
//! for that.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets of a request that are read at once. Requests are short.
const READ_OCTETS: usize = 4096;

/// A connection over any stream.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    activity: Activity,
}

/// What has happened on a connection, and when.
#[derive(Clone, Debug)]
pub struct Activity {
    begin: Instant,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When something last happened, in milliseconds since the beginning.
    last_ms: AtomicU64,
    /// Octets that were sent.
    sent: AtomicU64,
    /// A request came since it was last looked at.
    fresh: AtomicBool,
    /// Something came since the last request: the beginning of another one.
    begun: AtomicBool,
    /// Answers that are waited for.
    busy: AtomicUsize,
}

/// An answer that is waited for, until this is dropped.
#[derive(Debug)]
pub struct Busy(Activity);

impl Default for Activity {
    /// Something happened right now.
    fn default() -> Activity {
        Activity { begin: Instant::now(), state: Arc::default() }
    }
}

impl Activity {
    /// A request came.
    pub fn request(&self) {
        self.state.fresh.store(true, Ordering::Relaxed);
        self.state.begun.store(false, Ordering::Relaxed);
    }

    /// The client waits for us: a connection does not end meanwhile.
    pub fn busy(&self) -> Busy {
        self.state.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Whether a request has begun and not ended.
    pub fn is_half_asked(&self) -> bool {
        self.state.begun.load(Ordering::Relaxed)
    }

    fn note(&self) {
        let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.state.last_ms.store(now, Ordering::Relaxed);
    }

    fn note_sent(&self, octets: usize) {
        self.state.sent.fetch_add(octets as u64, Ordering::Relaxed);
        self.note();
    }

    /// Returns when of an answer less than `least` octets were sent in a whole `window`. A connection that
    /// waits for a request must end earlier than that; [`Activity::request`] must be told of each.
    pub async fn stalls(&self, window: Duration, least: u64) {
        let mut before = 0;
        loop {
            tokio::time::sleep(window).await;
            let sent = self.state.sent.load(Ordering::Relaxed);
            if !self.state.fresh.swap(false, Ordering::Relaxed) && sent - before < least {
                return;
            }
            before = sent;
        }
    }

    /// Returns when nothing has happened for `idle`, and no answer is waited for.
    pub async fn stopped(self, idle: Duration) {
        loop {
            let last = self.begin + Duration::from_millis(self.state.last_ms.load(Ordering::Relaxed));
            let quiet = last.elapsed();
            if self.state.busy.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(idle).await;
                continue;
            }
            if quiet >= idle {
                return;
            }
            tokio::time::sleep(idle - quiet).await;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.state.busy.fetch_sub(1, Ordering::Relaxed);
        self.0.note();
    }
}

impl<S> Connection<S> {
    /// A connection over `stream`; what happens on it is noted in `activity`.
    pub fn new(stream: S, activity: Activity) -> Connection<S> {
        Connection { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> Read for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Copied once, which spares unsafe code; what clients send is short.
        let mut octets = [0; READ_OCTETS];
        let room = cursor.remaining().min(READ_OCTETS);
        let mut buffer = ReadBuf::new(octets.get_mut(..room).unwrap_or_default());
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        self.activity.note();
        self.activity.state.begun.store(true, Ordering::Relaxed);
        cursor.put_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Write for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, octets))?;
        self.activity.note_sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, slices))?;
        self.activity.note_sent(written);
        Poll::Ready(Ok(written))
    }
}
