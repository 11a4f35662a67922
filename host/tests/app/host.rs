//! One running application, and a client for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use chatly_host::app::{App, Options};
use chatly_host::manifest::Manifest;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The longest wait for a condition, for a machine with much else to do.
const BOUND: Duration = Duration::from_secs(60);

/// The guest, built once a process.
pub fn probe() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| {
        let exe = std::env::current_exe().unwrap();
        let target = exe.ancestors().nth(3).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "build",
            "--release",
            "--target",
            "wasm32-wasip2",
            "-p",
            "guest-probe",
        ]);
        // What cargo sets for a test would change the fingerprint of what is built here.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_")) {
            cargo.env_remove(name);
        }
        cargo
            .env("CARGO_TARGET_DIR", target)
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = cargo.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        target.join("wasm32-wasip2/release/guest_probe.wasm")
    })
}

/// A folder for compiled components that all tests share.
fn state_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("app-tests")
}

/// `[component.<id>]` with the guest as its source, and a route; `more` follows in its table.
pub fn component(id: &str, route: &str, more: &str) -> String {
    let source = probe().display();
    format!(
        "[[trigger.http]]\nroute = {route}\ncomponent = {id:?}\n[component.{id}]\nsource = \"{source}\"\n{more}\n"
    )
}

/// A manifest file with `body`.
pub fn manifest(folder: &Path, body: &str) -> Result<Manifest> {
    let path = folder.join("spin.toml");
    let head = "spin_manifest_version = 2\n[application]\nname = \"test\"\nversion = \"0.1.0\"\n";
    std::fs::write(&path, format!("{head}{body}"))?;
    Ok(Manifest::load(&path)?)
}

/// Options for tests: any port, output to files only.
pub fn options(logs: &Path) -> Result<Options> {
    std::fs::create_dir_all(state_dir())?;
    Ok(Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        log_dir: Some(logs.to_owned()),
        quiet: true,
        ..Options::new(state_dir())
    })
}

/// A running application.
pub struct Host {
    pub address: SocketAddr,
    folder: TempDir,
    shutdown: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

impl Host {
    pub async fn start(body: &str) -> Result<Self> {
        Self::start_with(body, |_| {}).await
    }

    pub async fn start_with(body: &str, change: impl FnOnce(&mut Options)) -> Result<Self> {
        log();
        let folder = tempfile::tempdir()?;
        let manifest = manifest(folder.path(), body)?;
        let mut options = options(folder.path())?;
        change(&mut options);
        let app = tokio::task::spawn_blocking(move || App::load(&manifest, options)).await??;
        let (shutdown, stopped) = oneshot::channel::<()>();
        let (ready, address) = oneshot::channel();
        let served = tokio::spawn(async move {
            let shutdown = async move { drop(stopped.await) };
            app.serve(shutdown, |address| _ = ready.send(address)).await
        });
        Ok(Self {
            address: address.await?,
            folder,
            shutdown,
            served,
        })
    }

    /// What a component has printed.
    pub fn printed(&self, component: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("{component}_stdout.txt")))
            .unwrap_or_default()
    }

    /// Opens a connection.
    pub async fn connect(&self) -> Result<Client> {
        connect(self.address).await
    }

    /// GET on a new connection.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.connect().await?.get(path).await
    }

    /// Asks the host to stop; what it returns ends when the host has stopped.
    pub fn stop(self) -> (impl Future<Output = Result<()>>, Stopped) {
        let Self {
            folder,
            shutdown,
            served,
            ..
        } = self;
        drop(shutdown);
        (async move { served.await? }, Stopped { folder })
    }
}

async fn connect(address: SocketAddr) -> Result<Client> {
    let (sender, connection) =
        http1::handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
    let task = tokio::spawn(async move { drop(connection.await) });
    Ok(Client {
        sender,
        host: address.to_string(),
        _task: AbortOnDrop(task),
    })
}

/// GET on a new connection to any address.
pub async fn get(address: SocketAddr, path: &str) -> Result<Answer> {
    connect(address).await?.get(path).await
}

/// What is left of a stopped host.
pub struct Stopped {
    folder: TempDir,
}

impl Stopped {
    pub fn printed(&self, component: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("{component}_stdout.txt")))
            .unwrap_or_default()
    }
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One connection; closed when dropped.
pub struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
    host: String,
    _task: AbortOnDrop,
}

impl Client {
    pub async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        let host = self.host.parse()?;
        request.headers_mut().entry("host").or_insert(host);
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    pub async fn get(&mut self, path: &str) -> Result<Answer> {
        Answer::read(self.send(Request::get(path).body(Full::default())?).await?).await
    }
}

/// A whole response.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn read(response: Response<Incoming>) -> Result<Self> {
        let (head, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        Ok(Self {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.body).with_context(|| self.body.clone())
    }
}

/// Waits until `check` holds.
pub async fn eventually(what: &str, mut check: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + BOUND;
    while !check().await? {
        ensure!(Instant::now() < end, "never so within {BOUND:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Everything that was logged in this process.
pub fn log() -> Arc<Mutex<Vec<u8>>> {
    static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Log(log.clone());
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || writer.clone())
            .init();
        log
    })
    .clone()
}

/// Waits for a line of the log with all of `parts`.
pub async fn logged(parts: &[&str]) -> Result<()> {
    eventually(&format!("a log line with {parts:?}"), async || {
        let log = String::from_utf8_lossy(&log().lock().unwrap()).into_owned();
        // Backtraces have several lines, so events are told apart by their time.
        Ok(log
            .split("\n2")
            .any(|event| parts.iter().all(|part| event.contains(part))))
    })
    .await
}

#[derive(Clone)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
