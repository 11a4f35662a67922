//! TLS on the host's own address, with a certificate that the test makes.

use std::sync::Arc;

use anyhow::{Context, Result};
use harness::{Options, TestApp, chatly, root};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A self-signed certificate and its key as files in a fresh folder.
fn certificate() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    std::fs::write(folder.path().join("cert.pem"), made.cert.pem())?;
    std::fs::write(
        folder.path().join("key.pem"),
        made.signing_key.serialize_pem(),
    )?;
    Ok(folder)
}

fn arguments(folder: &tempfile::TempDir, certificate: &str, key: &str) -> Vec<String> {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let flags = [
        "--tls-cert".to_owned(),
        path(certificate),
        "--tls-key".to_owned(),
        path(key),
    ];
    flags.into()
}

#[tokio::test]
async fn requests_come_over_tls_and_components_see_it() -> Result<()> {
    let folder = certificate()?;
    let app = TestApp::start_with(Options {
        arguments: arguments(&folder, "cert.pem", "key.pem"),
        ..Options::default()
    })
    .await?;
    let address = app.base().strip_prefix("https://").context("https")?;

    let mut roots = RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(
        folder.path().join("cert.pem"),
    )?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(address).await?;
    let mut stream = connector
        .connect(ServerName::try_from("localhost")?, stream)
        .await?;
    let request = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    // Plain HTTP gets no answer, and does the host no harm.
    let mut plain = TcpStream::connect(address).await?;
    plain.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    drop(plain.read_to_end(&mut answer).await);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    Ok(())
}

#[test]
fn a_start_with_unusable_files_names_them() -> Result<()> {
    let folder = certificate()?;
    let other = certificate()?;
    std::fs::copy(
        other.path().join("key.pem"),
        folder.path().join("other.pem"),
    )?;
    for (certificate, key, want) in [
        ("none.pem", "key.pem", "--tls-cert"),
        ("cert.pem", "none.pem", "--tls-key"),
        ("key.pem", "key.pem", "has no certificate"),
        ("cert.pem", "other.pem", "do not fit"),
    ] {
        let state = tempfile::tempdir()?;
        let output = std::process::Command::new(chatly())
            .args(["up", "--no-build", "--listen", "127.0.0.1:0", "--from"])
            .arg(root().join("spin.toml"))
            .arg("--state-dir")
            .arg(state.path())
            .args(arguments(&folder, certificate, key))
            .output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && text.contains(want),
            "{certificate} {key}: {text}"
        );
    }
    Ok(())
}
