//! Connecting: name, address, socket, TLS, and the server's welcome.
//!
//! The driver could look names up itself; it would then connect to whatever the second lookup
//! says. So the addresses are looked up here, once, and the driver gets a connected socket.

use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_postgres::config::{LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs};
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

use super::address::{self, Address, Host};
use super::client::{Client, Driver};
use super::failure;
use super::frame::{Bounded, Next, TooLong};
use super::tls::{Root, Tls};
use super::{Backend, Connection, Error, Grant, SCHEME};

/// Servers over TCP, with a new connection each time.
pub struct Network;

#[async_trait]
impl Backend for Network {
    async fn open(
        &self,
        address: &Address,
        root: Option<Root>,
        grant: &Grant,
    ) -> Result<Arc<dyn Connection>, Error> {
        let driver = connect(address, root, grant).await?;
        Ok(Arc::new(Client::new(Arc::new(driver), None)))
    }
}

/// A new connection, to the first host that answers.
pub async fn connect(
    address: &Address,
    root: Option<Root>,
    grant: &Grant,
) -> Result<Driver, Error> {
    let config = address.config();
    let mut last = None;
    for host in in_order(config, address.hosts()) {
        let found = match reachable(host, config, grant).await {
            Ok(found) => found,
            Err(error) => {
                last = Some(error);
                continue;
            }
        };
        for socket in found {
            match greet(host, socket, root.clone(), config).await {
                Ok(driver) => return Ok(driver),
                Err(error) => last = Some(error),
            }
        }
    }
    Err(last.unwrap_or_else(|| failure::connection(&"there is no host")))
}

/// What there is to try, in the order to try it.
fn in_order<T>(config: &Config, items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        let random = RandomState::new();
        let mut at = 0_u64;
        items.sort_by_cached_key(|_| {
            at += 1;
            random.hash_one(at)
        });
    }
    items
}

/// The addresses of a host that the grant reaches.
async fn reachable(host: &Host, config: &Config, grant: &Grant) -> Result<Vec<SocketAddr>, Error> {
    let found: Vec<SocketAddr> = match (host.address, &host.name) {
        (Some(address), _) => vec![SocketAddr::new(address, host.port)],
        (None, Some(name)) => {
            let found = tokio::net::lookup_host((name.as_str(), host.port)).await;
            let found = found.map_err(|error| unreachable(&error))?;
            in_order(config, found)
        }
        (None, None) => Vec::new(),
    };
    if found.is_empty() {
        return Err(unreachable(&"could not resolve any addresses"));
    }
    let target = host.target();
    let reaches =
        |socket: &SocketAddr| grant.reaches(SCHEME, &target, Some(host.port), socket.ip());
    let open: Vec<SocketAddr> = found.into_iter().filter(reaches).collect();
    if open.is_empty() {
        let refusal = grant.refusal(SCHEME, &target, Some(host.port));
        tracing::warn!(
            component = refusal.component,
            to = refusal.target,
            add = refusal.line(),
            "refused a connection to a private address; a wildcard host means public ones"
        );
        return Err(address::refused(&target, Some(host.port)));
    }
    Ok(open)
}

/// Connects to one address, and waits for the server to be ready.
async fn greet(
    host: &Host,
    socket: SocketAddr,
    root: Option<Root>,
    config: &Config,
) -> Result<Driver, Error> {
    let stream = dial(socket, config).await?;
    let too_long = TooLong::default();
    let first = match (config.get_ssl_mode(), config.get_ssl_negotiation()) {
        (SslMode::Disable, _) => Next::MESSAGE,
        (_, SslNegotiation::Direct) => Next::Sealed,
        _ => Next::Answer,
    };
    let stream = Bounded::new(stream, first, too_long.clone());
    let peer = (host.clone(), socket.ip());
    let driver = if config.get_ssl_mode() == SslMode::Disable {
        let connecting = tokio_postgres::Config::connect_raw(config, stream, NoTls);
        let (client, connection) = connecting.await.map_err(refused)?;
        Driver::new(client, tokio::spawn(connection), too_long, peer)
    } else {
        let tls = Tls::new(host.name.as_deref(), root, config.get_ssl_negotiation());
        let tls = tls.map_err(|error| {
            failure::connection(&format_args!("error performing TLS handshake: {error}"))
        })?;
        let (client, connection) = config.connect_raw(stream, tls).await.map_err(refused)?;
        Driver::new(client, tokio::spawn(connection), too_long, peer)
    };
    suits(&driver, config.get_target_session_attrs()).await?;
    Ok(driver)
}

fn refused(error: tokio_postgres::Error) -> Error {
    failure::connection(&failure::in_a_line(&error))
}

fn unreachable(cause: &dyn std::fmt::Display) -> Error {
    failure::connection(&format_args!("error connecting to server: {cause}"))
}

async fn dial(socket: SocketAddr, config: &Config) -> Result<TcpStream, Error> {
    let connecting = TcpStream::connect(socket);
    let connected = match config.get_connect_timeout() {
        Some(limit) if *limit > Duration::ZERO => {
            let connected = tokio::time::timeout(*limit, connecting).await;
            connected.map_err(|_elapsed| unreachable(&"connection timed out"))?
        }
        _ => connecting.await,
    };
    let stream = connected.map_err(|error| unreachable(&error))?;
    tune(&stream, config).map_err(|error| unreachable(&error))?;
    Ok(stream)
}

/// Sets what the address says about the socket.
fn tune(stream: &TcpStream, config: &Config) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    #[cfg(target_os = "linux")]
    if let Some(limit) = config.get_tcp_user_timeout() {
        socket.set_tcp_user_timeout(Some(*limit))?;
    }
    if config.get_keepalives() {
        let mut keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
        if let Some(interval) = config.get_keepalives_interval() {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(retries) = config.get_keepalives_retries() {
            keepalive = keepalive.with_retries(retries);
        }
        socket.set_tcp_keepalive(&keepalive)?;
    }
    Ok(())
}

/// Refuses a server that is not what `target_session_attrs` asks for.
async fn suits(driver: &Driver, wanted: TargetSessionAttrs) -> Result<(), Error> {
    let (unwanted, refusal) = match wanted {
        TargetSessionAttrs::ReadWrite => ("on", "database does not allow writes"),
        TargetSessionAttrs::ReadOnly => ("off", "database is not read only"),
        _ => return Ok(()),
    };
    let asking = driver.client().simple_query("SHOW transaction_read_only");
    let messages = asking.await.map_err(refused)?;
    let answer = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.try_get(0).ok().flatten(),
        _ => None,
    });
    match answer == Some(unwanted) {
        true => Err(unreachable(&refusal)),
        false => Ok(()),
    }
}
