//! TLS to a server, as `sslmode` and `sslnegotiation` of the address ask for it.
//!
//! 1. Whenever TLS is spoken, the server's certificate must lead to one of Mozilla's roots, or to
//!    the one given with `set-ca-root`, and be for the host's name. As on Spin, `prefer` means
//!    that a server without TLS is talked to without; not that a bad certificate is good enough.
//! 2. The handshake's channel binding is `tls-server-end-point` (RFC 5929, section 4.1), for
//!    `channel_binding=require`.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use ring::digest;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::SslNegotiation;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use super::frame::{Bounded, Next};

/// A root certificate that a component brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(CertificateDer<'static>);

impl Root {
    /// The first certificate of a PEM text.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text.
    pub fn from_pem(text: &str) -> Result<Self, String> {
        let certificate = CertificateDer::from_pem_slice(text.as_bytes());
        let certificate = certificate.map_err(|error| error.to_string())?;
        // A store takes only what can be a root.
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|error| error.to_string())?;
        Ok(Self(certificate))
    }

    /// Its bytes.
    pub(super) fn der(&self) -> &[u8] {
        &self.0
    }
}

/// The settings without a root of one's own.
static USUAL: LazyLock<Result<Arc<ClientConfig>, rustls::Error>> =
    LazyLock::new(|| settings(None).map(Arc::new));

fn settings(root: Option<Root>) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(Root(certificate)) = root {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Speaks TLS to one host.
pub struct Tls {
    settings: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl Tls {
    /// For the host `name`, trusting `root` too. Without a name there is nothing to check a
    /// certificate against, so that a server which wants TLS is refused.
    ///
    /// # Errors
    ///
    /// For a name that no certificate can have.
    pub fn new(name: Option<&str>, root: Option<Root>, how: SslNegotiation) -> io::Result<Self> {
        let mut settings = match root {
            None => USUAL.as_ref().cloned().map_err(Clone::clone),
            Some(root) => settings(Some(root)).map(Arc::new),
        }
        .map_err(io::Error::other)?;
        if how == SslNegotiation::Direct {
            // PostgreSQL 17 wants to hear what is spoken, when nothing was said before.
            Arc::make_mut(&mut settings).alpn_protocols = vec![b"postgresql".to_vec()];
        }
        let name = name.map(|name| ServerName::try_from(name.to_owned()));
        let name = name.transpose().map_err(io::Error::other)?;
        Ok(Self { settings, name })
    }
}

/// TLS over a bounded stream, bounded itself.
pub type Secured<S> = Bounded<tokio_rustls::client::TlsStream<Bounded<S>>>;

impl<S> TlsConnect<Bounded<S>> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Secured<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secured<S>>> + Send>>;

    fn connect(self, stream: Bounded<S>) -> Self::Future {
        Box::pin(async move {
            let too_long = stream.too_long();
            let nameless = || io::Error::other("no hostname provided for TLS handshake");
            let name = self.name.ok_or_else(nameless)?;
            let connecting = TlsConnector::from(self.settings).connect(name, stream);
            Ok(Bounded::new(connecting.await?, Next::MESSAGE, too_long))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Secured<S> {
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.get_ref().get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        match certificate.and_then(|certificate| end_point(certificate)) {
            Some(hash) => ChannelBinding::tls_server_end_point(hash),
            None => ChannelBinding::none(),
        }
    }
}

/// The hash of a certificate with the hash of its signature, where MD5 and SHA-1 become SHA-256.
/// Nothing for signatures that name no hash, such as Ed25519: RFC 5929 leaves these undefined.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, … }, … }
    let (inside, _) = element(certificate)?;
    let (_, rest) = element(inside)?;
    let (algorithm, _) = element(rest)?;
    let (oid, _) = element(algorithm)?;
    let hash = match oid {
        // 1.2.840.113549.1.1: md5, sha1, sha256, sha384, sha512 with RSA.
        [
            0x2a,
            0x86,
            0x48,
            0x86,
            0xf7,
            0x0d,
            0x01,
            0x01,
            0x04 | 0x05 | 0x0b,
        ] => &digest::SHA256,
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c] => &digest::SHA384,
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d] => &digest::SHA512,
        // 1.2.840.10045.4: ecdsa with sha1, sha256, sha384, sha512.
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] => &digest::SHA256,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02] => &digest::SHA256,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03] => &digest::SHA384,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04] => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(hash, certificate).as_ref().to_vec())
}

/// The content of the first DER element, and what follows it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(first) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(long - 0x80)?;
            let add = |sum: usize, byte: &u8| sum.checked_mul(256)?.checked_add((*byte).into());
            (bytes.iter().try_fold(0, add)?, rest)
        }
    };
    rest.split_at_checked(length)
}
