//! Wakes one request's task from another's.
//!
//! A Rust waker belongs to the request whose task made it: the SDK's runtime (wit-bindgen 0.57)
//! panics when another request calls it, and its feature for that traps on wasmtime 48, as it
//! cancels a read that is in a waitable set. What the component model wakes across requests is a
//! stream: one request waits for a byte, the other writes it.
//!
//! A ring that nobody waits for is lost, so who waits first looks whether there is something to do.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamWriter};
use spin_sdk::wasip3::wit_stream;

/// The end that is rung, from any request.
pub struct Bell(StreamWriter<u8>);

/// The end that waits, in one request. It hears that its bell is gone, too.
pub struct Ear(Pin<Box<dyn Future<Output = StreamReader<u8>>>>);

/// A bell and the ear for it.
pub fn pair() -> (Bell, Ear) {
    let (writer, reader) = wit_stream::new();
    (Bell(writer), Ear::new(reader))
}

impl Bell {
    /// Wakes who waits.
    pub fn ring(&mut self) {
        // A byte that is waited for is taken at once. Else the write is dropped, and so cancelled.
        let write = pin!(self.0.write(vec![0]));
        let _ = write.poll(&mut Context::from_waker(Waker::noop()));
    }
}

impl Ear {
    fn new(mut reader: StreamReader<u8>) -> Self {
        Ear(Box::pin(async move {
            reader.next().await;
            reader
        }))
    }

    /// Ready when the bell has rung since the last time.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let reader = ready!(self.0.as_mut().poll(cx));
        *self = Ear::new(reader);
        Poll::Ready(())
    }
}
