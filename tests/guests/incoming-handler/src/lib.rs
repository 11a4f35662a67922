//! A component of WASI 0.2: it exports `wasi:http/incoming-handler`, as components built for Spin 2
//! and 3 do. The last segment of the path says what it does with a request.

mod outgoing;

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use serde_json::{Map, Value, json};
use wasip2::clocks::monotonic_clock;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse,
    ResponseOutparam,
};
use wasip2::io::streams::OutputStream;

wasip2::http::proxy::export!(IncomingHandler);

/// One piece of a long body.
const CHUNK_BYTES: usize = 64 * 1024;
/// Nanoseconds in a millisecond, the unit of this clock.
const NANOS_PER_MILLI: u64 = 1_000_000;

/// Requests that this instance has seen.
static SEEN: AtomicU32 = AtomicU32::new(0);

struct IncomingHandler;

impl Guest for IncomingHandler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let seen = SEEN.fetch_add(1, Relaxed) + 1;
        let target = request.path_with_query().unwrap_or_default();
        let (path, argument) = target.split_once('?').unwrap_or((&target, ""));
        match path.rsplit('/').next().unwrap_or_default() {
            "seen" => sized(out, seen.to_string().as_bytes()),
            "request" => sized(out, describe(&request).to_string().as_bytes()),
            "echo" => echo(&request, out),
            "get" => sized(out, outgoing::get(argument).to_string().as_bytes()),
            "post" => sized(
                out,
                outgoing::post(argument, &body_of(&request))
                    .to_string()
                    .as_bytes(),
            ),
            "long" => long(out, argument.parse().unwrap_or_default()),
            "ticks" => ticks(out),
            "steps" => steps(out, argument.parse().unwrap_or_default()),
            "sleep" => {
                sleep(argument.parse().unwrap_or_default());
                sized(out, b"slept");
            }
            "later" => {
                sized(out, b"first");
                sleep(argument.parse().unwrap_or_default());
                println!("worked later");
            }
            "refuse" => ResponseOutparam::set(
                out,
                Err(ErrorCode::InternalError(Some(
                    "refused by the guest".into(),
                ))),
            ),
            "silent" => drop(out),
            "trap" => std::process::abort(),
            "trap-midway" => {
                let (_body, mut stream) = begin(out, Fields::new());
                _ = stream.write_all(b"the first half");
                _ = stream.flush();
                std::process::abort();
            }
            "too-short" => {
                let (body, mut stream) = begin(out, length(10));
                _ = stream.write_all(b"half");
                end(body, stream);
            }
            _ => sized(out, b""),
        }
    }
}

/// What the host says about a request.
fn describe(request: &IncomingRequest) -> Value {
    let text = |value: &[u8]| Value::from(String::from_utf8_lossy(value).into_owned());
    let headers = request.headers().entries();
    let headers: Map<_, _> = headers
        .into_iter()
        .map(|(name, value)| (name, text(&value)))
        .collect();
    json!({
        "method": format!("{:?}", request.method()),
        "path": request.path_with_query(),
        "scheme": request.scheme().map(|scheme| format!("{scheme:?}")),
        "authority": request.authority(),
        "headers": headers,
    })
}

/// Computes for 5 ms and waits for 1 ms, `count` times.
fn steps(out: ResponseOutparam, count: u64) {
    let (body, mut stream) = begin(out, Fields::new());
    for number in 0..count {
        let start = monotonic_clock::now();
        while monotonic_clock::now() - start < 5 * NANOS_PER_MILLI {
            std::hint::spin_loop();
        }
        sleep(1);
        _ = stream.write_all(format!("{number} ").as_bytes());
    }
    end(body, stream);
}

fn sleep(millis: u64) {
    monotonic_clock::subscribe_duration(millis * NANOS_PER_MILLI).block();
}

fn length(bytes: usize) -> Fields {
    let fields = Fields::new();
    _ = fields.append("content-length", bytes.to_string().as_bytes());
    fields
}

/// Sends the head, and opens the body.
fn begin(out: ResponseOutparam, headers: Fields) -> (OutgoingBody, OutputStream) {
    let response = OutgoingResponse::new(headers);
    let (Ok(body), true) = (response.body(), response.set_status_code(200).is_ok()) else {
        std::process::abort();
    };
    ResponseOutparam::set(out, Ok(response));
    match body.write() {
        Ok(stream) => (body, stream),
        Err(()) => std::process::abort(),
    }
}

/// Ends the body; a length that was promised and not kept is the host's to notice.
fn end(body: OutgoingBody, stream: OutputStream) {
    drop(stream);
    if let Err(error) = OutgoingBody::finish(body, None) {
        println!("body refused: {error:?}");
    }
}

fn sized(out: ResponseOutparam, text: &[u8]) {
    let (body, mut stream) = begin(out, length(text.len()));
    _ = stream.write_all(text);
    end(body, stream);
}

/// Sends each piece of the body back as it comes.
fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let kind = request.headers().get("content-type");
    let headers = Fields::new();
    _ = headers.set("content-type", &kind);
    let (body, mut stream) = begin(out, headers);
    read(request.consume(), |piece| stream.write_all(piece).is_ok());
    end(body, stream);
}

fn body_of(request: &IncomingRequest) -> Vec<u8> {
    let mut all = Vec::new();
    read(request.consume(), |piece| {
        all.extend_from_slice(piece);
        true
    });
    all
}

/// Gives the pieces of a body to `each` as long as that wants more.
fn read(body: Result<IncomingBody, ()>, mut each: impl FnMut(&[u8]) -> bool) {
    let Ok(body) = body else { return };
    let Ok(stream) = body.stream() else {
        return;
    };
    // An error ends it too: the body that comes back is short then, which a test sees.
    while let Ok(piece) = stream.blocking_read(CHUNK_BYTES as u64) {
        if !each(&piece) {
            return;
        }
    }
}

/// A body of `count` pieces, each of one letter, whose length the head does not say.
fn long(out: ResponseOutparam, count: u8) {
    let (body, mut stream) = begin(out, Fields::new());
    for number in 0..count {
        let piece = vec![b'a' + number % 26; CHUNK_BYTES];
        if stream.write_all(&piece).is_err() {
            return;
        }
    }
    end(body, stream);
}

/// Writes every 10 ms how many milliseconds have passed since the head, until the client leaves.
fn ticks(out: ResponseOutparam) {
    let headers = Fields::new();
    _ = headers.append("content-type", b"text/event-stream");
    let (body, mut stream) = begin(out, headers);
    let start = monotonic_clock::now();
    loop {
        let passed = (monotonic_clock::now() - start) / NANOS_PER_MILLI;
        let tick = format!("data: {passed}\n\n");
        if stream.write_all(tick.as_bytes()).is_err() || stream.flush().is_err() {
            println!("the client left");
            break;
        }
        sleep(10);
    }
    end(body, stream);
}
