use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

pub(crate) fn torn(part: Vec<u8>) -> Body {
    Body::new(Torn { part: Some(part.into()), is_out: false })
}

pub(crate) fn huge(size: u64) -> Body {
    let filling = size.saturating_sub((OPENING.len() + CLOSING.len()) as u64);
    Body::new(Huge { opening: Some(OPENING), filling, closing: Some(CLOSING) })
}

struct Torn {
    part: Option<Bytes>,
    is_out: bool,
}

impl HttpBody for Torn {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        // An error at once would throw away what hyper has not written yet. It writes when there is nothing to read.
        if !self.is_out {
            self.is_out = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("cut short on purpose"))))
    }
}

struct Huge {
    opening: Option<&'static str>,
    filling: u64,
    closing: Option<&'static str>,
}

impl HttpBody for Huge {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = if let Some(opening) = self.opening.take() {
            opening.as_bytes()
        } else if self.filling > 0 {
            let size = usize::try_from(self.filling).unwrap_or(FILLING.len()).min(FILLING.len());
            self.filling -= size as u64;
            &FILLING[..size]
        } else if let Some(closing) = self.closing.take() {
            closing.as_bytes()
        } else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(chunk)))))
    }

    fn size_hint(&self) -> SizeHint {
        let length = |text: Option<&str>| text.map_or(0, str::len) as u64;
        SizeHint::with_exact(length(self.opening) + self.filling + length(self.closing))
    }
}

const OPENING: &str = "{\"filling\":\"";
const CLOSING: &str = "\"}";
static FILLING: [u8; 64 * 1024] = [b'x'; 64 * 1024];
