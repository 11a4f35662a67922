//! A component's request over the network.
//!
//! 1. The name is looked up once; addresses that the sender's grant does not reach are taken out,
//!    and the connection goes to one of those that are left. A name cannot lead elsewhere between
//!    the check and the connection.
//! 2. No address left is Spin's error value for a blocked network, `destination-IP-prohibited`.
//! 3. The connect timeout covers all until the connection stands: looking up, waiting for leave
//!    (`max_connections`), connecting and TLS. Passed, it is `connection-timeout`, as on Spin.
//! 4. TLS as [`clients`](super::clients) says, HTTP/1.1, one connection a request. Redirects are
//!    the component's to follow.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, timeout};
use tracing::warn;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::clients::Stream;
use super::outgoing::{Outgoing, Sent, TIMEOUT};

/// Sends `request`, which its grant allows by name already.
pub(super) async fn send(
    mut request: Request<WasiBody>,
    options: RequestOptions,
    sender: &Outgoing,
) -> Result<Sent, Error> {
    // Waiting for leave counts too: others may keep their connections for as long as they like.
    let limit = options.connect_timeout.unwrap_or(TIMEOUT);
    let opened = timeout(limit, open(request.uri(), sender)).await;
    let (stream, permit) = opened.map_err(|_elapsed| Error::ConnectionTimeout)??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = Connection(Some(tokio::spawn(async move {
        let _until_it_ends = permit;
        connection.await
    })));

    // Scheme and authority are for proxies only.
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    let limit = options.first_byte_timeout.unwrap_or(TIMEOUT);
    let answered = timeout(limit, sender.send_request(request)).await;
    let response = answered.map_err(|_elapsed| Error::ConnectionReadTimeout)??;

    let limit = options.between_bytes_timeout.unwrap_or(TIMEOUT);
    let response = response.map(|incoming| Timed::new(incoming, limit).boxed_unsync());
    let connection = connection.0.take();
    Ok((response, Box::new(async move { end(connection).await })))
}

/// A stream, and leave to have it when connections are bounded.
type Opened = (Box<dyn Stream>, Option<OwnedSemaphorePermit>);

/// Looks the host up, and connects to an address that the grant reaches, once there is leave to.
async fn open(uri: &Uri, sender: &Outgoing) -> Result<Opened, Error> {
    let grant = &sender.hosts;
    let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
    let tls = uri.scheme() == Some(&Scheme::HTTPS);
    let (scheme, usual_port) = if tls { ("https", 443) } else { ("http", 80) };
    let host = authority.host();
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16();

    let found = tokio::net::lookup_host((name, port.unwrap_or(usual_port))).await;
    let found: Vec<SocketAddr> = found.map_err(Error::Connect)?.collect();
    if found.is_empty() {
        return Err(Error::DestinationNotFound);
    }
    let reached = |address: &SocketAddr| grant.reaches(scheme, host, port, address.ip());
    let open: Vec<SocketAddr> = found.into_iter().filter(reached).collect();
    if open.is_empty() {
        let refusal = grant.refusal(scheme, host, port);
        warn!(
            component = refusal.component,
            to = refusal.target,
            add = refusal.line(),
            "refused a connection to a private or blocked address; a wildcard host means public ones"
        );
        return Err(Error::DestinationIpProhibited);
    }
    let permit = sender.clients.permit().await;
    // Tries one after another.
    let stream = TcpStream::connect(open.as_slice())
        .await
        .map_err(Error::Connect)?;
    // Without it a small request may wait for the acknowledgement of the one before.
    _ = stream.set_nodelay(true);
    if !tls {
        return Ok((Box::new(stream), permit));
    }
    let stream = sender.clients.tls(&sender.component, name, stream).await?;
    Ok((stream, permit))
}

/// The task that moves bytes; ended when nobody waits for the answer any more.
struct Connection(Option<JoinHandle<hyper::Result<()>>>);

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// How the connection ended. It ends by itself when the answer's body was read or dropped.
async fn end(connection: Option<JoinHandle<hyper::Result<()>>>) -> Result<(), Error> {
    match connection {
        None => Ok(()),
        Some(connection) => match connection.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.is_timeout() => Err(Error::HttpResponseTimeout),
            Ok(Err(error)) => Err(error.into()),
            Err(_ended) => Err(Error::ConnectionTerminated),
        },
    }
}

/// A body with a limit to the time between its frames.
struct Timed {
    incoming: Incoming,
    limit: Duration,
    left: Pin<Box<Sleep>>,
}

impl Timed {
    fn new(incoming: Incoming, limit: Duration) -> Self {
        Self {
            incoming,
            limit,
            left: Box::pin(tokio::time::sleep(limit)),
        }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(frame) => {
                // A limit past the end of time is none.
                if let Some(next) = Instant::now().checked_add(self.limit) {
                    self.left.as_mut().reset(next);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Error::from)))
            }
            Poll::Pending => {
                ready!(self.left.as_mut().poll(context));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use http_body_util::Empty;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::http::clients::Clients;
    use crate::http::outgoing::Neighbours;
    use crate::manifest::runtime_config::RuntimeConfig;
    use crate::manifest::{Application, Component, Manifest};
    use crate::outbound::{Blocked, Grant};
    use crate::variables::{Providers, Resolver};

    fn grant(entries: &[String], private: &[&str]) -> Outgoing {
        let manifest = Manifest {
            path: "/app/spin.toml".into(),
            application: Application::default(),
            variables: BTreeMap::new(),
            triggers: vec![],
            components: BTreeMap::new(),
        };
        let resolver = Resolver::new(&manifest, &Providers::default()).unwrap();
        let component = Component {
            id: "dispatch".to_owned(),
            allowed_outbound_hosts: entries.to_vec(),
            ..Component::default()
        };
        let private = private.iter().map(|one| one.parse().unwrap()).collect();
        let hosts = Grant::new(&component, &resolver, []).unwrap();
        Outgoing {
            component: component.id.as_str().into(),
            hosts: Arc::new(hosts.with_private(private)),
            neighbours: Neighbours::default(),
            clients: Arc::new(Clients::default()),
        }
    }

    /// A server that answers every request with `answer`, or never when there is none.
    async fn serve(answer: Option<&'static str>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                if let Some(answer) = answer {
                    let mut request = [0; 1024];
                    _ = stream.read(&mut request).await;
                    _ = stream.write_all(answer.as_bytes()).await;
                }
                kept.push(stream);
            }
        });
        port
    }

    async fn get(url: &str, grant: &Outgoing, options: RequestOptions) -> Result<Bytes, Error> {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = Request::get(url).header("host", "x").body(body).unwrap();
        let (response, _io) = send(request, options, grant).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }

    const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

    #[tokio::test]
    async fn a_private_address_needs_a_grant_that_names_it() {
        let port = serve(Some(HELLO)).await;
        let exact = format!("http://127.0.0.1:{port}");
        let mapped = format!("http://[::ffff:127.0.0.1]:{port}");
        let any = "http://*:*";
        for (name, entries, private, host, want) in [
            ("a wildcard", vec![any], vec![], "127.0.0.1", false),
            ("a wildcard, by name", vec![any], vec![], "localhost", false),
            (
                "a wildcard, mapped",
                vec![any],
                vec![],
                "[::ffff:127.0.0.1]",
                false,
            ),
            ("a wildcard, short form", vec![any], vec![], "127.1", false),
            (
                "a wildcard below a domain",
                vec!["http://*.localhost:*"],
                vec![],
                "x.localhost",
                false,
            ),
            ("the address", vec![&exact], vec![], "127.0.0.1", true),
            (
                "the mapped address",
                vec![&mapped],
                vec![],
                "[::ffff:127.0.0.1]",
                true,
            ),
            (
                "the name",
                vec!["http://localhost:*"],
                vec![],
                "localhost",
                true,
            ),
            (
                "its network",
                vec!["http://127.0.0.0/8:*"],
                vec![],
                "127.0.0.1",
                true,
            ),
            (
                "its network, for a name",
                vec![any, "http://127.0.0.0/8:*"],
                vec![],
                "localhost",
                true,
            ),
            (
                "another network",
                vec![any, "http://10.0.0.0/8:*"],
                vec![],
                "127.0.0.1",
                false,
            ),
            (
                "opened to all",
                vec![any],
                vec!["127.0.0.0/8"],
                "127.0.0.1",
                true,
            ),
            (
                "opened to all, by name",
                vec![any],
                vec!["127.0.0.0/8"],
                "localhost",
                true,
            ),
            (
                "another opened",
                vec![any],
                vec!["10.0.0.0/8"],
                "127.0.0.1",
                false,
            ),
        ] {
            let entries: Vec<String> = entries.into_iter().map(str::to_owned).collect();
            let grant = grant(&entries, &private);
            let url = format!("http://{host}:{port}/");
            match get(&url, &grant, RequestOptions::default()).await {
                Ok(body) => assert!(want && body == "hello", "{name}"),
                // A machine may not know names below `localhost`; nothing was reached then.
                Err(Error::Connect(_)) => assert!(!want && host == "x.localhost", "{name}"),
                Err(error) => assert!(
                    !want && matches!(error, Error::DestinationIpProhibited),
                    "{name}: {error}"
                ),
            }
        }
    }

    #[tokio::test]
    async fn a_blocked_network_is_not_reached_though_a_grant_names_it() {
        let port = serve(Some(HELLO)).await;
        let url = format!("http://127.0.0.1:{port}/");
        let mut grant = grant(&[format!("http://127.0.0.1:{port}")], &["127.0.0.0/8"]);
        let open = get(&url, &grant, RequestOptions::default()).await;
        assert_eq!(open.unwrap(), "hello");
        let blocked = Blocked {
            networks: vec!["127.0.0.0/8".parse().unwrap()],
            private: false,
        };
        grant.hosts = Arc::new(Grant::clone(&grant.hosts).with_blocked(blocked));
        let closed = get(&url, &grant, RequestOptions::default()).await;
        assert!(matches!(closed, Err(Error::DestinationIpProhibited)));
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_cut_at_each_timeout() {
        let grant = grant(&["http://127.0.0.1:*".to_owned()], &[]);
        let short = Some(Duration::from_millis(50));
        let silent = serve(None).await;
        let half = serve(Some("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel")).await;
        for (name, port, options) in [
            (
                "no head",
                silent,
                RequestOptions {
                    first_byte_timeout: short,
                    ..RequestOptions::default()
                },
            ),
            (
                "half a body",
                half,
                RequestOptions {
                    between_bytes_timeout: short,
                    ..RequestOptions::default()
                },
            ),
        ] {
            let got = get(&format!("http://127.0.0.1:{port}/"), &grant, options).await;
            assert!(matches!(got, Err(Error::ConnectionReadTimeout)), "{name}");
        }
    }

    #[tokio::test]
    async fn waiting_for_leave_counts_as_connecting() {
        let mut grant = grant(&["http://127.0.0.1:*".to_owned()], &[]);
        let config = RuntimeConfig {
            max_http_connections: Some(1),
            ..RuntimeConfig::default()
        };
        grant.clients = Arc::new(Clients::new(&config).unwrap());
        let others = grant.clients.permit().await;
        let url = format!("http://127.0.0.1:{}/", serve(Some(HELLO)).await);
        let short = RequestOptions {
            connect_timeout: Some(Duration::from_millis(50)),
            ..RequestOptions::default()
        };
        let got = get(&url, &grant, short).await;
        assert!(matches!(got, Err(Error::ConnectionTimeout)), "{got:?}");
        // Who is refused anyway hears so at once.
        let refused = get("http://[::1]:1/", &grant, RequestOptions::default()).await;
        assert!(matches!(refused, Err(Error::DestinationIpProhibited)));
        drop(others);
        let got = get(&url, &grant, RequestOptions::default()).await;
        assert_eq!(got.unwrap(), "hello");
    }

    #[tokio::test]
    async fn https_is_never_plain() {
        let port = serve(Some(HELLO)).await;
        let grant = grant(&["https://127.0.0.1:*".to_owned()], &[]);
        let url = format!("https://127.0.0.1:{port}/");
        let got = get(&url, &grant, RequestOptions::default()).await;
        assert!(matches!(got, Err(Error::Tls(_))));
    }
}
