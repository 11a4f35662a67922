//! One running host.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON values answer null for what they lack"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use chatly_simulator::Delivery;
use http::{Method, Request};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Answer, Client, Stream, artifacts, secrets};

/// The longest wait for a condition.
const BOUND: Duration = Duration::from_secs(60);
/// The longest wait for a host to listen: the first ones compile all components, side by side, on
/// cores that others use too.
const START_BOUND: Duration = Duration::from_secs(300);

/// How to start a host.
pub struct Options {
    /// The manifest; the repository's own by default.
    pub manifest: PathBuf,
    /// `SPIN_VARIABLE_*`, by variable name. Defaults give every secret its test value.
    pub variables: BTreeMap<String, String>,
    /// A state folder to start on; a fresh one by default.
    pub state: Option<TempDir>,
    /// More arguments of `up`; none by default.
    pub arguments: Vec<String>,
    /// More environment variables of the host; none by default.
    pub environment: BTreeMap<String, String>,
    /// A command that runs the host, `taskset` for example; none by default.
    pub launcher: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        let channels = chatly_simulator::ALL.into_iter().map(|platform| {
            let name = platform.name();
            (format!("{name}_app_secret"), secrets::verifying(name))
        });
        let variables = [
            ("whatsapp_app_secret", secrets::WHATSAPP_APP.join(",")),
            ("whatsapp_verify_token", secrets::WHATSAPP_VERIFY.to_owned()),
            ("whatsapp_access_token", secrets::WHATSAPP_ACCESS.to_owned()),
            ("api_key", secrets::API_KEY.to_owned()),
            ("sweep_secret", secrets::SWEEP.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        Options {
            manifest: artifacts::root().join("spin.toml"),
            variables: channels.chain(variables).collect(),
            state: None,
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            launcher: Vec::new(),
        }
    }
}

/// A host, ended when dropped.
pub struct TestApp {
    child: Child,
    base: String,
    state: Option<TempDir>,
    client: Client,
    output: std::thread::JoinHandle<String>,
    errors: std::thread::JoinHandle<String>,
}

/// Tries `check` until it gives `Ok(Some(_))`, up to a generous bound.
pub async fn eventually<T>(
    what: &str,
    mut check: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + BOUND;
    loop {
        if let Some(value) = check().await? {
            return Ok(value);
        }
        ensure!(Instant::now() < end, "never so within {BOUND:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl TestApp {
    /// Starts the repository's own app on a fresh state folder.
    pub async fn start() -> Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// Starts a host and waits until it listens.
    pub async fn start_with(options: Options) -> Result<Self> {
        let state = options.state.map_or_else(tempfile::tempdir, Ok)?;
        share_compiled(state.path())?;
        let program = artifacts::chatly();
        let mut command = match options.launcher.split_first() {
            Some((launcher, arguments)) => {
                let mut command = Command::new(launcher);
                command.args(arguments).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(["up", "--no-build", "--listen", "127.0.0.1:0", "--from"])
            .arg(&options.manifest)
            .arg("--state-dir")
            .arg(state.path())
            .args(&options.arguments)
            .env_remove("RUST_BACKTRACE")
            .env("RUST_LOG", "info")
            .envs(&options.environment)
            .current_dir(artifacts::root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in &options.variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        let mut child = command.spawn()?;
        let stdout = BufReader::new(child.stdout.take().context("stdout is piped")?);
        let stderr = BufReader::new(child.stderr.take().context("stderr is piped")?);
        let (found, address) = mpsc::channel();
        let output = std::thread::spawn(move || {
            collect(stdout, |line| {
                if let Some(base) = line.strip_prefix("listening on ") {
                    let _ = found.send(base.to_owned());
                }
            })
        });
        let errors = std::thread::spawn(move || collect(stderr, |_| ()));
        let base = tokio::task::spawn_blocking(move || address.recv_timeout(START_BOUND)).await?;
        let Ok(base) = base else {
            let _ = child.kill();
            let _ = child.wait();
            let text = errors.join().unwrap_or_default();
            bail!("the host did not come to listen:\n{text}");
        };
        Ok(TestApp {
            child,
            base,
            state: Some(state),
            client: Client::default(),
            output,
            errors,
        })
    }

    /// `http://127.0.0.1:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        self.state.as_ref().map_or(Path::new(""), TempDir::path)
    }

    /// The client that all requests go through.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends any request; `path` starts with a slash.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.client.send(request.body(body.into())?).await
    }

    /// Posts a delivery as the platform would.
    pub async fn deliver(&self, delivery: &Delivery) -> Result<Answer> {
        let headers: Vec<_> = delivery
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.request(
            Method::POST,
            &delivery.path,
            &headers,
            delivery.body.clone(),
        )
        .await
    }

    /// Reads the API with the operator's key.
    pub async fn api(&self, path: &str) -> Result<Answer> {
        let key = format!("Bearer {}", secrets::API_KEY);
        self.request(Method::GET, path, &[("authorization", &key)], "")
            .await
    }

    /// All rows of a list of the API, page by page.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = self.api(&format!("{path}{join}limit=200{cursor}")).await?;
            ensure!(
                page.status == 200,
                "{path}: {}",
                String::from_utf8_lossy(&page.body)
            );
            let page = page.json()?;
            rows.extend(page["data"].as_array().context("data")?.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(rows),
            }
        }
    }

    /// Every message of every conversation, in arrival order within each.
    pub async fn messages(&self) -> Result<Vec<Value>> {
        let mut messages = Vec::new();
        for conversation in self.list("/v1/conversations").await? {
            let id = conversation["id"].as_str().context("id")?;
            messages.extend(
                self.list(&format!("/v1/conversations/{id}/messages"))
                    .await?,
            );
        }
        Ok(messages)
    }

    /// Waits until nothing in the inbox is unfinished.
    pub async fn settle(&self) -> Result<()> {
        eventually("the inbox is empty", async || {
            // Pending twice: a job that is put off in between is leased in neither list.
            for state in ["pending", "leased", "pending"] {
                if !self
                    .list(&format!("/v1/inbox?state={state}"))
                    .await?
                    .is_empty()
                {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
        .await
    }

    /// Opens the stream of changes, after `last_event_id` when given.
    pub async fn events(&self, last_event_id: Option<&str>) -> Result<Stream> {
        let mut request = Request::get(format!("{}/v1/events", self.base))
            .header("authorization", format!("Bearer {}", secrets::API_KEY));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = self.client.open(request.body(Bytes::new())?).await?;
        ensure!(
            response.status() == 200,
            "the stream answers {}",
            response.status()
        );
        Ok(Stream::new(response.into_body()))
    }

    /// Sends SIGKILL while others may still be using the app.
    pub fn signal_kill(&self) -> Result<()> {
        let status = Command::new("kill")
            .args(["-KILL", &self.child.id().to_string()])
            .status()?;
        ensure!(status.success(), "kill failed");
        Ok(())
    }

    /// SIGKILL: ends the process between any two instructions. Gives its state back.
    pub fn kill(mut self) -> Result<TempDir> {
        self.child.kill()?;
        self.child.wait()?;
        self.state.take().context("state")
    }

    /// SIGTERM: asks it to finish. Gives everything it printed, and its state.
    pub fn stop(mut self) -> Result<(String, TempDir)> {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()?;
        ensure!(status.success(), "kill failed");
        let status = self.child.wait()?;
        let output = std::mem::replace(&mut self.output, std::thread::spawn(String::new));
        let errors = std::mem::replace(&mut self.errors, std::thread::spawn(String::new));
        let text = output.join().unwrap_or_default() + &errors.join().unwrap_or_default();
        ensure!(status.success(), "the host ended with {status}:\n{text}");
        Ok((text, self.state.take().context("state")?))
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(reader: impl BufRead, mut each: impl FnMut(&str)) -> String {
    let mut text = String::new();
    for line in reader.lines().map_while(Result::ok) {
        each(&line);
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Lets every fresh state folder use one cache of compiled components.
fn share_compiled(state: &Path) -> Result<()> {
    let shared = artifacts::chatly().with_file_name("test-component-cache");
    std::fs::create_dir_all(&shared)?;
    let link = state.join("cache");
    if !link.exists() {
        std::os::unix::fs::symlink(&shared, &link)?;
    }
    Ok(())
}
