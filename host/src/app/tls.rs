//! TLS from two PEM files.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Reads certificate chain and key.
pub(super) fn acceptor(certificate: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| {
            format!(
                "cannot read the certificate of --tls-cert {}",
                certificate.display()
            )
        })?;
    anyhow::ensure!(
        !chain.is_empty(),
        "--tls-cert {}: the file has no certificate",
        certificate.display()
    );
    let key_der = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the private key of --tls-key {}", key.display()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .with_context(|| {
            format!(
                "--tls-cert {} and --tls-key {} do not fit",
                certificate.display(),
                key.display()
            )
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_certificate_is_named_with_its_flag() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("cert.pem");
        std::fs::write(&empty, "no certificate here").unwrap();
        for (path, want) in [
            (empty.as_path(), "no certificate"),
            (Path::new("/nowhere.pem"), "cannot read"),
        ] {
            let error = acceptor(path, path).map(|_| ()).unwrap_err().to_string();
            assert!(
                error.contains("--tls-cert") && error.contains(want),
                "{error}"
            );
        }
    }
}
