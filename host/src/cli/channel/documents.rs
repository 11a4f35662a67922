//! The JSON documents that `channel` reads and prints, except outgoing messages and events.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::json;

use super::Document;
use super::plugin::bindings::chatly::types::outbound::{Auth, Request};
use super::plugin::bindings::chatly::types::types::{Delivery, Header, Reply};
use super::plugin::bindings::exports::chatly::channel::channel as wit;

/// What `verify` reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verification {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body_b64: String,
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    /// Unix seconds.
    now: Option<u64>,
}

impl Verification {
    pub(super) fn delivery(&self) -> Result<Delivery> {
        Ok(Delivery {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: to_wit(&self.headers),
            body: decode(&self.body_b64)?,
        })
    }

    /// The time to check against: the document's, else this machine's.
    pub(super) fn now(&self) -> u64 {
        let clock = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs()
        };
        self.now.unwrap_or_else(clock)
    }
}

/// What `handshake` reads: a verification, and the tokens that the platform was given.
#[derive(Debug)]
pub(super) struct Handshake {
    pub(super) verification: Verification,
    verify_token: Option<String>,
    verify_tokens: Vec<String>,
}

impl Handshake {
    /// All tokens, current first.
    pub(super) fn tokens(&self) -> Vec<String> {
        self.verify_token
            .iter()
            .chain(&self.verify_tokens)
            .cloned()
            .collect()
    }
}

// By hand, because serde cannot both flatten a struct and refuse unknown fields.
impl<'de> Deserialize<'de> for Handshake {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Wire {
            method: String,
            url: String,
            headers: Vec<(String, String)>,
            #[serde(default)]
            body_b64: String,
            #[serde(default)]
            secrets: Vec<String>,
            now: Option<u64>,
            verify_token: Option<String>,
            #[serde(default)]
            verify_tokens: Vec<String>,
        }
        let Wire {
            method,
            url,
            headers,
            body_b64,
            secrets,
            now,
            verify_token,
            verify_tokens,
        } = Wire::deserialize(deserializer)?;
        let verification = Verification {
            method,
            url,
            headers,
            body_b64,
            secrets,
            now,
        };
        Ok(Self {
            verification,
            verify_token,
            verify_tokens,
        })
    }
}

/// What `classify` reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Response {
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_b64: Option<String>,
}

impl Response {
    pub(super) fn into_wit(self) -> Result<wit::Response> {
        let body = match (self.body, self.body_b64) {
            (Some(_), Some(_)) => anyhow::bail!("give \"body\" or \"body_b64\", not both"),
            (Some(text), None) => text.into_bytes(),
            (None, Some(coded)) => decode(&coded)?,
            (None, None) => Vec::new(),
        };
        Ok(wit::Response {
            status: self.status,
            headers: to_wit(&self.headers),
            body,
        })
    }
}

fn decode(coded: &str) -> Result<Vec<u8>> {
    BASE64.decode(coded).context("\"body_b64\" is not base64")
}

fn to_wit(headers: &[(String, String)]) -> Vec<Header> {
    let header = |(name, value): &(String, String)| Header {
        name: name.clone(),
        value: value.clone().into_bytes(),
    };
    headers.iter().map(header).collect()
}

/// Headers as pairs; a value that is not text loses the bytes that are not.
fn pairs(headers: &[Header]) -> Vec<(&str, String)> {
    let pair = |header: &Header| String::from_utf8_lossy(&header.value).into_owned();
    headers
        .iter()
        .map(|header| (header.name.as_str(), pair(header)))
        .collect()
}

/// Puts `body` where `Response` reads it from: as text, or in base64 when it is none.
fn add_body(mut document: Document, body: &[u8]) -> Document {
    let (key, value) = match std::str::from_utf8(body) {
        Ok(text) => ("body", text.to_owned()),
        Err(_) => ("body_b64", BASE64.encode(body)),
    };
    if let Some(object) = document.as_object_mut() {
        object.insert(key.to_owned(), value.into());
    }
    document
}

pub(super) fn reply(reply: &Reply) -> Document {
    let document = json!({ "status": reply.status, "headers": pairs(&reply.headers) });
    add_body(document, &reply.body)
}

/// `auth` says where the caller puts the access token, which is not in the request.
pub(super) fn request(request: &Request) -> Document {
    let auth = match &request.auth {
        Auth::None => json!("none"),
        Auth::Bearer => json!("bearer"),
        Auth::Basic(user) => json!({ "basic": user }),
        Auth::Header(name) => json!({ "header": name }),
        Auth::Path => json!("path"),
    };
    let document = json!({
        "method": request.method,
        "url": request.url,
        "headers": pairs(&request.headers),
        "auth": auth,
    });
    add_body(document, &request.body)
}

pub(super) fn verdict(verdict: &wit::Verdict) -> Document {
    let outcome = match verdict.outcome {
        wit::Outcome::Sent => "sent",
        wit::Outcome::Retry => "retry",
        wit::Outcome::RateLimited => "rate_limited",
        wit::Outcome::Refused => "refused",
        wit::Outcome::WindowClosed => "window_closed",
        wit::Outcome::AccountStopped => "account_stopped",
    };
    json!({
        "outcome": outcome,
        "message_id": verdict.message_id,
        "retry_after_ms": verdict.retry_after_ms,
        "code": verdict.code,
        "reason": verdict.reason,
    })
}

pub(super) fn description(description: &wit::Description) -> Document {
    json!({
        "name": description.name,
        "label": description.label,
        "account_in_route": description.account_in_route,
        "kinds": description.kinds,
        "sends": description.sends,
        "limits": limits(&description.limits),
        "window": description.window.as_ref().map(window),
        "rates": description.rates.iter().map(rate).collect::<Vec<_>>(),
        "base_url": description.base_url,
    })
}

fn limits(limits: &wit::Limits) -> Document {
    let text_unit = match limits.text_unit {
        wit::TextUnit::Characters => "characters",
        wit::TextUnit::Bytes => "bytes",
        wit::TextUnit::Utf16Units => "utf16_units",
    };
    json!({
        "text": limits.text,
        "text_unit": text_unit,
        "caption": limits.caption,
        "buttons": limits.buttons,
        "button_title": limits.button_title,
        "list_rows": limits.list_rows,
        "row_title": limits.row_title,
        "row_description": limits.row_description,
        "quick_replies": limits.quick_replies,
        "webhook_body_bytes": limits.webhook_body_bytes,
    })
}

fn window(window: &wit::Window) -> Document {
    let after = match &window.after {
        wit::AfterWindow::Refuse => json!("refuse"),
        wit::AfterWindow::Template => json!("template"),
        wit::AfterWindow::Tag((name, secs)) => json!({ "tag": name, "secs": secs }),
    };
    json!({ "secs": window.secs, "after": after })
}

fn rate(rate: &wit::Rate) -> Document {
    let scope = match rate.scope {
        wit::RateScope::Account => "account",
        wit::RateScope::Pair => "pair",
        wit::RateScope::Chat => "chat",
    };
    json!({ "scope": scope, "count": rate.count, "per_ms": rate.per_ms })
}

/// Why a delivery was refused.
pub(super) fn refusal(refusal: &wit::Refusal) -> String {
    match refusal {
        wit::Refusal::MissingHeader(name) => format!("the header {name} is missing"),
        wit::Refusal::MalformedHeader(name) => {
            format!("the header {name} is not of the scheme's form, or there more than once")
        }
        wit::Refusal::Mismatch => "the signature matches no secret".to_owned(),
        wit::Refusal::Stale(secs) => {
            format!("the sender's clock differs by {secs} s, more than the scheme allows")
        }
        wit::Refusal::NoSecret => "no secret is given, or only blank ones".to_owned(),
        wit::Refusal::Other(reason) => reason.clone(),
    }
}

/// Why a message cannot be sent.
pub(super) fn render_error(error: &wit::RenderError) -> String {
    match error {
        wit::RenderError::Unsupported(what) => format!("the platform has no {what}"),
        wit::RenderError::TooLong(breach) => {
            format!(
                "{} may be {} at most, is {}",
                breach.limit, breach.max, breach.given
            )
        }
        wit::RenderError::Invalid(reason) => reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verification_is_read_strictly() {
        for (name, text, is_read) in [
            (
                "whole",
                r#"{"method":"POST","url":"/","headers":[["a","b"]],"body_b64":"aGk=","secrets":["s"],"now":5}"#,
                true,
            ),
            (
                "without now",
                r#"{"method":"POST","url":"/","headers":[],"body_b64":"","secrets":[]}"#,
                true,
            ),
            (
                "unknown field",
                r#"{"method":"POST","url":"/","headers":[],"body_b64":"","secret":"s"}"#,
                false,
            ),
            (
                "no body",
                r#"{"method":"POST","url":"/","headers":[]}"#,
                false,
            ),
            (
                "headers as object",
                r#"{"method":"POST","url":"/","headers":{},"body_b64":""}"#,
                false,
            ),
        ] {
            assert_eq!(
                serde_json::from_str::<Verification>(text).is_ok(),
                is_read,
                "{name}"
            );
        }
    }

    #[test]
    fn a_verification_becomes_a_delivery() {
        let text =
            r#"{"method":"POST","url":"/x","headers":[["A","b"]],"body_b64":"/w==","now":5}"#;
        let document: Verification = serde_json::from_str(text).unwrap();
        let delivery = document.delivery().unwrap();
        assert_eq!(
            (delivery.method.as_str(), delivery.url.as_str()),
            ("POST", "/x")
        );
        assert_eq!(pairs(&delivery.headers), [("A", "b".to_owned())]);
        assert_eq!(delivery.body, [0xff]);
        assert_eq!((document.now(), document.secrets.len()), (5, 0));
        let broken = Verification {
            body_b64: "?".to_owned(),
            ..document
        };
        assert_eq!(
            broken.delivery().unwrap_err().to_string(),
            "\"body_b64\" is not base64"
        );
    }

    #[test]
    fn the_tokens_of_a_handshake_are_one_list() {
        let text =
            r#"{"method":"GET","url":"/?x","headers":[],"verify_token":"a","verify_tokens":["b"]}"#;
        let document: Handshake = serde_json::from_str(text).unwrap();
        assert_eq!(document.tokens(), ["a", "b"]);
        assert!(serde_json::from_str::<Handshake>(r#"{"verify_toke":"a"}"#).is_err());
    }

    #[test]
    fn a_body_is_text_or_base64() {
        for (body, want) in [
            (
                b"hi".as_slice(),
                r#"{"headers":[],"status":200,"body":"hi"}"#,
            ),
            (&[0xff], r#"{"headers":[],"status":200,"body_b64":"/w=="}"#),
            (b"", r#"{"headers":[],"status":200,"body":""}"#),
        ] {
            let reply = Reply {
                status: 200,
                headers: vec![],
                body: body.to_vec(),
            };
            let want: Document = serde_json::from_str(want).unwrap();
            assert_eq!(super::reply(&reply), want);
            let document: Response = serde_json::from_value(want).unwrap();
            assert_eq!(document.into_wit().unwrap().body, body);
        }
    }
}
