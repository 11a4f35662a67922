//! One attempt at every capability. Each gives `reached` or the refusal that it met.

use serde_json::{Value, json};
use spin_sdk::wasip3;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};

/// Tries all of it.
pub fn everything() -> Value {
    json!({
        "tcp_0_2": refusal(std::net::TcpStream::connect("127.0.0.1:9")),
        "udp_0_2": refusal(std::net::UdpSocket::bind("127.0.0.1:0")),
        "lookup_0_2": refusal(std::net::ToSocketAddrs::to_socket_addrs("localhost:80")),
        "tcp_0_3": tcp_0_3(),
        "http_0_2": http_0_2(),
        "http_0_3": http_0_3(),
        "sqlite": refusal(spin_sdk::wit_bindgen::block_on(spin_sdk::sqlite::Connection::open_default())),
        "variable": refusal(spin_sdk::wit_bindgen::block_on(spin_sdk::variables::get("secrets"))),
        "environment": std::env::vars().map(|(name, _)| name).collect::<Vec<_>>(),
        "arguments": std::env::args().collect::<Vec<_>>(),
        "read_root": refusal(std::fs::read_dir("/")),
        "write_file": refusal(std::fs::write("/tmp/reached", "reached")),
        "read_manifest": refusal(std::fs::read("spin.toml")),
    })
}

fn refusal<T, E: std::fmt::Debug>(outcome: Result<T, E>) -> String {
    match outcome {
        Ok(_) => "reached".into(),
        Err(error) => format!("{error:?}"),
    }
}

fn tcp_0_3() -> String {
    use wasip3::sockets::types::{IpAddressFamily, TcpSocket};
    refusal(TcpSocket::create(IpAddressFamily::Ipv4))
}

fn http_0_2() -> String {
    let request = OutgoingRequest::new(Fields::new());
    let set = request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some("worker.spin.internal")))
        .and_then(|()| request.set_path_with_query(Some("/")));
    match set {
        Ok(()) => refusal(outgoing_handler::handle(request, None)),
        Err(()) => "no request".into(),
    }
}

fn http_0_3() -> String {
    use wasip3::http::types::{Fields, Request, Scheme};
    let (_, trailers) = wasip3::wit_future::new(|| Ok(None));
    let (request, _) = Request::new(Fields::new(), None, trailers, None);
    let set = request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some("worker.spin.internal")))
        .and_then(|()| request.set_path_with_query(Some("/")));
    match set {
        Ok(()) => refusal(spin_sdk::wit_bindgen::block_on(wasip3::http::client::send(request))),
        Err(()) => "no request".into(),
    }
}
