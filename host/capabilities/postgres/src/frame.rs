//! A bound on what a server may make the host hold.
//!
//! PostgreSQL announces the length of each message (`Int32` after the type byte, protocol 3.0),
//! and the driver gathers a message before it looks at it: without a bound a server could have a
//! gigabyte held for it. A message over [`MAX_RESULT_BYTES`] ends the connection here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::MAX_RESULT_BYTES;

/// The type byte and the length.
const HEAD: usize = 5;

/// Set when a message was too long, for an error that says so.
pub type TooLong = Arc<AtomicBool>;

/// What comes next from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// One byte that says if TLS follows.
    Answer,
    /// TLS, which this cannot look into; what comes out of it is counted instead.
    Sealed,
    /// A message, of whose head this much has come: bytes, and the length so far.
    Head(usize, u32),
    /// The rest of a message.
    Rest(u32),
}

impl Next {
    /// The start of messages.
    pub const MESSAGE: Self = Self::Head(0, 0);

    /// Looks at what has come; an error when a message is too long.
    pub fn see(mut self, mut bytes: &[u8]) -> Result<Self, ()> {
        while let Some((first, rest)) = bytes.split_first() {
            self = match self {
                Self::Sealed => return Ok(self),
                Self::Answer if *first == b'S' => Self::Sealed,
                Self::Answer => Self::MESSAGE,
                Self::Head(0, _) => Self::Head(1, 0),
                Self::Head(have, length) => {
                    let length = length << 8 | u32::from(*first);
                    match have + 1 {
                        // The length counts itself.
                        HEAD => Self::Rest(length.saturating_sub(4)).checked()?,
                        have => Self::Head(have, length),
                    }
                }
                Self::Rest(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(here..).unwrap_or_default();
                    let here = u32::try_from(here).unwrap_or(left);
                    self = Self::Rest(left - here).checked()?;
                    continue;
                }
            };
            bytes = rest;
        }
        Ok(self)
    }

    /// A message without a rest is over.
    fn checked(self) -> Result<Self, ()> {
        match self {
            Self::Rest(0) => Ok(Self::MESSAGE),
            Self::Rest(left) if u64::from(left) > MAX_RESULT_BYTES as u64 => Err(()),
            next => Ok(next),
        }
    }
}

/// A stream from a server, whose messages are bounded.
pub struct Bounded<S> {
    inner: S,
    next: Next,
    too_long: TooLong,
}

impl<S> Bounded<S> {
    /// Bounds what comes from `inner`, which starts with `next`.
    pub fn new(inner: S, next: Next, too_long: TooLong) -> Self {
        Self {
            inner,
            next,
            too_long,
        }
    }

    /// The stream itself.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The flag that a message was too long.
    pub fn too_long(&self) -> TooLong {
        self.too_long.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(match this.next.see(new) {
            Ok(next) => {
                this.next = next;
                Ok(())
            }
            Err(()) => {
                this.too_long.store(true, Ordering::Relaxed);
                Err(io::Error::other("the server's message is too long"))
            }
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}
