//! An endpoint that is down for a while loses nothing, gets everything in order, and is not run over
//! when it comes back; what was given up can be looked at, cancelled and replayed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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

const CURRENT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PREVIOUS: &str = "qZ4previous-own-secret";
/// Connections are cut before a request is read.
const CUT: u16 = 0;
/// How long a test waits for the next sign of progress.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request that was read.
#[derive(Clone)]
struct Got {
    at: Instant,
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Got {
    fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().expect("text")
    }

    fn text(&self) -> String {
        let event: Value = serde_json::from_slice(&self.body).expect("JSON");
        event["data"]["event"]["message"]["text"]
            .as_str()
            .expect("a text")
            .to_owned()
    }
}

/// A receiver that answers as it is told to at any time.
struct Receiver {
    url: String,
    mood: Arc<AtomicU16>,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    async fn start(mood: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let (mood, got) = (Arc::new(AtomicU16::new(mood)), Arc::default());
        let receiver = Self {
            url,
            mood: Arc::clone(&mood),
            got: Arc::clone(&got),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mood, got) = (mood.clone(), got.clone());
                let cut = mood.load(Ordering::SeqCst) == CUT;
                if cut {
                    continue;
                }
                let service = service_fn(move |request| answer(request, mood.clone(), got.clone()));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(receiver)
    }

    fn answer_with(&self, mood: u16) {
        self.mood.store(mood, Ordering::SeqCst);
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().expect("nobody panicked").clone()
    }

    fn taken(&self) -> Vec<Got> {
        let mut got = self.got();
        got.retain(|got| got.status == 200);
        got
    }

    /// Waits until `count` were taken, as long as there is progress.
    async fn takes(&self, count: usize) -> Result<Vec<Got>> {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let taken = self.taken();
            if taken.len() >= count {
                return Ok(taken);
            }
            if taken.len() > seen {
                (seen, since) = (taken.len(), Instant::now());
            }
            ensure!(since.elapsed() < PATIENCE, "only {seen} of {count} came");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    mood: Arc<AtomicU16>,
    got: Arc<Mutex<Vec<Got>>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    // A connection that was kept alive is cut by an answer that nobody can read.
    let status = match mood.load(Ordering::SeqCst) {
        CUT => 503,
        status => status,
    };
    got.lock().expect("nobody panicked").push(Got {
        at: Instant::now(),
        status,
        headers: head.headers,
        body,
    });
    let mut response = Response::builder().status(status);
    if status == 429 {
        response = response.header("retry-after", "600");
    }
    Ok(response.body(Full::default()).expect("a sound answer"))
}

async fn start(endpoints: &Value) -> Result<TestApp> {
    let mut options = Options::default();
    for (name, value) in [
        ("n8n_signing_secret", "qZ4common".to_owned()),
        ("webhook_endpoints", endpoints.to_string()),
    ] {
        options.variables.insert(name.to_owned(), value);
    }
    options.arguments = vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()];
    TestApp::start_with(options).await
}

async fn call(app: &TestApp, method: Method, path: &str, body: &str) -> Result<(u16, Value)> {
    let key = format!("Bearer {}", secrets::API_KEY);
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
    ];
    let answer = app.request(method, path, &headers, body.to_owned()).await?;
    let value = answer.json().unwrap_or(Value::Null);
    Ok((answer.status.as_u16(), value))
}

/// Stores a rule that forwards every text.
async fn forward_all(app: &TestApp, url: &str) -> Result<()> {
    let rule = json!({"name": "all", "when": "message.type == \"text\"", "then": [{"do": "forward", "url": url}]});
    let (status, answer) = call(app, Method::POST, "/v1/rules", &rule.to_string()).await?;
    ensure!(status == 201, "{status}: {answer}");
    Ok(())
}

async fn say(app: &TestApp, person: usize, text: &str) -> Result<()> {
    let phone = format!("1650555{person:04}");
    let delivery = payload::text_delivery(&phone, &format!("wamid.{text}"), text);
    let answer = app.deliver(&delivery).await?;
    ensure!(answer.status == 200, "{}", answer.status);
    Ok(())
}

async fn endpoint(app: &TestApp, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    eventually("the endpoint is as it should be", async || {
        let endpoints = app.list("/v1/endpoints").await?;
        Ok(endpoints.into_iter().next().filter(&wanted))
    })
    .await
}

/// People who write, one after the other.
const PEOPLE: usize = 20;
const RATE: u32 = 20;
const BURST: u32 = 5;
/// What all of them write together, a second.
const LOAD: u32 = 15;

/// Numbers each person's messages.
struct Crowd {
    next: usize,
    said: BTreeMap<usize, usize>,
}

impl Crowd {
    async fn speak_for(&mut self, app: &TestApp, time: Duration) -> Result<()> {
        let mut pace = tokio::time::interval(Duration::from_secs(1) / LOAD);
        let end = Instant::now() + time;
        while Instant::now() < end {
            pace.tick().await;
            let person = self.next % PEOPLE;
            self.next += 1;
            let number = self.said.entry(person).or_default();
            *number += 1;
            say(app, person, &format!("p{person}-{number}")).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn an_outage_loses_nothing_and_ends_without_a_herd() -> Result<()> {
    let outage: u64 = match std::env::var("CHATLY_OUTAGE_SECS") {
        Ok(secs) => secs.parse()?,
        Err(_) => 6,
    };
    let receiver = Receiver::start(200).await?;
    let limits =
        json!([{"url": receiver.url, "rate_per_sec": RATE, "burst": BURST, "concurrency": 8}]);
    let app = start(&limits).await?;
    let mut changes = app.events(None).await?;
    forward_all(&app, &receiver.url).await?;

    let mut crowd = Crowd {
        next: 0,
        said: BTreeMap::new(),
    };
    crowd.speak_for(&app, Duration::from_secs(2)).await?;
    receiver.takes(1).await?;
    let half = Duration::from_secs(outage) / 2;
    receiver.answer_with(CUT);
    crowd.speak_for(&app, half).await?;
    receiver.answer_with(503);
    crowd.speak_for(&app, half).await?;
    let open = endpoint(&app, |it| it["open_since"].is_number()).await?;
    assert!(open["consecutive_failures"].as_u64() >= Some(5), "{open}");
    assert!(open["last_error"].is_string(), "{open}");

    let before = receiver.got().len();
    let backlog = crowd.next - receiver.taken().len();
    let back = Instant::now();
    receiver.answer_with(200);
    crowd.speak_for(&app, Duration::from_secs(2)).await?;
    receiver.takes(crowd.next).await?;
    // Nothing comes after what was said: the store says that nothing is left.
    eventually("no forward is left", async || {
        let mut left = app.list("/v1/outbox?kind=forward").await?;
        left.retain(|job| job["state"] != "done");
        Ok(left.is_empty().then_some(()))
    })
    .await?;

    let taken = receiver.taken();
    let ids: BTreeSet<_> = taken.iter().map(Got::id).collect();
    assert_eq!(ids.len(), taken.len(), "each was taken once");
    assert_eq!(taken.len(), crowd.next, "all of them");
    check_order(&taken, &crowd);
    let peak = peak(&taken, back);
    let most = 2 * usize::try_from(RATE + BURST)?;
    assert!(
        peak <= most,
        "{peak} in one second, of {backlog} that waited"
    );
    // While the circuit is open, messages wait without a call each.
    let failed = before
        - receiver
            .got()
            .iter()
            .take(before)
            .filter(|got| got.status == 200)
            .count();
    assert!(
        failed * 2 < backlog,
        "{failed} calls for {backlog} messages"
    );
    let state = endpoint(&app, |it| it["state"] == "closed").await?;
    assert_eq!(state["delivered"], crowd.next);
    for state in ["open", "closed"] {
        let told = |event: &harness::StreamEvent| {
            event.event == "endpoint.updated" && event.data["state"] == state
        };
        changes.find(told).await?;
    }
    println!(
        "outage {outage} s: {} messages, {backlog} waited, {failed} calls failed with an answer, peak {peak}/s, all there after {:?}",
        crowd.next,
        taken.last().map(|last| last.at - back),
    );
    Ok(())
}

fn check_order(taken: &[Got], crowd: &Crowd) {
    let mut heard: BTreeMap<usize, usize> = BTreeMap::new();
    for text in taken.iter().map(Got::text) {
        let (person, number) = text
            .strip_prefix('p')
            .and_then(|text| text.split_once('-'))
            .expect("one of ours");
        let (person, number) = (person.parse().expect("a person"), number.parse::<usize>());
        let last = heard.entry(person).or_default();
        assert_eq!(number, Ok(*last + 1), "in order within {person}");
        *last += 1;
    }
    assert_eq!(heard, crowd.said);
}

/// The most that came within any second.
fn peak(taken: &[Got], since: Instant) -> usize {
    let times: Vec<_> = taken
        .iter()
        .map(|got| got.at)
        .filter(|at| *at >= since)
        .collect();
    let within = |from: &Instant| {
        let second = *from..*from + Duration::from_secs(1);
        times.iter().filter(|at| second.contains(*at)).count()
    };
    times.iter().map(within).max().unwrap_or(0)
}

#[tokio::test]
async fn what_was_given_up_is_shown_cancelled_and_replayed() -> Result<()> {
    let receiver = Receiver::start(400).await?;
    let own = json!([{"url": receiver.url, "secrets": [CURRENT, PREVIOUS]}]);
    let app = start(&own).await?;
    forward_all(&app, &receiver.url).await?;
    for person in 1..=3 {
        say(&app, person, &format!("p{person}-1")).await?;
    }
    let buried = eventually("three are buried", async || {
        let jobs = app.list("/v1/outbox?state=buried").await?;
        Ok((jobs.len() == 3).then_some(jobs))
    })
    .await?;
    for got in receiver.got() {
        for webhook in [
            Webhook::new(CURRENT)?,
            Webhook::from_bytes(PREVIOUS.as_bytes().to_vec())?,
        ] {
            webhook.verify(&got.body, &got.headers)?;
        }
    }
    let seq = buried[0]["seq"].as_u64().context("seq")?;
    let (status, job) = call(&app, Method::GET, &format!("/v1/outbox/{seq}"), "").await?;
    assert_eq!(status, 200);
    assert_eq!(job["error"], "status 400");
    let steps: Vec<_> = job["timeline"]
        .as_array()
        .context("timeline")?
        .iter()
        .collect();
    let names: Vec<_> = steps.iter().map(|step| &step["step"]).collect();
    assert_eq!(names, ["made", "call", "buried"], "{job}");
    assert_eq!(steps[1]["status"], 400);

    // A fourth waits for ten minutes, because it was asked to, and is cancelled.
    receiver.answer_with(429);
    say(&app, 4, "p4-1").await?;
    let waiting = eventually("the fourth waits", async || {
        let jobs = app.list("/v1/outbox?state=pending&kind=forward").await?;
        Ok(jobs.into_iter().find(|job| job["error"] == "status 429"))
    })
    .await?;
    let cancel = format!("/v1/outbox/{}/cancel", waiting["seq"]);
    let (status, job) = call(&app, Method::POST, &cancel, "").await?;
    assert_eq!(
        (status, &job["state"], &job["error"]),
        (200, &json!("buried"), &json!("cancelled"))
    );
    let (status, problem) = call(&app, Method::POST, &cancel, "").await?;
    assert_eq!((status, &problem["code"]), (409, &json!("not_waiting")));
    let (status, _) = call(&app, Method::POST, "/v1/outbox/99999/cancel", "").await?;
    assert_eq!(status, 404);

    receiver.answer_with(200);
    let many = "/v1/outbox/replay?kind=forward&error=status%20400";
    let (status, plan) = call(&app, Method::POST, &format!("{many}&plan=true"), "").await?;
    assert_eq!((status, &plan["count"]), (200, &json!(3)), "{plan}");
    assert_eq!(plan["jobs"].as_array().map(Vec::len), Some(3), "{plan}");
    assert_eq!(receiver.taken().len(), 0, "a plan does nothing");
    let (status, done) = call(&app, Method::POST, many, "").await?;
    assert_eq!(status, 200);
    assert_eq!(
        (&done["replayed"], &done["remaining"]),
        (&json!(3), &json!(0))
    );
    let taken = receiver.takes(3).await?;
    let texts: BTreeSet<_> = taken.iter().map(Got::text).collect();
    assert_eq!(texts, ["p1-1", "p2-1", "p3-1"].map(str::to_owned).into());
    let names = eventually("the timeline ends", async || {
        let (_, job) = call(&app, Method::GET, &format!("/v1/outbox/{seq}"), "").await?;
        let steps = job["timeline"].as_array().context("timeline")?;
        let names: Vec<_> = steps.iter().map(|step| step["step"].clone()).collect();
        Ok((job["state"] == "done").then_some(names))
    })
    .await?;
    assert_eq!(names, ["made", "call", "replayed", "call", "done"]);
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_stays_away_is_told_of_before_its_messages_are_given_up() -> Result<()> {
    let receiver = Receiver::start(503).await?;
    let short = json!([{"url": "*", "retry_secs": 4}]);
    let app = start(&short).await?;
    let mut changes = app.events(None).await?;
    forward_all(&app, &receiver.url).await?;
    say(&app, 1, "p1-1").await?;
    let told = changes
        .find(|event| event.event == "endpoint.updated" && event.data["alert"] == 100)
        .await?;
    assert_eq!(told.data["url"], receiver.url);
    let buried = eventually("it is buried", async || {
        let jobs = app.list("/v1/outbox?state=buried").await?;
        Ok(jobs.into_iter().next())
    })
    .await?;
    let error = buried["error"].as_str().context("error")?;
    assert!(error.contains("the time to retry is over"), "{error}");
    endpoint(&app, |it| it["alert"] == 100).await?;
    let (log, _state) = app.stop()?;
    assert!(log.contains("time to retry used up: percent=100"), "{log}");
    Ok(())
}
