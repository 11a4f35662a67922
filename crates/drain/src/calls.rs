//! Wakes another component, and does not call it twice for nothing.

use std::cell::Cell;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Quiet,
    Calling,
    /// Somebody wants another call after this one.
    CallAgain,
}

/// The calls to one target. While one is on its way, further wishes become one more call after it:
/// a call that was sent before a job was stored may come too early for it, a second one cannot.
#[derive(Debug, Default)]
pub struct Calls(Cell<State>);

/// Says that nobody calls any more, also when the task is dropped half-way.
struct Calling<'a>(&'a Calls);

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        self.0.0.set(State::Quiet);
    }
}

impl Calls {
    /// Calls with `send`, or leaves it to whoever is calling. Returns when no wish is left, so a
    /// caller spawns it.
    pub async fn wake(&self, send: impl AsyncFn()) {
        if self.0.get() != State::Quiet {
            self.0.set(State::CallAgain);
            return;
        }
        let _calling = Calling(self);
        loop {
            self.0.set(State::Calling);
            send().await;
            if self.0.get() != State::CallAgain {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn wishes_during_a_call_become_one_more_call() {
        let (calls, sent, open) = (Calls::default(), Cell::new(0), Cell::new(false));
        let send = async || {
            sent.set(sent.get() + 1);
            poll_fn(|_| {
                if open.get() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        };
        let mut context = Context::from_waker(Waker::noop());
        let mut first = pin!(calls.wake(&send));
        assert!(first.as_mut().poll(&mut context).is_pending());
        for _ in 0..3 {
            assert!(pin!(calls.wake(&send)).poll(&mut context).is_ready());
        }
        assert_eq!(sent.get(), 1);
        open.set(true);
        assert!(first.as_mut().poll(&mut context).is_ready());
        assert_eq!(sent.get(), 2);
        assert!(pin!(calls.wake(&send)).poll(&mut context).is_ready());
        assert_eq!(sent.get(), 3);
    }

    #[test]
    fn a_call_that_was_dropped_holds_up_no_other() {
        let (calls, sent) = (Calls::default(), Cell::new(0));
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut lost = pin!(calls.wake(async || std::future::pending().await));
            assert!(lost.as_mut().poll(&mut context).is_pending());
        }
        let mut next = pin!(calls.wake(async || sent.set(sent.get() + 1)));
        assert!(next.as_mut().poll(&mut context).is_ready());
        assert_eq!(sent.get(), 1);
    }
}
