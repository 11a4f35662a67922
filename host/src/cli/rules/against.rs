//! `rules test --against`: what a file of rules would do with the messages of a running host.
//!
//! The file is checked here first, so that its defects name its lines; the host checks it again. It
//! is asked page by page, so a long run is many short requests, none of which writes anything.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::Url;

/// A page takes the host a few seconds; with its own limit of 30 s it has answered by then.
const TIMEOUT: Duration = Duration::from_secs(35);
/// Messages of one request: the host's bound.
const MAX_PAGE: u64 = 1000;
/// Exit code of a run that could not be made.
const FAILED: u8 = 1;

/// Which messages of which host.
#[derive(Debug, clap::Args)]
pub struct Against {
    /// Tries the rules over the messages of the host at this URL, and tells which would be routed differently
    #[arg(long, value_name = "URL")]
    against: Option<Url>,
    /// The host's operator key
    #[arg(
        long,
        value_name = "KEY",
        requires = "against",
        env = "SPIN_VARIABLE_API_KEY",
        hide_env_values = true
    )]
    api_key: Option<String>,
    /// Whose messages; the host's default tenant without it
    #[arg(long, value_name = "ID", requires = "against")]
    platform_client_id: Option<String>,
    /// Only messages of this channel
    #[arg(long, requires = "against")]
    channel: Option<String>,
    /// Only messages of this conversation
    #[arg(long, value_name = "ID", requires = "against")]
    conversation_id: Option<String>,
    /// Only messages stored at this time or later, Unix milliseconds
    #[arg(long, value_name = "MS", requires = "against")]
    since: Option<u64>,
    /// Only messages stored before this time, Unix milliseconds
    #[arg(long, value_name = "MS", requires = "against")]
    until: Option<u64>,
    /// How many messages at most, the newest first
    #[arg(long, value_name = "N", requires = "against", default_value_t = MAX_PAGE)]
    limit: u64,
}

impl Against {
    /// Whether a host is to be asked.
    pub fn is_wanted(&self) -> bool {
        self.against.is_some()
    }

    /// Asks the host, and prints what it says.
    pub fn run(&self, file: &str, as_json: bool) -> Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let report = runtime.block_on(self.report(file))?;
        let mut out = io::stdout().lock();
        match as_json {
            true => writeln!(out, "{report}")?,
            false => print(&mut out, &report)?,
        }
        let tests = at(&report, "tests");
        let failed = ["failed", "not_run"]
            .iter()
            .any(|name| at(tests, name).as_u64() != Some(0));
        Ok(ExitCode::from(if failed { FAILED } else { 0 }))
    }

    /// All pages as one.
    async fn report(&self, file: &str) -> Result<Value> {
        let body = json!({ "file": file }).to_string();
        let (mut evaluated, mut data, mut tests) = (0, Vec::new(), Value::Null);
        let mut cursor: Option<String> = None;
        while evaluated < self.limit {
            let limit = (self.limit - evaluated).min(MAX_PAGE);
            let mut page = self.ask(limit, cursor.as_deref(), &body).await?;
            evaluated += at(&page, "evaluated")
                .as_u64()
                .context("the host's answer has no `evaluated`")?;
            if let Some(Value::Array(rows)) = page.get_mut("data").map(Value::take) {
                data.extend(rows);
            }
            tests = at(&page, "tests").clone();
            cursor = at(&page, "next_cursor").as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        Ok(json!({ "evaluated": evaluated, "differing": data.len(), "data": data, "tests": tests }))
    }

    async fn ask(&self, limit: u64, cursor: Option<&str>, body: &str) -> Result<Value> {
        let base = self.against.as_ref().context("no URL")?;
        let mut url = base.join("/v1/rules/test")?;
        let (since, until) = (
            self.since.map(|it| it.to_string()),
            self.until.map(|it| it.to_string()),
        );
        for (name, value) in [
            ("platform_client_id", self.platform_client_id.as_deref()),
            ("channel", self.channel.as_deref()),
            ("conversation_id", self.conversation_id.as_deref()),
            ("since", since.as_deref()),
            ("until", until.as_deref()),
            ("limit", Some(limit.to_string().as_str())),
            ("cursor", cursor),
        ] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        let asked = tokio::time::timeout(TIMEOUT, self.post(&url, body)).await;
        let (status, answer) = asked
            .map_err(|_| anyhow!("{base} did not answer within {} s", TIMEOUT.as_secs()))?
            .with_context(|| format!("{base} cannot be asked"))?;
        if status == http::StatusCode::OK {
            return Ok(answer);
        }
        let detail = at(&answer, "detail").as_str().unwrap_or("no reason given");
        let defects = at(&answer, "defects").as_array().into_iter().flatten();
        let defects: String = defects
            .map(|it| {
                format!(
                    "\n  {}: {}",
                    at(it, "rule_id").as_str().unwrap_or_default(),
                    at(it, "reason").as_str().unwrap_or_default()
                )
            })
            .collect();
        bail!("{base} answered {}: {detail}{defects}", status.as_u16());
    }

    async fn post(&self, url: &Url, body: &str) -> Result<(http::StatusCode, Value)> {
        let host = url.host_str().context("the URL names no host")?;
        let port = url
            .port_or_known_default()
            .context("the URL names no port")?;
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let mut request = http::Request::post(path)
            .header(HOST, authority)
            .header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.api_key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned())))?;
        match url.scheme() {
            "http" => send(stream, request).await,
            "https" => {
                let name = ServerName::try_from(host.to_owned())?;
                send(tls()?.connect(name, stream).await?, request).await
            }
            other => bail!("{other} is no scheme that a host speaks; use http or https"),
        }
    }
}

/// Trusts what the system trusts.
fn tls() -> Result<tokio_rustls::TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(std::sync::Arc::new(config).into())
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: http::Request<Full<Bytes>>,
) -> Result<(http::StatusCode, Value)> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

/// A member; null where there is none.
fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn print(out: &mut impl Write, report: &Value) -> io::Result<()> {
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for test in rows(at(at(report, "tests"), "failures")) {
        writeln!(out, "FAILED  {}", text(at(&test, "name")))?;
        for failure in rows(at(&test, "failures")) {
            writeln!(out, "        {}: {}", at(&test, "line"), text(&failure))?;
        }
    }
    for row in rows(at(report, "data")) {
        writeln!(
            out,
            "{}  in conversation {}",
            text(at(&row, "message_id")),
            text(at(&row, "conversation_id"))
        )?;
        for (sign, acts) in [("-", at(&row, "before")), ("+", at(&row, "after"))] {
            for act in rows(acts) {
                let rule = text(at(&act, "rule_name"));
                writeln!(
                    out,
                    "    {sign} {:<8}  {}  by rule \"{rule}\"",
                    text(at(&act, "phase")),
                    at(&act, "action")
                )?;
            }
        }
    }
    let tests = at(report, "tests");
    writeln!(
        out,
        "{} messages, {} of them routed differently; tests: {} passed, {} failed, {} not run",
        at(report, "evaluated"),
        at(report, "differing"),
        at(tests, "passed"),
        at(tests, "failed"),
        at(tests, "not_run")
    )
}
