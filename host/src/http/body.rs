//! Response bodies on their way out.
//!
//! 1. They tell their instance whether a client is reading: a stream that is read is exempt from
//!    the limits on time.
//! 2. A stream of events ends when the host stops: its client reconnects, with `Last-Event-ID`.
//! 3. A body whose instance broke ends with an error, so that no half looks like a whole.
//! 4. A client that leaves drops the body; the guest's next write to it fails.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::instance::Activity;

/// A guest's response body.
struct Tracked {
    inner: Option<WasiBody>,
    activity: Arc<Activity>,
    /// Whether the client waits for the next frame.
    reading: bool,
    stop: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

/// Wraps the body of a guest's response.
pub fn track(
    response: Response<WasiBody>,
    activity: Arc<Activity>,
    stop: &CancellationToken,
) -> Response<WasiBody> {
    let is_events = is_event_stream(response.headers());
    if is_events {
        activity.streams_events();
    }
    response.map(|inner| {
        let stop = is_events.then(|| Box::pin(stop.clone().cancelled_owned()));
        Tracked {
            inner: Some(inner),
            activity,
            reading: false,
            stop,
        }
        .boxed_unsync()
    })
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| {
            kind.trim_start()
                .to_ascii_lowercase()
                .starts_with("text/event-stream")
        })
}

impl Tracked {
    fn waits(&mut self) {
        if !std::mem::replace(&mut self.reading, true) {
            self.activity.reading_begins();
        }
    }

    fn got_something(&mut self) {
        if std::mem::replace(&mut self.reading, false) {
            self.activity.reading_ends(Instant::now());
        }
    }
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self
            .stop
            .as_mut()
            .is_some_and(|stop| stop.as_mut().poll(cx).is_ready())
        {
            self.stop = None;
            self.inner = None;
            self.got_something();
        }
        let Some(inner) = self.inner.as_mut() else {
            return Poll::Ready(None);
        };
        let poll = Pin::new(inner).poll_frame(cx);
        match poll {
            Poll::Pending => self.waits(),
            Poll::Ready(_) => self.got_something(),
        }
        match poll {
            Poll::Ready(None) if self.activity.is_broken() => {
                Poll::Ready(Some(Err(Error::HttpProtocolError)))
            }
            poll => poll,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.got_something();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Limits;
    use crate::manifest;
    use futures::stream;
    use http_body_util::StreamBody;

    fn never_ending(kind: &'static str) -> Response<WasiBody> {
        let frames = stream::pending::<Result<Frame<Bytes>, Error>>();
        let body = StreamBody::new(frames).boxed_unsync();
        Response::builder()
            .header(CONTENT_TYPE, kind)
            .body(body)
            .unwrap()
    }

    #[tokio::test]
    async fn only_a_stream_of_events_ends_when_the_host_stops() {
        for (kind, ends) in [
            ("text/event-stream", true),
            ("Text/Event-Stream; charset=utf-8", true),
            ("application/json", false),
        ] {
            let stop = CancellationToken::new();
            let activity = Arc::new(Activity::new(Instant::now()));
            let mut body = track(never_ending(kind), activity, &stop).into_body();
            assert!(futures::poll!(body.frame()).is_pending(), "{kind}");
            stop.cancel();
            assert_eq!(futures::poll!(body.frame()).is_ready(), ends, "{kind}");
        }
    }

    #[tokio::test]
    async fn the_end_of_a_body_whose_instance_broke_is_an_error() {
        for breaks in [false, true] {
            let activity = Arc::new(Activity::new(Instant::now()));
            let frames = stream::iter([Ok::<_, Error>(Frame::data(Bytes::from("half")))]);
            let response = Response::new(StreamBody::new(frames).boxed_unsync());
            let mut body = track(response, activity.clone(), &CancellationToken::new()).into_body();
            assert!(body.frame().await.unwrap().is_ok());
            if breaks {
                activity.breaks();
            }
            let end = body.frame().await;
            assert_eq!(end.is_some_and(|end| end.is_err()), breaks);
        }
    }

    #[tokio::test]
    async fn an_instance_has_no_limit_while_a_client_waits_for_more() {
        let limits = Limits::resolve(&manifest::Limits::default(), &manifest::Limits::default());
        let activity = Arc::new(Activity::new(Instant::now()));
        let id = Arc::from("one");
        activity.started(&id, Instant::now());
        activity.answered(&id, Instant::now(), true);

        let stop = CancellationToken::new();
        let mut body =
            track(never_ending("text/event-stream"), activity.clone(), &stop).into_body();
        assert!(activity.deadline(&limits).is_some(), "nobody has read yet");
        assert!(futures::poll!(body.frame()).is_pending());
        assert!(activity.deadline(&limits).is_none(), "a client waits");
        drop(body);
        assert!(activity.deadline(&limits).is_some(), "the client left");
    }
}
