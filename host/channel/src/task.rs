//! What `chatly channel` reads and prints: a document in, documents out; or one of each a line.

use std::io::{BufRead, Read, Write};

use anyhow::{Context as _, Result, bail, ensure};
use chatly_channel::outbound::Sender;
use chatly_channel::{Delivery, Header, RenderError};
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::documents::{self, Body, Received, Response};
use crate::outbound::{ANY_ACCOUNT, Outbound};
use crate::plugin::Plugin;

/// Largest body of a webhook (Meta's, the largest of all platforms).
const MAX_BODY_BYTES: usize = 3 << 20;

/// Most of one document: the largest body in base64, with room for a list of headers.
const MAX_DOCUMENT_BYTES: usize = 16 << 20;

/// One of a plugin's functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Whether a delivery is genuine.
    Verify,
    /// The answer to a platform's check of the webhook.
    Handshake,
    /// The events of a body.
    Parse {
        /// The account of the route.
        account: Option<String>,
        /// The body's media type; without one the delivery names none.
        content_type: Option<String>,
    },
    /// The requests that send a message.
    Render,
    /// What the answer to a send means.
    Classify,
    /// The platform's facts.
    Describe,
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// The plugin said no; the reason, safe to print.
    Refused(String),
}

/// What one document is answered with.
enum Answer {
    Accepted,
    Refused(String),
    /// A document, or several where each stands on a line of its own.
    Documents(Vec<Box<RawValue>>),
}

impl Task {
    /// Reads one document and prints the answer.
    pub fn run(
        &self,
        plugin: &mut Plugin,
        input: impl Read,
        output: &mut impl Write,
    ) -> Result<Outcome> {
        let answer = match self {
            Task::Describe => self.answer(plugin, &[])?,
            Task::Parse {
                account,
                content_type,
            } => {
                let body = read_all(input, MAX_BODY_BYTES, "a body")?;
                parse(plugin, body, account.as_deref(), content_type.as_deref())?
            }
            _ => self.answer(plugin, &read_all(input, MAX_DOCUMENT_BYTES, "a document")?)?,
        };
        match answer {
            Answer::Accepted => Ok(Outcome::Done),
            Answer::Refused(reason) => Ok(Outcome::Refused(reason)),
            Answer::Documents(documents) => {
                for document in &documents {
                    print_line(output, document)?;
                }
                Ok(Outcome::Done)
            }
        }
    }

    /// Reads a document a line and prints an answer a line, `{"error":…}` where there is none.
    pub fn run_lines(
        &self,
        plugin: &mut Plugin,
        mut input: impl BufRead,
        output: &mut impl Write,
    ) -> Result<()> {
        while let Some(line) = read_line(&mut input)? {
            let answer = match line {
                Line::Whole(line) => self.answer(plugin, &line),
                Line::TooLong => Err(anyhow::anyhow!(
                    "the line is longer than {MAX_DOCUMENT_BYTES} bytes"
                )),
            };
            let document = answer.map_or_else(
                |error| to_raw_value(&json!({ "error": format!("{error:#}") })),
                |answer| self.line(answer),
            )?;
            print_line(output, &document)?;
        }
        Ok(())
    }

    /// An answer on one line.
    fn line(&self, answer: Answer) -> serde_json::Result<Box<RawValue>> {
        match (self, answer) {
            (Task::Verify, Answer::Refused(reason)) => {
                to_raw_value(&json!({ "accepted": false, "reason": reason }))
            }
            (_, Answer::Accepted) => to_raw_value(&json!({ "accepted": true })),
            (_, Answer::Refused(reason)) => to_raw_value(&json!({ "error": reason })),
            (Task::Parse { .. }, Answer::Documents(events)) => to_raw_value(&events),
            (_, Answer::Documents(documents)) => match documents.as_slice() {
                [document] => Ok(document.clone()),
                documents => to_raw_value(documents),
            },
        }
    }

    fn answer(&self, plugin: &mut Plugin, document: &[u8]) -> Result<Answer> {
        match self {
            Task::Verify => {
                let received: Received = read(document)?;
                let delivery = received.delivery()?;
                let verdict = plugin.verify(&delivery, &received.secrets, received.now())?;
                Ok(match verdict {
                    Ok(()) => Answer::Accepted,
                    Err(refusal) => Answer::Refused(documents::refusal(&refusal)),
                })
            }
            Task::Handshake => handshake(plugin, &read(document)?),
            Task::Parse {
                account,
                content_type,
            } => {
                let body: Body = read(document)?;
                let account = body.account.as_deref().or(account.as_deref());
                let content_type = body.content_type.as_deref().or(content_type.as_deref());
                parse(plugin, body.bytes()?, account, content_type)
            }
            Task::Render => render(plugin, document),
            Task::Classify => {
                let response: Response = read(document)?;
                let verdict = plugin.classify(&response.response()?)?;
                one(&documents::verdict(&verdict))
            }
            Task::Describe => {
                let description = plugin.describe()?;
                one(&documents::description(&description))
            }
        }
    }
}

fn one(document: &Value) -> Result<Answer> {
    Ok(Answer::Documents(vec![to_raw_value(document)?]))
}

fn handshake(plugin: &mut Plugin, received: &Received) -> Result<Answer> {
    let reply = plugin.handshake(
        &received.delivery()?,
        &received.tokens(),
        &received.secrets,
        received.now(),
    )?;
    match reply {
        Some(reply) => one(&documents::reply(&reply)),
        None => Ok(Answer::Refused("the delivery is no handshake".to_owned())),
    }
}

fn parse(
    plugin: &mut Plugin,
    body: Vec<u8>,
    account: Option<&str>,
    content_type: Option<&str>,
) -> Result<Answer> {
    ensure!(
        body.len() <= MAX_BODY_BYTES,
        "the body is longer than {MAX_BODY_BYTES} bytes"
    );
    let delivery = Delivery {
        method: "POST".to_owned(),
        url: String::new(),
        headers: content_type
            .map(|value| Header::new("content-type", value))
            .into_iter()
            .collect(),
        body,
    };
    let events = plugin.parse(&delivery, account)?;
    // As text, because the JSON that an event keeps may hold what no string can, a lone surrogate.
    let events: serde_json::Result<Vec<_>> = events.iter().map(to_raw_value).collect();
    Ok(Answer::Documents(events?))
}

fn render(plugin: &mut Plugin, document: &[u8]) -> Result<Answer> {
    let outbound: Outbound = read(document)?;
    let base_url = match outbound.base_url.clone() {
        Some(base_url) => base_url,
        None => plugin.describe()?.base_url,
    };
    let account = outbound.account();
    let message = outbound.message()?;
    let mut first = None;
    for (account, is_open) in accounts(account, document)? {
        let sender = Sender {
            account: account.clone(),
            base_url: base_url.clone(),
        };
        match plugin.render(&sender, &message)? {
            Ok(requests) => {
                let documents = requests.iter().map(documents::request);
                let documents: serde_json::Result<Vec<_>> = documents
                    .map(|document| match is_open {
                        true => to_raw_value(&opened(document, &account)),
                        false => to_raw_value(&document),
                    })
                    .collect();
                return Ok(Answer::Documents(documents?));
            }
            // A stand-in may not be of the form that the platform's ids have; the next may be.
            Err(error @ RenderError::Invalid(_)) => first = first.or(Some(error)),
            Err(error) => first = Some(error),
        }
    }
    let Some(error) = first else {
        bail!("the message holds all that could stand in for an account; give \"account\"");
    };
    Ok(Answer::Refused(documents::render_error(&error)))
}

/// The account, or what may stand in for it: nothing that the message itself holds.
fn accounts(account: Option<String>, document: &[u8]) -> Result<Vec<(String, bool)>> {
    let text = std::str::from_utf8(document)?;
    Ok(match account {
        Some(account) => vec![(account, false)],
        None => ANY_ACCOUNT
            .into_iter()
            .filter(|stand_in| !text.contains(stand_in))
            .map(|stand_in| (stand_in.to_owned(), true))
            .collect(),
    })
}

/// A request with `{account}` in the place of what stood in for it.
fn opened(document: Value, stand_in: &str) -> Value {
    match document {
        Value::String(text) => text.replace(stand_in, "{account}").into(),
        Value::Array(items) => items
            .into_iter()
            .map(|item| opened(item, stand_in))
            .collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (name, opened(member, stand_in)))
            .collect(),
        other => other,
    }
}

fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T> {
    serde_json::from_slice(document).context("this is not the expected JSON document (see --help)")
}

fn read_all(input: impl Read, max: usize, what: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input
        .take(max as u64 + 1)
        .read_to_end(&mut bytes)
        .context("standard input cannot be read")?;
    ensure!(
        bytes.len() <= max,
        "standard input is longer than {what} may be: {max} bytes"
    );
    Ok(bytes)
}

enum Line {
    Whole(Vec<u8>),
    /// Skipped.
    TooLong,
}

fn read_line(input: &mut impl BufRead) -> Result<Option<Line>> {
    let (mut line, mut is_too_long) = (Vec::new(), false);
    loop {
        let part = input.fill_buf().context("standard input cannot be read")?;
        if part.is_empty() && line.is_empty() && !is_too_long {
            return Ok(None);
        }
        let end = part.iter().position(|byte| *byte == b'\n');
        let taken = part.get(..end.unwrap_or(part.len())).unwrap_or_default();
        is_too_long |= line.len() + taken.len() > MAX_DOCUMENT_BYTES;
        if !is_too_long {
            line.extend_from_slice(taken);
        }
        let is_last = part.is_empty() || end.is_some();
        let count = end.map_or(part.len(), |end| end + 1);
        input.consume(count);
        if is_last {
            return Ok(Some(match is_too_long {
                true => Line::TooLong,
                false => Line::Whole(line),
            }));
        }
    }
}

fn print_line(output: &mut impl Write, document: &RawValue) -> Result<()> {
    writeln!(output, "{document}").context("standard output cannot be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_their_ends_and_long_ones_skipped() {
        let long = "x".repeat(MAX_DOCUMENT_BYTES + 1);
        let text = format!("a\n\n{long}\nb");
        let mut input = std::io::BufReader::with_capacity(7, text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = read_line(&mut input).unwrap() {
            lines.push(match line {
                Line::Whole(line) => String::from_utf8(line).unwrap(),
                Line::TooLong => "too long".to_owned(),
            });
        }
        assert_eq!(lines, ["a", "", "too long", "b"]);
    }

    #[test]
    fn a_stand_in_is_nothing_that_the_message_holds() {
        let names = |document: &str| -> Vec<String> {
            let accounts = accounts(None, document.as_bytes()).unwrap();
            accounts.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names("{}"), ANY_ACCOUNT);
        assert_eq!(names(r#"{"text":"0ACCOUNT0"}"#), ANY_ACCOUNT[1..]);
        let request = json!({ "url": "https://x/0ACCOUNT0/y", "headers": [["a", "0ACCOUNT0"]], "body": "-0ACCOUNT0-" });
        assert_eq!(
            opened(request, "0ACCOUNT0"),
            json!({ "url": "https://x/{account}/y", "headers": [["a", "{account}"]], "body": "-{account}-" })
        );
    }
}
