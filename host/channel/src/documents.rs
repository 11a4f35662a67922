//! The JSON documents that `channel` reads and prints, except outgoing messages and events.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use chatly_channel::outbound::Request;
use chatly_channel::{
    AfterWindow, Auth, Delivery, Description, Header, Limits, Outcome, Rate, RateScope, Refusal,
    RenderError, Reply, TextUnit, Verdict, Window,
};

/// What `verify` and `handshake` read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Received {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    #[serde(default)]
    body_b64: String,
    /// Current first.
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    /// Unix seconds.
    now: Option<u64>,
    verify_token: Option<String>,
    #[serde(default)]
    verify_tokens: Vec<String>,
}

impl Received {
    pub(super) fn delivery(&self) -> Result<Delivery> {
        Ok(Delivery {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: headers(&self.headers),
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

    /// All tokens that the platform was given, current first.
    pub(super) fn tokens(&self) -> Vec<String> {
        self.verify_token
            .iter()
            .chain(&self.verify_tokens)
            .cloned()
            .collect()
    }
}

/// What `parse --jsonl` reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    body_b64: String,
    pub(super) content_type: Option<String>,
    pub(super) account: Option<String>,
}

impl Body {
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        decode(&self.body_b64)
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
    pub(super) fn response(self) -> Result<chatly_channel::Response> {
        let body = match (self.body, self.body_b64) {
            (Some(_), Some(_)) => anyhow::bail!("give \"body\" or \"body_b64\", not both"),
            (Some(text), None) => text.into_bytes(),
            (None, Some(coded)) => decode(&coded)?,
            (None, None) => Vec::new(),
        };
        Ok(chatly_channel::Response {
            status: self.status,
            headers: headers(&self.headers),
            body,
        })
    }
}

fn decode(coded: &str) -> Result<Vec<u8>> {
    BASE64.decode(coded).context("\"body_b64\" is not base64")
}

fn headers(headers: &[(String, String)]) -> Vec<Header> {
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
fn add_body(mut document: Value, body: &[u8]) -> Value {
    let (key, value) = match std::str::from_utf8(body) {
        Ok(text) => ("body", text.to_owned()),
        Err(_) => ("body_b64", BASE64.encode(body)),
    };
    if let Some(object) = document.as_object_mut() {
        object.insert(key.to_owned(), value.into());
    }
    document
}

pub(super) fn reply(reply: &Reply) -> Value {
    let document = json!({ "status": reply.status, "headers": pairs(&reply.headers) });
    add_body(document, &reply.body)
}

/// A request with `{access_token}` where the caller puts the access token.
pub(super) fn request(request: &Request) -> Value {
    let token = match &request.auth {
        Auth::None | Auth::Path => None,
        Auth::Bearer => Some(("authorization", "Bearer {access_token}".to_owned())),
        Auth::Basic(user) => Some((
            "authorization",
            format!("Basic base64({user}:{{access_token}})"),
        )),
        Auth::Header(name) => Some((name.as_str(), "{access_token}".to_owned())),
    };
    let mut headers = pairs(&request.headers);
    headers.extend(token);
    let document = json!({
        "method": request.method,
        "url": request.url,
        "headers": headers,
    });
    add_body(document, &request.body)
}

pub(super) fn verdict(verdict: &Verdict) -> Value {
    let outcome = match verdict.outcome {
        Outcome::Sent => "sent",
        Outcome::Retry => "retry",
        Outcome::RateLimited => "rate_limited",
        Outcome::PairLimited => "pair_limited",
        Outcome::Refused => "refused",
        Outcome::WindowClosed => "window_closed",
        Outcome::AccountStopped => "account_stopped",
        Outcome::Uncertain => "uncertain",
    };
    let mut document = json!({ "outcome": outcome });
    let members = [
        ("message_id", verdict.message_id.clone().map(Value::from)),
        ("retry_after_ms", verdict.retry_after_ms.map(Value::from)),
        ("code", verdict.code.clone().map(Value::from)),
        ("reason", Some(verdict.reason.clone().into())),
    ];
    if let Some(object) = document.as_object_mut() {
        let there = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        object.extend(there);
    }
    document
}

pub(super) fn description(description: &Description) -> Value {
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

fn limits(limits: &Limits) -> Value {
    let text_unit = match limits.text_unit {
        TextUnit::Characters => "characters",
        TextUnit::Bytes => "bytes",
        TextUnit::Utf16Units => "utf16_units",
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

fn window(window: &Window) -> Value {
    let after = match &window.after {
        AfterWindow::Refuse => json!("refuse"),
        AfterWindow::Template => json!("template"),
        AfterWindow::Tag(name, secs) => json!({ "tag": name, "secs": secs }),
    };
    json!({ "secs": window.secs, "after": after })
}

fn rate(rate: &Rate) -> Value {
    let scope = match rate.scope {
        RateScope::Account => "account",
        RateScope::Pair => "pair",
        RateScope::Chat => "chat",
    };
    json!({ "scope": scope, "count": rate.count, "per_ms": rate.per_ms })
}

/// Why a delivery was refused.
pub(super) fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::MissingHeader(name) => format!("the header {name} is missing"),
        Refusal::MalformedHeader(name) => {
            format!("the header {name} is not of the scheme's form, or there more than once")
        }
        Refusal::Mismatch => "the signature matches no secret".to_owned(),
        Refusal::Stale(secs) => {
            format!("the sender's clock differs by {secs} s, more than the scheme allows")
        }
        Refusal::NoSecret => "no secret is given, or only blank ones".to_owned(),
        Refusal::Other(reason) => reason.clone(),
    }
}

/// Why a message cannot be sent.
pub(super) fn render_error(error: &RenderError) -> String {
    match error {
        RenderError::Unsupported(what) => format!("the platform has no {what}"),
        RenderError::TooLong(breach) => {
            format!(
                "{} may be {} at most, is {}",
                breach.limit, breach.max, breach.given
            )
        }
        RenderError::Invalid(reason) => reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_read_strictly() {
        for (name, text, is_read) in [
            (
                "whole",
                r#"{"method":"POST","url":"/","headers":[["a","b"]],"body_b64":"aGk=","secrets":["s"],"now":5}"#,
                true,
            ),
            (
                "with a token, without a body",
                r#"{"method":"GET","url":"/","headers":[],"verify_token":"a"}"#,
                true,
            ),
            (
                "unknown field",
                r#"{"method":"POST","url":"/","headers":[],"body_b64":"","secret":"s"}"#,
                false,
            ),
            (
                "headers as object",
                r#"{"method":"POST","url":"/","headers":{},"body_b64":""}"#,
                false,
            ),
        ] {
            assert_eq!(
                serde_json::from_str::<Received>(text).is_ok(),
                is_read,
                "{name}"
            );
        }
    }

    #[test]
    fn a_document_becomes_a_delivery() {
        let text = r#"{"method":"POST","url":"/x","headers":[["A","b"]],"body_b64":"/w==","now":5,
            "verify_token":"a","verify_tokens":["b"]}"#;
        let document: Received = serde_json::from_str(text).unwrap();
        let delivery = document.delivery().unwrap();
        assert_eq!(
            (delivery.method.as_str(), delivery.url.as_str()),
            ("POST", "/x")
        );
        assert_eq!(pairs(&delivery.headers), [("A", "b".to_owned())]);
        assert_eq!(delivery.body, [0xff]);
        assert_eq!((document.now(), document.secrets.len()), (5, 0));
        assert_eq!(document.tokens(), ["a", "b"]);
        let broken = Received {
            body_b64: "?".to_owned(),
            ..document
        };
        assert_eq!(
            broken.delivery().unwrap_err().to_string(),
            "\"body_b64\" is not base64"
        );
    }

    #[test]
    fn a_request_shows_where_the_token_goes() {
        for (auth, want) in [
            (Auth::None, json!([["a", "b"]])),
            (Auth::Path, json!([["a", "b"]])),
            (
                Auth::Bearer,
                json!([["a", "b"], ["authorization", "Bearer {access_token}"]]),
            ),
            (
                Auth::Basic("AC1".into()),
                json!([
                    ["a", "b"],
                    ["authorization", "Basic base64(AC1:{access_token})"]
                ]),
            ),
            (
                Auth::Header("X-Token".into()),
                json!([["a", "b"], ["X-Token", "{access_token}"]]),
            ),
        ] {
            let request = Request {
                method: "POST".into(),
                url: "https://x".into(),
                headers: vec![Header::new("a", "b")],
                body: b"{}".to_vec(),
                auth,
            };
            let want =
                json!({ "method": "POST", "url": "https://x", "headers": want, "body": "{}" });
            assert_eq!(super::request(&request), want);
        }
    }

    #[test]
    fn a_verdict_shows_what_is_there() {
        let verdict = Verdict {
            outcome: Outcome::RateLimited,
            message_id: None,
            retry_after_ms: Some(5),
            code: None,
            reason: "slower".into(),
        };
        assert_eq!(
            super::verdict(&verdict).to_string(),
            r#"{"outcome":"rate_limited","retry_after_ms":5,"reason":"slower"}"#
        );
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
            let want: Value = serde_json::from_str(want).unwrap();
            assert_eq!(super::reply(&reply), want);
            let document: Response = serde_json::from_value(want).unwrap();
            assert_eq!(document.response().unwrap().body, body);
        }
    }
}
