//! A real Chromium, driven by WebDriver (W3C Recommendation) over plain HTTP.
//!
//! It runs headless on a fresh profile and calls nobody but the app under test.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON values answer null for what they lack"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Client, eventually};

/// What the driver says when it accepts connections, before its port.
const STARTED: &str = "started successfully on port ";
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// One window of one browser, closed when dropped.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    client: Client,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser with a viewport of this many CSS pixels. `None` where Debian's packages
    /// `chromium` and `chromium-driver` are not installed, which is said in one line.
    pub async fn start(width: u32, height: u32) -> Result<Option<Self>> {
        let missing = ["chromium", "chromedriver"].into_iter().find(|program| {
            let mut command = Command::new(program);
            command
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            !command.status().is_ok_and(|status| status.success())
        });
        if let Some(program) = missing {
            return crate::skip(program);
        }
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let profile = tempfile::tempdir()?;
        let port = port(&mut driver)?;
        let mut browser = Browser {
            driver,
            port,
            session: String::new(),
            client: Client::default(),
            _profile: profile,
        };
        browser.open_window(width, height).await?;
        Ok(Some(browser))
    }

    async fn open_window(&mut self, width: u32, height: u32) -> Result<()> {
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!(
            "--user-data-dir={}",
            self._profile.path().display()
        ));
        let options = json!({
            "args": arguments,
            "mobileEmulation": { "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1, "mobile": false, "touch": false } },
        });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let answer = self.call(Method::POST, "/session", &wanted).await?;
        let id = answer["sessionId"].as_str().context("sessionId")?;
        self.session = format!("/session/{id}");
        Ok(())
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.command("/url", &json!({ "url": url })).await?;
        Ok(())
    }

    /// Runs the body of a function in the page; `arguments[0]` is the first argument.
    pub async fn run(&self, script: &str, arguments: Value) -> Result<Value> {
        self.command(
            "/execute/sync",
            &json!({ "script": script, "args": arguments }),
        )
        .await
    }

    /// Waits until an expression is true in the page.
    pub async fn until(&self, expression: &str) -> Result<()> {
        let script = format!("return Boolean({expression})");
        eventually(expression, async || {
            Ok((self.run(&script, json!([])).await? == true).then_some(()))
        })
        .await
    }

    /// Presses and releases keys, as a keyboard does, wherever the focus is.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let actions: Vec<_> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })))
            .collect();
        let keyboard =
            json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.command("/actions", &keyboard).await?;
        Ok(())
    }

    /// The window as PNG.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        let path = format!("{}/screenshot", self.session);
        let answer = self.call(Method::GET, &path, &Value::Null).await?;
        Ok(STANDARD.decode(answer.as_str().context("an image")?)?)
    }

    /// What the browser wrote into its console since the last time.
    pub async fn log(&self) -> Result<Vec<String>> {
        let answer = self
            .command("/se/log", &json!({ "type": "browser" }))
            .await?;
        let lines = answer.as_array().context("a list")?.iter();
        Ok(lines
            .map(|line| line["message"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    async fn command(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, &format!("{}{path}", self.session), body)
            .await
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}{path}", self.port))
            .header("content-type", "application/json")
            .body(body)?;
        let answer = self.client.send(request).await?;
        let mut value = answer.json()?;
        ensure!(answer.status == 200, "{path}: {value}");
        Ok(value["value"].take())
    }
}

/// Keys without a character (WebDriver, section 15.4.2, the table of normalised key values).
pub mod keys {
    /// Enter.
    pub const ENTER: &str = "\u{e007}";
    /// Arrow down.
    pub const DOWN: &str = "\u{e015}";
    /// Tab.
    pub const TAB: &str = "\u{e004}";
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver leaves the browser behind when it is killed, so the session is ended first.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let request = format!(
                "DELETE {} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\r\n",
                self.session, self.port
            );
            let _ = stream.write_all(request.as_bytes());
            let _ = stream.read(&mut [0; 512]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The port that the driver says it listens on.
fn port(driver: &mut Child) -> Result<u16> {
    let mut lines = BufReader::new(driver.stdout.take().context("stdout is piped")?).lines();
    let port = loop {
        let line = lines.next().context("chromedriver ended")??;
        if let Some((_, port)) = line.split_once(STARTED) {
            break port.trim_end_matches('.').parse()?;
        }
    };
    // It must not stop because nobody reads what it prints.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(port)
}
