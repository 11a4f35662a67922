//! Golden deliveries: the built-in ones, or a folder of somebody's own.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chatly_cases::Case;
use chatly_channel::{Delivery, Header};
use chatly_signature::sha256_hex;
use chatly_simulator::{Platform, Wish, find};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Channel, name and text of each case in `tests/cases`.
const BUILT_IN: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// The public address of the built-in deliveries.
const BASE_URL: &str = "https://chat.example.org";
/// When the built-in deliveries are signed and received, in Unix seconds.
const NOW: u64 = 1_749_416_400;
/// A day: more than any scheme lets a clock be off.
const DAY_SECS: u64 = 24 * 60 * 60;

/// Where golden deliveries come from.
#[derive(Debug, Clone)]
pub enum Cases {
    /// The channels that come with the program, by the name that the plugin gives itself.
    BuiltIn,
    /// Somebody's own.
    Own(Vec<Golden>),
}

/// A delivery that is genuine, and what it says.
#[derive(Debug, Clone)]
pub struct Golden {
    pub(super) name: String,
    pub(super) delivery: Delivery,
    pub(super) secrets: Vec<String>,
    /// Unix seconds of its receipt.
    pub(super) now: u64,
    pub(super) account: Option<String>,
    pub(super) events: Option<Vec<Value>>,
    /// The delivery that gives the events, where signing changed a header that they are made of.
    pub(super) documented: Option<Delivery>,
    /// Names of the headers that prove it.
    pub(super) proofs: Vec<String>,
    pub(super) covers_body: bool,
    /// How many seconds the clock is surely too far off, where the scheme has a time.
    pub(super) stale_secs: Option<u64>,
    /// JSON pointers to lists of siblings in the body.
    pub(super) lists: Vec<String>,
    /// The same things, each in a delivery of its own.
    pub(super) parts: Vec<Delivery>,
}

/// A file of a folder of cases. `docs/channel-plugins.md` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "post")]
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_b64: Option<String>,
    secrets: Option<Vec<String>>,
    now: u64,
    account: Option<String>,
    events: Option<Vec<Value>>,
    proofs: Vec<String>,
    #[serde(default = "yes")]
    covers_body: bool,
    tolerance_secs: Option<u64>,
    #[serde(default)]
    lists: Vec<String>,
}

fn post() -> String {
    "POST".to_owned()
}

fn yes() -> bool {
    true
}

impl Cases {
    /// Reads every `.json` of a folder; `secret` is for those that name none.
    pub fn load(folder: &Path, secret: Option<&str>) -> Result<Self> {
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("--cases {}", folder.display()))?;
        let mut golden = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let read = || -> Result<Golden> {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                own(&name, &std::fs::read_to_string(&path)?, secret)
            };
            golden.push(read().with_context(|| format!("{}", path.display()))?);
        }
        ensure!(
            !golden.is_empty(),
            "--cases {}: there is no .json in it",
            folder.display()
        );
        golden.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Cases::Own(golden))
    }

    pub(super) fn golden(&self, channel: &str) -> Result<Vec<Golden>, String> {
        match self {
            Cases::Own(golden) => Ok(golden.clone()),
            Cases::BuiltIn => match find(channel) {
                Some(platform) => built_in(platform).map_err(|error| format!("{error:#}")),
                None => Err(format!(
                    "there are no built-in deliveries of {channel:?}; name your own with --cases"
                )),
            },
        }
    }
}

fn own(name: &str, text: &str, secret: Option<&str>) -> Result<Golden> {
    let file: File = serde_json::from_str(text)?;
    let body = match (file.body, file.body_b64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(coded)) => BASE64.decode(coded).context("\"body_b64\" is not base64")?,
        _ => bail!("give \"body\" or \"body_b64\""),
    };
    let secrets = file
        .secrets
        .or_else(|| secret.map(|secret| vec![secret.to_owned()]))
        .context("there is no secret; give \"secrets\" or --secret")?;
    ensure!(
        !file.proofs.is_empty(),
        "\"proofs\" names no header: a delivery that nothing proves cannot be checked"
    );
    let headers = file.headers.iter();
    Ok(Golden {
        name: name.to_owned(),
        delivery: Delivery {
            method: file.method,
            url: file.url,
            headers: headers
                .map(|(name, value)| Header::new(name, value))
                .collect(),
            body,
        },
        secrets,
        now: file.now,
        account: file.account,
        events: file.events,
        documented: None,
        proofs: file.proofs,
        covers_body: file.covers_body,
        stale_secs: file.tolerance_secs.map(|secs| secs + 1),
        lists: file.lists,
        parts: Vec::new(),
    })
}

/// A secret of the form that a platform's simulator signs with.
fn secret(channel: &str) -> &'static str {
    match channel {
        // The test key of Standard Webhooks' own libraries.
        "standard" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        _ => "0123456789abcdef0123456789abcdef",
    }
}

fn built_in(platform: &dyn Platform) -> Result<Vec<Golden>> {
    let wish = |kind: &&str, seed| Wish {
        kind: (*kind).to_owned(),
        seed,
        ..Wish::default()
    };
    let kinds = platform.kinds();
    let wishes: Vec<Wish> = kinds
        .iter()
        .zip(1..)
        .map(|(kind, n)| wish(kind, n))
        .collect();
    let mut golden = Vec::new();
    for wish in &wishes {
        let delivery = platform.unsigned(std::slice::from_ref(wish))?;
        golden.push(signed(platform, &format!("kind {}", wish.kind), delivery));
    }
    if platform.batches() {
        let parts = golden
            .iter()
            .map(|golden| golden.delivery.clone())
            .collect();
        let all = signed(platform, "all kinds in one", platform.unsigned(&wishes)?);
        golden.push(Golden { parts, ..all });
    }
    let path = golden
        .first()
        .map(|golden| path_of(&golden.delivery))
        .context("the simulator has no kinds")?;
    for (_, name, text) in BUILT_IN.iter().filter(|it| it.0 == platform.name()) {
        golden.push(case(platform, &path, name, text)?);
    }
    Ok(golden)
}

fn path_of(delivery: &Delivery) -> String {
    let path = delivery.url.strip_prefix(BASE_URL);
    path.unwrap_or_default().to_owned()
}

/// A golden case, signed; with its headers as they stand for its events.
fn case(platform: &dyn Platform, path: &str, name: &str, text: &str) -> Result<Golden> {
    let case: Case = serde_json::from_str(text).with_context(|| format!("case {name}"))?;
    let delivery = case.delivery();
    let documented = Some(delivery.clone());
    let headers = delivery.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(&header.value).into_owned();
        (header.name.clone(), value)
    });
    let unsigned = chatly_simulator::Delivery {
        method: delivery.method,
        path: signed_path(platform, path, &case, &delivery.body),
        headers: headers.collect(),
        body: delivery.body,
    };
    let account = case.account.clone();
    let golden = signed(platform, &format!("case {name}"), unsigned);
    Ok(Golden {
        account,
        events: Some(case.events),
        documented,
        ..golden
    })
}

/// Twilio's URL names the digest of a body that is no form.
fn signed_path(platform: &dyn Platform, path: &str, case: &Case, body: &[u8]) -> String {
    if platform.name() == "twilio" && case.content_type.is_none() {
        return format!("{path}?bodySHA256={}", sha256_hex(&[body]));
    }
    path.to_owned()
}

fn signed(platform: &dyn Platform, name: &str, unsigned: chatly_simulator::Delivery) -> Golden {
    let sign = |secret, now| platform.sign(unsigned.clone(), BASE_URL, secret, now);
    let secret = secret(platform.name());
    let signed = sign(secret, NOW);
    let bare = sign("", NOW);
    let proofs = signed
        .headers
        .iter()
        .filter(|header| !bare.headers.contains(header))
        .map(|(name, _)| name.clone())
        .collect();
    // Discord signs a time and documents no tolerance.
    let has_time = platform.name() != "discord" && sign(secret, NOW + DAY_SECS) != signed;
    let prefix = format!("/webhooks/{}/", platform.name());
    let account = unsigned.path.strip_prefix(&prefix).map(str::to_owned);
    Golden {
        name: name.to_owned(),
        delivery: signed.received_at(BASE_URL),
        secrets: vec![platform.checked_with(secret)],
        now: NOW,
        account,
        events: None,
        documented: None,
        proofs,
        // A shared token says who, not what.
        covers_body: platform.name() != "telegram",
        stale_secs: has_time.then_some(DAY_SECS),
        lists: Vec::new(),
        parts: Vec::new(),
    }
}

/// The text of a JSON body.
pub(super) fn json(body: &[u8]) -> Option<&str> {
    let raw: &RawValue = serde_json::from_slice(body).ok()?;
    Some(raw.get())
}
