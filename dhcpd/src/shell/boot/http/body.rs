//! The body of an answer, read piece by piece as the client takes it.
//!
//! Its length is known from the beginning, so that hyper says `Content-Length` and never sends chunks,
//! which boot firmware does not understand.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

use crate::shell::boot::content::Content;

/// Octets that are read at once.
const PIECE_OCTETS: u64 = 256 << 10;

/// A part of a content, or nothing.
pub(super) struct Part {
    content: Option<Content>,
    range: Range<u64>,
}

impl Part {
    pub(super) fn of(content: Content, range: Range<u64>) -> Part {
        Part { content: Some(content), range }
    }

    pub(super) fn text(text: String) -> Part {
        let octets: std::sync::Arc<[u8]> = text.into_bytes().into();
        let range = 0..octets.len() as u64;
        Part { content: Some(Content::Made(octets)), range }
    }
}

impl Body for Part {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let left = self.range.end - self.range.start;
        let Some(content) = self.content.as_ref().filter(|_| left > 0) else { return Poll::Ready(None) };
        let octets = usize::try_from(left.min(PIECE_OCTETS)).unwrap_or(usize::MAX);
        let mut piece = Vec::new();
        let read = content.read(self.range.start, octets, &mut piece);
        if let Err(error) = read {
            return Poll::Ready(Some(Err(error)));
        }
        if piece.is_empty() {
            // It was cut while it was sent: the connection ends before the promised length is there.
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        self.range.start += piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.range.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.range.end - self.range.start)
    }
}
