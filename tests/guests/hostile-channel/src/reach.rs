//! One attempt at every capability: `"reached"`, the refusal that it met, or a list of what it found.

use serde_json::Value;
use spin_sdk::wasip3;
use spin_sdk::wit_bindgen::block_on;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};

/// One attempt, by its name; null for a name that is none.
pub fn attempt(name: &str) -> Value {
    match name {
        "tcp_0_2" => refusal(std::net::TcpStream::connect("127.0.0.1:9")),
        "udp_0_2" => refusal(std::net::UdpSocket::bind("127.0.0.1:0")),
        "lookup_0_2" => refusal(std::net::ToSocketAddrs::to_socket_addrs("localhost:80")),
        "tcp_0_3" => tcp_0_3(),
        "http_0_2" => http_0_2(),
        "http_0_3" => block_on(http_0_3()),
        "sqlite" => refusal(block_on(spin_sdk::sqlite::Connection::open_default())),
        "variable" => refusal(block_on(spin_sdk::variables::get("secrets"))),
        "environment" => std::env::vars().map(|(name, _)| name).collect(),
        "arguments" => std::env::args().collect(),
        "read_root" => refusal(std::fs::read_dir("/")),
        "write_file" => refusal(std::fs::write("/tmp/reached", "reached")),
        "read_manifest" => refusal(std::fs::read("spin.toml")),
        _ => Value::Null,
    }
}

fn refusal<T, E: std::fmt::Debug>(outcome: Result<T, E>) -> Value {
    match outcome {
        Ok(_) => "reached".into(),
        Err(error) => format!("{error:?}").into(),
    }
}

fn tcp_0_3() -> Value {
    use wasip3::sockets::types::{IpAddressFamily, TcpSocket};
    refusal(TcpSocket::create(IpAddressFamily::Ipv4))
}

fn http_0_2() -> Value {
    let request = OutgoingRequest::new(Fields::new());
    let set = request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some("worker.spin.internal")))
        .and_then(|()| request.set_path_with_query(Some("/")));
    match set {
        Ok(()) => refusal(outgoing_handler::handle(request, None)),
        Err(()) => Value::Null,
    }
}

async fn http_0_3() -> Value {
    use wasip3::http::types::{Fields, Request, Scheme};
    let (writer, trailers) = wasip3::wit_future::new(|| Ok(None));
    // Dropped, it would write, and a synchronous export must not wait for a reader.
    std::mem::forget(writer);
    let (request, _) = Request::new(Fields::new(), None, trailers, None);
    let set = request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some("worker.spin.internal")))
        .and_then(|()| request.set_path_with_query(Some("/")));
    match set {
        Ok(()) => refusal(wasip3::http::client::send(request).await),
        Err(()) => Value::Null,
    }
}
