//! Fetches the components that a manifest names by URL and digest.
//!
//! 1. What is fetched counts only if its SHA-256 is the manifest's: so it may come over plain
//!    HTTP, from any server, by any redirect, as on Spin.
//! 2. It is kept below the state dir under its digest, and not fetched again; a copy that does
//!    not have its digest any more is.
//! 3. Bounded in bytes (512 MiB), redirects (10) and time.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::header::{HOST, LOCATION};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

use crate::http::clients;
use crate::manifest::{DependencySource, Download, Manifest, Source};
use crate::state_dir;

/// The folder below the state dir.
const FOLDER: &str = "downloads";
/// The largest component: ten times the largest that compilers of scripting languages make.
const MAX_BYTES: usize = 512 << 20;
/// Spin's number.
const MAX_REDIRECTS: usize = 10;
/// For one component: [`MAX_BYTES`] over a line of some megabytes a second.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Fetches what `manifest` names by URL into `downloads` in the state dir `root`, and puts the files
/// in the URLs' place. Without anything to fetch, nothing is made.
///
/// # Errors
/// When the state dir cannot be used, something cannot be fetched, or is not what its digest says.
pub fn fetch_all(manifest: &mut Manifest, root: &Path) -> Result<()> {
    let wanted = wanted(manifest);
    if wanted.is_empty() {
        return Ok(());
    }
    state_dir::make_private(root)?;
    let folder = &root.join(FOLDER);
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no thread to download with")?;
    let mut files = BTreeMap::new();
    for download in wanted {
        let path = folder.join(format!("{}.wasm", download.sha256));
        if !has_digest(&path, &download.sha256) {
            runtime
                .block_on(fetch(&download, &path))
                .with_context(|| format!("cannot download {}", download.url))?;
        }
        files.insert(download, path);
    }
    place(manifest, &files);
    Ok(())
}

/// Every download, each once.
fn wanted(manifest: &Manifest) -> Vec<Download> {
    let mut wanted = Vec::new();
    for component in manifest.components.values() {
        if let Source::Url(download) = &component.source {
            wanted.push(download.clone());
        }
        let dependencies = component.dependencies.values().map(|one| &one.source);
        let middleware = component.middleware.iter().map(|one| &one.source);
        for source in dependencies.chain(middleware) {
            if let DependencySource::Url(download) = source {
                wanted.push(download.clone());
            }
        }
    }
    wanted.sort();
    wanted.dedup();
    wanted
}

fn place(manifest: &mut Manifest, files: &BTreeMap<Download, PathBuf>) {
    for component in manifest.components.values_mut() {
        if let Source::Url(download) = &component.source
            && let Some(path) = files.get(download)
        {
            component.source = Source::Path(path.clone());
        }
        let dependencies = component.dependencies.values_mut();
        let middleware = component.middleware.iter_mut();
        let sources = dependencies
            .map(|one| &mut one.source)
            .chain(middleware.map(|one| &mut one.source));
        for source in sources {
            if let DependencySource::Url(download) = source
                && let Some(path) = files.get(download)
            {
                *source = DependencySource::Path(path.clone());
            }
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn has_digest(path: &Path, wanted: &str) -> bool {
    std::fs::read(path).is_ok_and(|bytes| digest(&bytes) == wanted)
}

async fn fetch(download: &Download, path: &Path) -> Result<()> {
    let bytes = tokio::time::timeout(TIMEOUT, get(&download.url))
        .await
        .map_err(|_elapsed| anyhow::anyhow!("it took more than {} s", TIMEOUT.as_secs()))??;
    let found = digest(&bytes);
    ensure!(
        found == download.sha256,
        "the manifest wants the digest sha256:{}, and the server sent sha256:{found}",
        download.sha256
    );
    write(path, &bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Nobody ever sees half a file.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// What `url`, or where it redirects to, answers with success.
async fn get(url: &str) -> Result<Bytes> {
    let mut url = url::Url::parse(url).context("not a URL")?;
    for _ in 0..=MAX_REDIRECTS {
        let response = request(&url).await?;
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(LOCATION);
            let location = location.and_then(|value| value.to_str().ok());
            let location = location.context("the server redirects to nowhere")?;
            url = url
                .join(location)
                .context("the server redirects to no URL")?;
            continue;
        }
        ensure!(status.is_success(), "the server answers {status}");
        let body = Limited::new(response.into_body(), MAX_BYTES)
            .collect()
            .await;
        let body = body.map_err(|error| anyhow::anyhow!("{error}"))?;
        return Ok(body.to_bytes());
    }
    bail!("the server redirects more than {MAX_REDIRECTS} times")
}

async fn request(url: &url::Url) -> Result<http::Response<hyper::body::Incoming>> {
    let tls = match url.scheme() {
        "https" => true,
        "http" => false,
        other => bail!("{other} is no scheme of the web"),
    };
    let name = url.host_str().context("the URL has no host")?;
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().context("the URL has no port")?;
    let stream = TcpStream::connect((name, port))
        .await
        .with_context(|| format!("cannot connect to {name}:{port}"))?;
    let stream = if tls {
        clients::public_tls(name, stream).await?
    } else {
        Box::new(stream)
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the response's body.
    tokio::spawn(connection);
    let path: Uri = url[url::Position::BeforePath..url::Position::AfterQuery].parse()?;
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let request = Request::get(path)
        .header(HOST, host)
        .body(Empty::<Bytes>::new())?;
    Ok(sender.send_request(request).await?)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    const WASM: &[u8] = b"\0asm and so on";

    /// Serves [`WASM`] at `/a.wasm`, and a redirect to it, until the process ends; counts requests.
    fn serve() -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut line = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                reader.read_line(&mut line).unwrap();
                counted.fetch_add(1, Relaxed);
                let (head, body) = match line.split(' ').nth(1).unwrap() {
                    "/a.wasm" => ("200 OK\r\n", WASM),
                    "/moved" => ("302 Found\r\nlocation: /a.wasm\r\n", &b""[..]),
                    "/round" => ("302 Found\r\nlocation: /round\r\n", &b""[..]),
                    _ => ("404 Not Found\r\n", &b""[..]),
                };
                let head = format!(
                    "HTTP/1.1 {head}content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                _ = stream.write_all(head.as_bytes());
                _ = stream.write_all(body);
            }
        });
        (base, count)
    }

    fn manifest(url: &str, sha256: &str) -> Manifest {
        let remote = format!("{{ url = {url:?}, digest = \"sha256:{sha256}\" }}");
        let text = format!(
            "spin_manifest_version = 2\napplication.name = \"app\"\n\
             [[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n\
             dependencies.middleware = [{remote}]\n\
             [component.a]\nsource = {remote}\n\
             dependencies = {{ \"x:y/z\" = {remote} }}\n"
        );
        Manifest::parse(&text, Path::new("/app/spin.toml")).unwrap()
    }

    #[test]
    fn a_download_is_fetched_once_and_stands_for_every_use() {
        let (base, count) = serve();
        let folder = tempfile::tempdir().unwrap();
        let sha256 = digest(WASM);
        let path = folder.path().join(FOLDER).join(format!("{sha256}.wasm"));
        for (name, url, requests) in [
            ("fetched", "/moved", 2),
            ("kept", "/moved", 2),
            ("kept under its digest", "/gone", 2),
        ] {
            let mut manifest = manifest(&format!("{base}{url}"), &sha256);
            fetch_all(&mut manifest, folder.path()).unwrap();
            let a = &manifest.components["a"];
            assert_eq!(a.source, Source::Path(path.clone()), "{name}");
            let used = DependencySource::Path(path.clone());
            assert_eq!(a.dependencies["x:y/z"].source, used, "{name}");
            assert_eq!(a.middleware[0].source, used, "{name}");
            assert_eq!(std::fs::read(&path).unwrap(), WASM, "{name}");
            assert_eq!(count.load(Relaxed), requests, "{name}");
        }
        std::fs::write(&path, "spoilt").unwrap();
        let mut manifest = manifest(&format!("{base}/a.wasm"), &sha256);
        fetch_all(&mut manifest, folder.path()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), WASM);
    }

    #[cfg(unix)]
    #[test]
    fn the_state_dir_is_private_and_made_only_for_a_download() {
        use std::os::unix::fs::PermissionsExt as _;
        let (base, _) = serve();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("state");
        let text = "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\n";
        let mut nothing = Manifest::parse(text, Path::new("/app/spin.toml")).unwrap();
        fetch_all(&mut nothing, &root).unwrap();
        assert!(!root.exists());
        let mut one = manifest(&format!("{base}/a.wasm"), &digest(WASM));
        fetch_all(&mut one, &root).unwrap();
        let mode = || std::fs::metadata(&root).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o700);
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).unwrap();
        fetch_all(&mut one, &root).unwrap();
        assert_eq!(mode(), 0o755, "nothing is left to download");
        let mut again = manifest(&format!("{base}/a.wasm"), &digest(WASM));
        fetch_all(&mut again, &root).unwrap();
        assert_eq!(mode(), 0o700);
    }

    #[test]
    fn what_cannot_be_had_is_named_with_the_reason() {
        let (base, _) = serve();
        let folder = tempfile::tempdir().unwrap();
        let (right, wrong) = (digest(WASM), "0".repeat(64));
        for (url, sha256, want) in [
            (
                "/a.wasm",
                &wrong,
                format!(
                    "the manifest wants the digest sha256:{wrong}, and the server sent sha256:{right}"
                ),
            ),
            (
                "/gone",
                &right,
                "the server answers 404 Not Found".to_owned(),
            ),
            (
                "/round",
                &right,
                "the server redirects more than 10 times".to_owned(),
            ),
        ] {
            let url = format!("{base}{url}");
            let error = fetch_all(&mut manifest(&url, sha256), folder.path()).unwrap_err();
            assert_eq!(
                format!("{error:#}"),
                format!("cannot download {url}: {want}")
            );
        }
        let left = std::fs::read_dir(folder.path().join(FOLDER))
            .unwrap()
            .count();
        assert_eq!(left, 0, "nothing is kept of what was refused");
    }
}
