//! What components' requests go out by: certificate authorities and client certificates by host,
//! and how many connections there are at once.
//!
//! 1. `[[client_tls]]` of the runtime config: the first entry that names component and host counts.
//!    Everybody else trusts the public certificate authorities (webpki-roots) and shows no
//!    certificate. A host counts in every way to write it: in any case, a v6 address with or without
//!    brackets.
//! 2. `[outbound_http] max_connections`: a request over the bound waits for one to end.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use anyhow::Context as _;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

use crate::manifest::runtime_config::{ClientTls, RuntimeConfig};

/// Built once: the roots are many.
static PUBLIC: LazyLock<Result<TlsConnector, rustls::Error>> = LazyLock::new(|| {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.into(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
});

/// What opens TLS connections by the public certificate authorities.
pub(crate) fn public_connector() -> Option<&'static TlsConnector> {
    PUBLIC.as_ref().ok()
}

/// Either kind of stream.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// TLS to the server `name`, by the public certificate authorities.
pub(crate) async fn public_tls(name: &str, stream: TcpStream) -> Result<Box<dyn Stream>, Error> {
    let connector = PUBLIC.as_ref().map_err(|_| Error::ConfigurationError)?;
    handshake(connector, name, stream).await
}

async fn handshake(
    connector: &TlsConnector,
    name: &str,
    stream: TcpStream,
) -> Result<Box<dyn Stream>, Error> {
    let server = ServerName::try_from(name.to_owned()).map_err(Error::InvalidDnsNameError)?;
    let stream = connector.connect(server, stream).await;
    Ok(Box::new(stream.map_err(Error::Tls)?))
}

/// What all components of an application share.
#[derive(Default)]
pub struct Clients {
    /// By component and host.
    tls: BTreeMap<(String, String), TlsConnector>,
    connections: Option<Arc<Semaphore>>,
}

impl Clients {
    /// What `config` says.
    ///
    /// # Errors
    /// When a certificate or key cannot be read or does not fit; the text names the file.
    pub fn new(config: &RuntimeConfig) -> anyhow::Result<Self> {
        let mut tls = BTreeMap::new();
        for client in &config.client_tls {
            let connector = connector(client).context("[[client_tls]] in the runtime config")?;
            for component in &client.component_ids {
                for host in &client.hosts {
                    tls.entry((component.clone(), canonical(host)))
                        .or_insert_with(|| connector.clone());
                }
            }
        }
        let connections = config.max_http_connections.map(|most| {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
        });
        Ok(Self { tls, connections })
    }

    /// Leave to have one more connection, when there is a bound; waits until one ends.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.connections.clone()?.acquire_owned().await.ok()
    }

    /// What `[[client_tls]]` says of `component` and the server `name`.
    fn own(&self, component: &str, name: &str) -> Option<&TlsConnector> {
        self.tls.get(&(component.to_owned(), canonical(name)))
    }

    /// TLS of `component` to the server `name`.
    pub(super) async fn tls(
        &self,
        component: &str,
        name: &str,
        stream: TcpStream,
    ) -> Result<Box<dyn Stream>, Error> {
        match self.own(component, name) {
            Some(connector) => handshake(connector, name, stream).await,
            None => public_tls(name, stream).await,
        }
    }
}

/// The one way to write `host` that it is looked up by.
fn canonical(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => bare.to_ascii_lowercase(),
    }
}

fn connector(client: &ClientTls) -> anyhow::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    if client.webpki_roots {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if client.platform_roots {
        // A single one that cannot be read is left out, as on Spin.
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    }
    if let Some(path) = &client.ca_roots_file {
        for certificate in certificates("ca_roots_file", path)? {
            roots
                .add(certificate)
                .with_context(|| format!("ca_roots_file {}", path.display()))?;
        }
    }
    anyhow::ensure!(
        !roots.is_empty(),
        "this system has no certificate authorities; write `ca_use_webpki_roots = true`"
    );
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let config = match &client.client_certificate {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates("client_cert_file", certificate)?;
            let key_der = PrivateKeyDer::from_pem_file(key).with_context(|| {
                format!("client_private_key_file {} cannot be read", key.display())
            })?;
            builder
                .with_client_auth_cert(chain, key_der)
                .with_context(|| {
                    format!(
                        "client_cert_file {} and client_private_key_file {} do not fit",
                        certificate.display(),
                        key.display()
                    )
                })?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(key: &str, path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .with_context(|| format!("{key} {} cannot be read", path.display()))?;
    anyhow::ensure!(
        !all.is_empty(),
        "{key} {} has no certificate",
        path.display()
    );
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_serve_is_named_with_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "nothing in it").unwrap();
        let client = |roots: Option<&Path>, pair: Option<(&Path, &Path)>| RuntimeConfig {
            client_tls: vec![ClientTls {
                component_ids: vec!["a".to_owned()],
                hosts: vec!["h".to_owned()],
                platform_roots: false,
                webpki_roots: true,
                ca_roots_file: roots.map(Path::to_owned),
                client_certificate: pair.map(|(c, k)| (c.to_owned(), k.to_owned())),
            }],
            ..RuntimeConfig::default()
        };
        let nowhere = Path::new("/nowhere.pem");
        for (config, want) in [
            (
                client(Some(nowhere), None),
                "ca_roots_file /nowhere.pem cannot be read",
            ),
            (client(Some(&empty), None), "empty.pem has no certificate"),
            (
                client(None, Some((nowhere, nowhere))),
                "client_cert_file /nowhere.pem cannot be read",
            ),
        ] {
            let error = Clients::new(&config).map(|_| ()).unwrap_err();
            let text = format!("{error:#}");
            assert!(
                text.contains("[[client_tls]]") && text.contains(want),
                "{text}"
            );
        }
        assert!(Clients::new(&client(None, None)).is_ok());
    }

    #[test]
    fn a_host_is_found_however_it_is_written() {
        for (written, asked, want) in [
            ("api.example", "api.example", true),
            ("api.example", "API.Example", true),
            ("API.Example", "api.example", true),
            ("[::1]", "::1", true),
            ("::1", "::1", true),
            ("[0:0::1]", "::1", true),
            ("[2001:DB8::a]", "2001:db8::A", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("api.example", "other.example", false),
            ("api.example", "api.example.org", false),
            ("[::1]", "::2", false),
        ] {
            let config = RuntimeConfig {
                client_tls: vec![ClientTls {
                    component_ids: vec!["a".to_owned()],
                    hosts: vec![written.to_owned()],
                    platform_roots: false,
                    webpki_roots: true,
                    ca_roots_file: None,
                    client_certificate: None,
                }],
                ..RuntimeConfig::default()
            };
            let clients = Clients::new(&config).unwrap();
            assert_eq!(clients.own("a", asked).is_some(), want, "{written} {asked}");
            assert!(clients.own("b", asked).is_none(), "{written} {asked}");
        }
    }

    #[tokio::test]
    async fn without_a_bound_nobody_waits_and_with_one_the_next_does() {
        assert!(Clients::default().permit().await.is_none());
        let config = RuntimeConfig {
            max_http_connections: Some(1),
            ..RuntimeConfig::default()
        };
        let clients = Clients::new(&config).unwrap();
        let first = clients.permit().await;
        assert!(first.is_some());
        let mut second = Box::pin(clients.permit());
        assert!(futures::poll!(second.as_mut()).is_pending());
        drop(first);
        assert!(second.await.is_some());
    }
}
