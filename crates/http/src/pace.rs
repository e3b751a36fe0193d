//! Dropping those who send or take too slowly.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Runs while something does not go on. It costs nothing as long as everything does.
#[derive(Default)]
struct Patience {
    sleep: Option<Pin<Box<Sleep>>>,
    runs: bool,
}

impl Patience {
    /// It went on.
    fn renew(&mut self) {
        self.runs = false;
    }

    /// It does not go on: ready once the instant comes that was given first.
    fn poll_end(&mut self, cx: &mut Context<'_>, until: impl FnOnce() -> Instant) -> Poll<()> {
        match &mut self.sleep {
            None => self.sleep = Some(Box::pin(sleep_until(until()))),
            Some(sleep) if !self.runs => sleep.as_mut().reset(until()),
            Some(_) => {}
        }
        self.runs = true;
        self.sleep.as_mut().map_or(Poll::Pending, |sleep| sleep.as_mut().poll(cx))
    }
}

/// A connection that fails when the other end takes nothing for too long.
pub struct Paced<T> {
    inner: T,
    pause: Duration,
    patience: Patience,
}

impl<T> Paced<T> {
    pub fn new(inner: T, pause: Duration) -> Self {
        Paced { inner, pause, patience: Patience::default() }
    }

    fn judge<R>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.patience.renew();
            return written;
        }
        ready!(self.patience.poll_end(cx, || Instant::now() + self.pause));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other end takes nothing")))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Why the rest of a body was not waited for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body did not come within the time that it may take")]
pub struct TooSlow;

/// A body that fails when its sender pauses for too long, or takes too long altogether.
pub struct PacedBody<B> {
    inner: B,
    pause: Duration,
    end: Instant,
    patience: Patience,
}

impl<B> PacedBody<B> {
    pub fn new(inner: B, pause: Duration, whole: Duration) -> Self {
        PacedBody { inner, pause, end: Instant::now() + whole, patience: Patience::default() }
    }
}

impl<B> HttpBody for PacedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.patience.renew();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let this = &mut *self;
        ready!(this.patience.poll_end(cx, || this.end.min(Instant::now() + this.pause)));
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
