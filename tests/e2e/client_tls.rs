//! `[[client_tls]]` of the runtime config: whom components trust and what they show, against real
//! servers whose certificates a private authority has signed.

use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use harness::{GuestApp, Setup, guest};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A certificate authority that nobody knows.
pub struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::new([])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "a private authority");
        let key = KeyPair::generate()?;
        Ok(Self {
            certificate: params.self_signed(&key)?,
            issuer: Issuer::new(params, key),
        })
    }

    /// Signs a certificate for `names`.
    pub fn identity(&self, names: &[&str]) -> Result<Identity> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.signed_by(&key, &self.issuer)?;
        Ok(Identity { certificate, key })
    }

    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone())?;
        Ok(roots)
    }
}

impl Identity {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.serialize_der().into())
    }
}

/// A server that says hello over TLS, and what it was asked.
pub struct Hello {
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Hello {
    /// Shows `identity`, and demands a certificate that `clients` has signed, if given.
    pub async fn start(identity: &Identity, clients: Option<&Authority>) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(authority) => {
                let roots = Arc::new(authority.roots()?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                config.with_client_cert_verifier(verifier.build()?)
            }
        };
        let config = config.with_single_cert(identity.chain(), identity.key())?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        tokio::spawn({
            let asked = asked.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, asked) = (acceptor.clone(), asked.clone());
                    // A client that does not trust it, or is not trusted, ends here.
                    tokio::spawn(async move { drop(hello(stream, acceptor, asked).await) });
                }
            }
        });
        Ok(Self { port, asked })
    }

    /// The heads of the requests that came through.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panicked").clone()
    }
}

async fn hello(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    asked: Arc<Mutex<Vec<String>>>,
) -> Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    asked
        .lock()
        .expect("nobody panicked")
        .push(String::from_utf8(head)?);
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    Ok(())
}

/// The probe thrice: `shows` trusts `authority` at localhost and shows `identity` there, `trusts`
/// does not show anything, `knows` has neither.
async fn start(authority: &Authority, identity: &Identity) -> Result<GuestApp> {
    let probe = guest("probe")?;
    let hosts = "allowed_outbound_hosts = [\"https://localhost:*\", \"https://127.0.0.1:*\"]";
    let mut setup = Setup::new()?;
    for id in ["shows", "trusts", "knows"] {
        setup = setup.component(id, &probe, hosts);
    }
    let write = |name: &str, text: String| -> Result<()> {
        let path: &Path = setup.folder();
        std::fs::write(path.join(name), text).with_context(|| name.to_owned())
    };
    write("roots.pem", authority.certificate.pem())?;
    write("client.pem", identity.certificate.pem())?;
    write("client.key", identity.key.serialize_pem())?;
    let entry = |id: &str, more: &str| {
        format!(
            "[[client_tls]]\ncomponent_ids = [\"{id}\"]\nhosts = [\"localhost\"]\n\
             ca_roots_file = \"roots.pem\"\n{more}"
        )
    };
    let pair = "client_cert_file = \"client.pem\"\nclient_private_key_file = \"client.key\"\n";
    let config = entry("shows", pair) + &entry("trusts", "");
    setup.runtime_config(&config)?.start().await
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_whom_the_config_names_and_where() -> Result<()> {
    let authority = Authority::new()?;
    let server = Hello::start(&authority.identity(&["localhost", "127.0.0.1"])?, None).await?;
    let misnamed = Hello::start(&authority.identity(&["elsewhere.example"])?, None).await?;
    let stranger = Authority::new()?.identity(&["localhost"])?;
    let stranger = Hello::start(&stranger, None).await?;
    let app = start(&authority, &authority.identity(&["client"])?).await?;
    for (name, id, host, port, trusted) in [
        ("as configured", "trusts", "localhost", server.port, true),
        (
            "with a certificate",
            "shows",
            "localhost",
            server.port,
            true,
        ),
        (
            "another component",
            "knows",
            "localhost",
            server.port,
            false,
        ),
        ("another host", "trusts", "127.0.0.1", server.port, false),
        ("another name", "trusts", "localhost", misnamed.port, false),
        (
            "another authority",
            "trusts",
            "localhost",
            stranger.port,
            false,
        ),
    ] {
        let answer = app
            .text(&format!("/{id}/call?https://{host}:{port}/"))
            .await?;
        assert_eq!(answer == "200 hello", trusted, "{name}: {answer}");
        assert_eq!(answer.contains("Tls"), !trusted, "{name}: {answer}");
    }
    assert_eq!(server.asked().len(), 2);
    assert!(misnamed.asked().is_empty() && stranger.asked().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_server_that_demands_a_certificate_is_shown_it_by_whom_has_one() -> Result<()> {
    let authority = Authority::new()?;
    let server = authority.identity(&["localhost"])?;
    let server = Hello::start(&server, Some(&authority)).await?;
    let url = format!("call?https://localhost:{}/", server.port);
    let app = start(&authority, &authority.identity(&["client"])?).await?;
    assert_eq!(app.text(&format!("/shows/{url}")).await?, "200 hello");
    let refused = app.text(&format!("/trusts/{url}")).await?;
    assert!(!refused.contains("hello"), "{refused}");

    // A certificate that the server's authority has not signed is as good as none.
    let stranger = Authority::new()?.identity(&["client"])?;
    let app = start(&authority, &stranger).await?;
    let refused = app.text(&format!("/shows/{url}")).await?;
    assert!(!refused.contains("hello"), "{refused}");
    assert_eq!(server.asked().len(), 1);
    Ok(())
}
