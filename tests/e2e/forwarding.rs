//! What rules forward, against a real receiver.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use harness::{Options, TestApp, eventually, secrets};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

use crate::payload;

/// `whsec_` and base64 of 24 bytes; the previous one is raw.
pub const CURRENT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PREVIOUS: &str = "qZ4previous-signing-secret";

/// What one request brought.
#[derive(Clone)]
pub struct Got {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A receiver on a free port that answers by plan, and 200 after that.
pub struct Receiver {
    pub base: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    /// `plan` holds statuses; 0 is never answered.
    pub async fn start(plan: &[u16]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let got = Arc::new(Mutex::new(Vec::new()));
        let plan = Arc::new(Mutex::new(plan.iter().copied().collect::<VecDeque<_>>()));
        let elsewhere = format!("{base}/elsewhere");
        tokio::spawn({
            let got = got.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (got, plan, elsewhere) = (got.clone(), plan.clone(), elsewhere.clone());
                    let service = service_fn(move |request| {
                        answer(request, got.clone(), plan.clone(), elsewhere.clone())
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
                }
            }
        });
        Ok(Self { base, got })
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().expect("nobody panicked").clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    got: Arc<Mutex<Vec<Got>>>,
    plan: Arc<Mutex<VecDeque<u16>>>,
    elsewhere: String,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    got.lock().expect("nobody panicked").push(Got {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body,
    });
    let status = plan.lock().expect("nobody panicked").pop_front();
    let status = status.unwrap_or(200);
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let response = Response::builder()
        .status(status)
        .header("location", elsewhere);
    Ok(response.body(Full::default()).expect("a sound answer"))
}

async fn start(secret: &str, allow: bool) -> Result<TestApp> {
    let mut options = Options::default();
    options
        .variables
        .insert("n8n_signing_secret".to_owned(), secret.to_owned());
    if allow {
        options.arguments = vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()];
    }
    TestApp::start_with(options).await
}

/// Stores a rule that forwards messages whose text is `text`, and delivers one.
async fn forward(app: &TestApp, text: &str, url: &str) -> Result<()> {
    add_rule(app, text, url).await?;
    say(app, text, &format!("wamid.{text}")).await
}

/// Stores a rule that forwards messages whose text is `text`.
pub async fn add_rule(app: &TestApp, text: &str, url: &str) -> Result<()> {
    let rule = json!({
        "name": text,
        "when": format!("message.text == {}", json!(text)),
        "then": [{ "do": "forward", "url": url }],
    });
    let key = format!("Bearer {}", secrets::API_KEY);
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
    ];
    let answer = app
        .request(Method::POST, "/v1/rules", &headers, rule.to_string())
        .await?;
    ensure!(
        answer.status.is_success(),
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    Ok(())
}

async fn say(app: &TestApp, text: &str, id: &str) -> Result<()> {
    let phone = format!("1650555{:04}", id.len());
    let delivery = payload::text_delivery(&phone, id, text);
    let answer = app.deliver(&delivery).await?;
    ensure!(answer.status == 200, "{}", answer.status);
    Ok(())
}

/// The rows of a target, oldest first, once there are `count`.
async fn calls(app: &TestApp, target: &str, count: usize) -> Result<Vec<Value>> {
    eventually(&format!("{count} calls of {target}"), async || {
        let mut calls = app.list("/v1/external-calls").await?;
        calls.retain(|call| call["target"] == target);
        calls.reverse();
        Ok((calls.len() >= count).then_some(calls))
    })
    .await
}

fn field<'a>(calls: &'a [Value], name: &str) -> Vec<&'a Value> {
    calls.iter().map(|call| &call[name]).collect()
}

#[tokio::test]
async fn a_receiver_that_recovers_gets_the_message_once_and_can_verify_it() -> Result<()> {
    let app = start(&format!("{CURRENT},{PREVIOUS}"), true).await?;
    let receiver = Receiver::start(&[500, 500, 200]).await?;
    let shown = format!("{}/hook", receiver.base);
    forward(&app, "hello", &format!("{shown}?token=qZ4query")).await?;

    let calls = calls(&app, &shown, 3).await?;
    assert_eq!(field(&calls, "status"), [500, 500, 200]);
    assert_eq!(field(&calls, "attempt"), [1, 2, 3]);
    assert_eq!(field(&calls, "kind"), ["forward"; 3]);
    assert_eq!(calls[2]["error"], Value::Null);
    assert!(!json!(calls).to_string().contains("qZ4"), "{calls:#?}");

    let got = receiver.got();
    assert_eq!(got.len(), 3);
    for one in &got {
        assert_eq!(one.headers["content-type"], "application/cloudevents+json");
        assert_eq!(one.headers["webhook-id"], got[0].headers["webhook-id"]);
        assert_eq!(one.body, got[0].body);
        for webhook in [
            Webhook::new(CURRENT)?,
            Webhook::from_bytes(PREVIOUS.as_bytes().to_vec())?,
        ] {
            webhook.verify(&one.body, &one.headers)?;
        }
        let stranger = Webhook::from_bytes(b"another".to_vec())?;
        assert!(stranger.verify(&one.body, &one.headers).is_err());
    }
    let event: Value = serde_json::from_slice(&got[0].body)?;
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "chatly.message.received");
    assert_eq!(event["data"]["event"]["message"]["text"], "hello");
    assert_eq!(event["subject"], event["data"]["conversation_id"]);
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_is_gone_gets_nothing_more() -> Result<()> {
    let app = start(CURRENT, true).await?;
    let gone = Receiver::start(&[410]).await?;
    let other = Receiver::start(&[]).await?;
    let (gone_url, other_url) = (format!("{}/gone", gone.base), format!("{}/on", other.base));
    forward(&app, "hello", &gone_url).await?;
    let rows = calls(&app, &gone_url, 1).await?;
    assert_eq!(field(&rows, "status"), [410]);

    say(&app, "hello", "wamid.again").await?;
    app.settle().await?;
    // Buried without a call: the message after it, to another endpoint, is the proof of time.
    forward(&app, "later", &other_url).await?;
    calls(&app, &other_url, 1).await?;
    assert_eq!(gone.got().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() -> Result<()> {
    let app = start(CURRENT, true).await?;
    let receiver = Receiver::start(&[307, 200]).await?;
    let url = format!("{}/hook", receiver.base);
    forward(&app, "hello", &url).await?;
    let rows = calls(&app, &url, 2).await?;
    assert_eq!(field(&rows, "status"), [307, 200]);
    let error = rows[0]["error"].as_str().context("error")?;
    assert!(error.contains("redirects are not followed"), "{error}");
    let paths: Vec<_> = receiver.got().into_iter().map(|got| got.path).collect();
    assert_eq!(paths, ["/hook", "/hook"]);
    Ok(())
}

#[tokio::test]
async fn a_private_address_is_refused_unless_allowed() -> Result<()> {
    let app = start(CURRENT, false).await?;
    let receiver = Receiver::start(&[]).await?;
    let url = format!("{}/hook", receiver.base);
    forward(&app, "hello", &url).await?;
    let rows = calls(&app, &url, 1).await?;
    assert_eq!(rows[0]["status"], Value::Null);
    assert_eq!(rows[0]["error"], "private address");
    assert_eq!(receiver.got().len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_target_that_never_answers_holds_up_no_other() -> Result<()> {
    let app = start(CURRENT, true).await?;
    let silent = Receiver::start(&[0]).await?;
    let quick = Receiver::start(&[]).await?;
    let (silent_url, quick_url) = (format!("{}/x", silent.base), format!("{}/y", quick.base));
    forward(&app, "silent", &silent_url).await?;
    eventually("the silent one was asked", async || {
        Ok((silent.got().len() == 1).then_some(()))
    })
    .await?;
    forward(&app, "quick", &quick_url).await?;
    calls(&app, &quick_url, 1).await?;
    // The first attempt of the other was cut, and the second is answered.
    let rows = calls(&app, &silent_url, 2).await?;
    assert_eq!(rows[0]["error"], "timeout");
    assert_eq!(rows[1]["status"], 200);
    // Rows are written when an attempt ends.
    let all = app.list("/v1/external-calls").await?;
    let place = |url: &str| all.iter().rposition(|call| call["target"] == url);
    assert!(place(&quick_url) > place(&silent_url), "{all:#?}");
    Ok(())
}

#[tokio::test]
async fn without_a_signing_secret_nothing_is_sent() -> Result<()> {
    let app = start("", true).await?;
    let receiver = Receiver::start(&[]).await?;
    forward(&app, "hello", &format!("{}/hook", receiver.base)).await?;
    app.settle().await?;
    let state = eventually("the job was put off", async || {
        let database = rusqlite::Connection::open(app.state().join("sqlite/default.db"));
        let Ok(database) = database else {
            return Ok(None);
        };
        let row = database.query_row(
            "SELECT error FROM outbox WHERE kind = 'forward' AND error IS NOT NULL",
            [],
            |row| row.get::<_, String>(0),
        );
        Ok(row.ok())
    })
    .await?;
    assert_eq!(state, "no signing secret");
    assert_eq!(receiver.got().len(), 0);
    Ok(())
}
