//! Reads server-sent events.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

/// One event of a stream.
#[derive(Debug, Clone)]
pub struct StreamEvent {
    /// `id:`
    pub id: String,
    /// `event:`
    pub event: String,
    /// `data:`, which is JSON.
    pub data: Value,
}

/// An open stream.
pub struct Stream {
    body: Incoming,
    buffer: String,
}

/// The longest wait for an event.
const BOUND: Duration = Duration::from_secs(60);

impl Stream {
    /// Reads from a response body.
    pub fn new(body: Incoming) -> Self {
        Stream {
            body,
            buffer: String::new(),
        }
    }

    /// The next event; comments and `retry:` are passed over.
    pub async fn next(&mut self) -> Result<StreamEvent> {
        tokio::time::timeout(BOUND, self.read())
            .await
            .context("no event on the stream")?
    }

    /// The next event for which `wanted` holds.
    pub async fn find(&mut self, wanted: impl Fn(&StreamEvent) -> bool) -> Result<StreamEvent> {
        loop {
            let event = self.next().await?;
            if wanted(&event) {
                return Ok(event);
            }
        }
    }

    async fn read(&mut self) -> Result<StreamEvent> {
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let event = parse(block)?;
                self.buffer = rest.to_owned();
                if let Some(event) = event {
                    return Ok(event);
                }
            }
            let Some(frame) = self.body.frame().await else {
                bail!("the stream ended")
            };
            if let Ok(data) = frame?.into_data() {
                self.buffer.push_str(std::str::from_utf8(&data)?);
            }
        }
    }
}

fn parse(block: &str) -> Result<Option<StreamEvent>> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim_start)
    };
    let Some(data) = field("data") else {
        return Ok(None);
    };
    Ok(Some(StreamEvent {
        id: field("id").unwrap_or_default().to_owned(),
        event: field("event").unwrap_or_default().to_owned(),
        data: serde_json::from_str(data)?,
    }))
}
