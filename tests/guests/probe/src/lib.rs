//! Shows what the host gives a component and does what the host must survive. The last segment of the
//! path says what; what happens after the response is printed.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON values answer null for what they lack"
)]

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::SinkExt as _;
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};
use spin_sdk::http::{IntoResponse, Request, Response, body};
use spin_sdk::http_service;
use spin_sdk::wasip3::http::types::{self, ErrorCode};
use spin_sdk::wasip3::spawn;

type Answer = Result<types::Response, ErrorCode>;

/// Requests that this instance has seen.
static SEEN: AtomicU32 = AtomicU32::new(0);

#[http_service]
async fn probe(request: Request) -> Answer {
    let seen = SEEN.fetch_add(1, Relaxed) + 1;
    let argument = request.uri().query().unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    match path.rsplit('/').next().unwrap_or_default() {
        "headers" => json!(headers(&request)).to_string().into_response(),
        "seen" => seen.to_string().into_response(),
        "sized" => sized("sized"),
        "length" => length(request).await,
        "environment" => json!(std::env::vars().collect::<Vec<_>>())
            .to_string()
            .into_response(),
        "sleep" => {
            sleep(&argument).await;
            format!("slept with {}", SEEN.load(Relaxed)).into_response()
        }
        "call" => call(&argument).await.into_response(),
        "follow" => follow(&argument).await.into_response(),
        "count" => count(&argument).await.into_response(),
        "events" => events(),
        "silent-events" => silent_events(),
        "refuse" => Err(ErrorCode::InternalError(Some(
            "refused by the probe".into(),
        ))),
        "sweep" => {
            println!(
                "swept {} {}",
                request.method(),
                headers(&request)["authorization"]
            );
            sized("")
        }
        "trap" => std::process::abort(),
        "loop" => compute_forever(),
        "allocate" => allocate_without_end(),
        "later" => {
            spawn(async move {
                sleep(&argument).await;
                println!("worked later");
            });
            sized("")
        }
        "loop-later" => {
            spawn(async {
                // Lets the response out first.
                sleep("50").await;
                compute_forever()
            });
            sized("")
        }
        other => format!("nothing to do for {other:?}").into_response(),
    }
}

async fn sleep(millis: &str) {
    spin_sdk::time::sleep(Duration::from_millis(millis.parse().unwrap_or_default())).await;
}

fn headers(request: &Request) -> Map<String, Value> {
    let text = |value: &[u8]| Value::from(String::from_utf8_lossy(value).into_owned());
    request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
        .collect()
}

fn sized(text: &'static str) -> Answer {
    let response = Response::builder()
        .header("content-length", text.len())
        .body(text.to_owned());
    response
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?
        .into_response()
}

async fn length(request: Request) -> Answer {
    match request.into_body().collect().await {
        Ok(body) => body.to_bytes().len().to_string().into_response(),
        Err(error) => format!("{error:?}").into_response(),
    }
}

async fn call(url: &str) -> String {
    match spin_sdk::http::get(url).await {
        Ok(response) => {
            let status = response.status();
            match response.into_body().collect().await {
                Ok(body) => format!(
                    "{} {}",
                    status.as_u16(),
                    String::from_utf8_lossy(&body.to_bytes())
                ),
                Err(error) => format!("broken body: {error:?}"),
            }
        }
        Err(error) => format!("{error:?}"),
    }
}

/// Goes where a redirect leads, once.
async fn follow(url: &str) -> String {
    match spin_sdk::http::get(url).await {
        Ok(response) => match response.headers().get("location") {
            Some(target) => call(&String::from_utf8_lossy(target.as_bytes())).await,
            None => format!("{} leads nowhere", response.status().as_u16()),
        },
        Err(error) => format!("{error:?}"),
    }
}

/// The size of a response, of which nothing is kept.
async fn count(url: &str) -> String {
    let mut body = match spin_sdk::http::get(url).await {
        Ok(response) => response.into_body(),
        Err(error) => return format!("{error:?}"),
    };
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes += frame.data_ref().map_or(0, |data| data.len()),
            Err(error) => return format!("{error:?} after some of it"),
        }
    }
    bytes.to_string()
}

fn events() -> Answer {
    let (mut sender, events) = body::stream::<String>();
    spawn(async move {
        println!("stream begins");
        while sender.send(": tick\n\n".to_owned()).await.is_ok() {
            spin_sdk::time::sleep(Duration::from_millis(10)).await;
        }
        println!("stream ends");
    });
    event_stream(events)
}

fn event_stream<B>(events: B) -> Answer
where
    Response<B>: IntoResponse,
{
    let response = Response::builder()
        .header("content-type", "text/event-stream")
        .body(events);
    response
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?
        .into_response()
}

/// A stream that begins and then has nothing to say: its guest never notices that a client left.
fn silent_events() -> Answer {
    let (mut sender, events) = body::stream::<String>();
    spawn(async move {
        if sender.send(": open\n\n".to_owned()).await.is_ok() {
            sleep("3600000").await;
        }
        drop(sender);
    });
    event_stream(events)
}

fn compute_forever() -> ! {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

fn allocate_without_end() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}
