//! A body piece by piece, as long as its sender is waited for.
//!
//! Until a body is whole nobody knows whether it is genuine, and its request occupies a place in
//! this instance. How long that may take depends on how many others do the same (`patience_ms`), so
//! a waiting reader looks again every [`SLICE`]: the task of one request cannot wake another's.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use chatly_delivery::patience_ms;
use http_body::{Body, Frame};
use spin_sdk::time::sleep;

use crate::refuse::Refusal;
use crate::unix_millis;

/// How often a waiting reader looks whether its time is over.
const SLICE: Duration = Duration::from_millis(250);

thread_local! {
    static READING: Cell<usize> = const { Cell::new(0) };
}

/// A body that is being read; counts as long as it lives.
pub struct Pieces<B> {
    body: B,
    since: u64,
}

impl<B: Body<Data = Bytes> + Unpin> Pieces<B> {
    /// A body whose head came at `since`, in Unix milliseconds.
    pub fn new(body: B, since: u64) -> Self {
        READING.set(READING.get().saturating_add(1));
        Pieces { body, since }
    }

    /// The next piece; none at the end.
    pub async fn next(&mut self, channel: &str) -> Result<Option<Bytes>, Refusal> {
        while let Some(frame) = self.frame(channel).await? {
            if let Ok(piece) = frame.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// The next frame. What is there already is taken, however late it is.
    async fn frame(&mut self, channel: &str) -> Result<Option<Frame<Bytes>>, Refusal> {
        let mut slice = pin!(None);
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
                    return Poll::Ready(frame.transpose().map_err(|_| Refusal::Interrupted));
                }
                if unix_millis().saturating_sub(self.since) >= patience_ms(READING.get()) {
                    return Poll::Ready(Err(Refusal::too_slow(channel)));
                }
                if slice.is_none() {
                    slice.set(Some(sleep(SLICE)));
                }
                let slept = slice.as_mut().as_pin_mut();
                if slept.is_some_and(|slept| slept.poll(cx).is_pending()) {
                    return Poll::Pending;
                }
                slice.set(None);
            }
        })
        .await
    }
}

impl<B> Drop for Pieces<B> {
    fn drop(&mut self) {
        READING.set(READING.get().saturating_sub(1));
    }
}
