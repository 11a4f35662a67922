//! `chatly simulate`: a fake platform that sends signed deliveries to a host, or answers its sends.

mod serve;
mod traffic;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use chatly_simulator::{Platform, Wish};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use self::serve::Behaviour;
use self::traffic::{Chaos, Sending, Signer};
use super::up::{environment_name, parse_count};
use crate::state_dir;

/// Where `chatly up` listens when nobody names an address.
const DEFAULT_TO: &str = "http://127.0.0.1:3000";

/// As long as Meta waits for an answer, and some (Meta retries after 20 s).
const TIMEOUT: Duration = Duration::from_secs(30);

/// Most of an answer that is shown; a refusal is a problem document of some hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Seeds that are drawn stay below this: the simulator uses the bits above for other ids.
const SEED_MASK: u64 = (1 << 40) - 1;

/// Send deliveries as a platform would, signed with the local secret, or play its send API
///
/// The secret is taken from SPIN_VARIABLE_NAME in the environment, else from the state dir's local
/// secrets. Prints a line for each delivery and exits with 1 when one is not accepted, or one that was
/// tampered with is. With --serve nothing is sent: the platform's send API is played, and each request
/// to it printed as one line of JSON.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo chatly simulate whatsapp --text 'Is it in stock?'\n  \
    cargo chatly simulate whatsapp --count 100 --seed 7 --duplicate 0.2 --reorder --tamper 0.1\n  \
    cargo chatly simulate whatsapp --serve 127.0.0.1:8080 --mood throttled")]
pub(super) struct Args {
    /// The platform to play; an unknown one lists all
    #[arg(value_parser = parse_platform)]
    channel: &'static str,
    /// The host to send to [default: where `up` with this state dir listens, else http://127.0.0.1:3000]
    #[arg(long, value_name = "URL")]
    to: Option<Uri>,
    /// The address that the platform thinks it posts to, where its signature covers that [default: --to]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The message's text, or the caption of its media
    #[arg(long)]
    text: Option<String>,
    /// What happens: text, image, reaction, …; an unknown one lists all [default: the platform's first]
    #[arg(long)]
    kind: Option<String>,
    /// How many things happen, one after the other
    #[arg(long, default_value = "1", value_parser = parse_count)]
    count: u64,
    /// The customer: a phone in digits only, or an id of the platform
    #[arg(long, value_name = "ID")]
    from: Option<String>,
    /// The customer's profile name
    #[arg(long)]
    name: Option<String>,
    /// The account that is written to (WhatsApp: phone number id)
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// The customer is known by an id that is no phone, where the platform has such ids
    #[arg(long)]
    without_phone: bool,
    /// Makes all ids, times and chaos depend on this number: the same again is a redelivery
    #[arg(long)]
    seed: Option<u64>,
    /// Milliseconds to wait before each delivery but the first
    #[arg(long, value_name = "MS", default_value = "0")]
    delay: u64,
    #[command(flatten)]
    chaos: Chaos,
    /// Play the send API at this address instead
    #[arg(long, value_name = "ADDR")]
    serve: Option<SocketAddr>,
    /// How the send API behaves
    #[arg(long, value_enum, default_value = "well", requires = "serve")]
    mood: Behaviour,
    /// Folder with the local secrets
    #[arg(long, value_name = "DIR", default_value = state_dir::DEFAULT_NAME)]
    state_dir: PathBuf,
}

fn parse_platform(name: &str) -> Result<&'static str, String> {
    let known = || chatly_simulator::ALL.into_iter().map(Platform::name);
    let found = known().find(|platform| *platform == name);
    found.ok_or_else(|| format!("known are {}", known().collect::<Vec<_>>().join(", ")))
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let platform = chatly_simulator::find(args.channel).context("the platform is not there")?;
    let seed = match args.seed {
        Some(seed) => seed,
        None => getrandom::u64().context("no random number for the ids")? & SEED_MASK,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if let Some(address) = args.serve {
        runtime.block_on(serve::run(platform, address, args.mood, seed))?;
        return Ok(ExitCode::SUCCESS);
    }
    let target = target(args)?;
    let sendings = deliveries(args, platform, seed, &target)?;
    runtime.block_on(send_all(args, &target, &sendings))
}

/// What is sent, in order.
fn deliveries(
    args: &Args,
    platform: &dyn Platform,
    seed: u64,
    target: &Uri,
) -> Result<Vec<Sending>> {
    let secret = secret(&format!("{}_app_secret", args.channel), &args.state_dir)?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")?
        .as_secs();
    let here = target.to_string();
    let base_url = args.public_url.as_deref().unwrap_or(&here);
    let wish = wish(args, platform, seed, now)?;
    let signer = Signer {
        secret: &secret,
        base_url: base_url.trim_end_matches('/'),
        now,
    };
    traffic::plan(platform, &wish, args.count, &args.chaos, &signer)
}

async fn send_all(args: &Args, target: &Uri, sendings: &[Sending]) -> Result<ExitCode> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut wrong = 0_u64;
    for (at, sending) in sendings.iter().enumerate() {
        if at > 0 && args.delay > 0 {
            tokio::time::sleep(Duration::from_millis(args.delay)).await;
        }
        let is_accepted = send(&client, target, sending).await?;
        if is_accepted == sending.is_tampered {
            wrong += 1;
        }
    }
    ensure!(
        wrong == 0,
        "{wrong} of {} deliveries were not answered as they should be",
        sendings.len()
    );
    Ok(ExitCode::SUCCESS)
}

/// The current secret: the first of the list.
fn secret(variable: &str, state_dir: &Path) -> Result<String> {
    let environment = environment_name(variable);
    let list = match std::env::var(&environment) {
        Ok(list) => list,
        Err(_) => {
            let mut secrets = state_dir::read_secrets(state_dir)?;
            // The host checks with a public key; what belongs to it signs.
            let private = secrets.remove(&state_dir::signing_key_name(variable));
            private.or_else(|| secrets.remove(variable)).with_context(|| {
                format!(
                    "no {variable} in {}; run this where `chatly up` ran, name its folder with --state-dir, or set {environment}",
                    state_dir.display()
                )
            })?
        }
    };
    let current = list.split(',').next().unwrap_or_default().trim();
    ensure!(
        !current.is_empty(),
        "{variable} is empty, so nothing can be signed; set {environment}"
    );
    Ok(current.to_owned())
}

/// The host's address, without a path.
fn target(args: &Args) -> Result<Uri> {
    let target = match &args.to {
        Some(to) => to.clone(),
        None => match state_dir::read_address(&args.state_dir)? {
            Some(address) => format!("http://{address}").parse()?,
            None => Uri::from_static(DEFAULT_TO),
        },
    };
    if target.scheme_str() != Some("http") || target.authority().is_none() {
        bail!("--to {target}: write http://HOST:PORT; other schemes are not spoken here");
    }
    ensure!(
        target.path() == "/" && target.query().is_none(),
        "--to {target}: write http://HOST:PORT only; the platform's route is added to it"
    );
    Ok(target)
}

/// What all deliveries have in common.
fn wish(args: &Args, platform: &dyn Platform, seed: u64, now: u64) -> Result<Wish> {
    let kinds = platform.kinds();
    let kind = args.kind.as_deref().or(kinds.first().copied());
    if let Some(phone) = &args.from
        && platform.name() == "whatsapp"
        && !args.without_phone
    {
        ensure!(
            !phone.is_empty() && phone.bytes().all(|byte| byte.is_ascii_digit()),
            "--from {phone}: write the phone with digits only, country code first, like 16505551234"
        );
    }
    Ok(Wish {
        kind: kind.unwrap_or_default().to_owned(),
        text: args.text.clone(),
        from: args.from.clone(),
        name: args.name.clone(),
        account: args.account.clone(),
        about: None,
        without_phone: args.without_phone,
        // With a seed the same again must be the same.
        at_secs: args.seed.is_none().then_some(now),
        seed,
    })
}

type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// Sends one delivery and prints what became of it; whether it was accepted.
async fn send(client: &HttpClient, target: &Uri, sending: &Sending) -> Result<bool> {
    let delivery = &sending.delivery;
    let authority = target.authority().context("the host has no address")?;
    let mut request = Request::builder()
        .method(delivery.method.as_str())
        .uri(format!("http://{authority}{}", delivery.path));
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(delivery.body.clone())))?;
    let start = Instant::now();
    let response = tokio::time::timeout(TIMEOUT, client.request(request))
        .await
        .with_context(|| {
            format!(
                "http://{authority} did not answer within {} s",
                TIMEOUT.as_secs()
            )
        })?
        .with_context(|| {
            format!("http://{authority} cannot be reached; is `chatly up` running?")
        })?;
    let (status, millis) = (response.status(), start.elapsed().as_millis());
    let mut stdout = io::stdout().lock();
    writeln!(
        stdout,
        "{} in {millis} ms  {}{}",
        status.as_u16(),
        sending.name,
        if sending.is_tampered {
            "  (tampered)"
        } else {
            ""
        }
    )?;
    if status.is_success() {
        return Ok(true);
    }
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
        .collect()
        .await;
    let text = body.map(|body| body.to_bytes()).unwrap_or_default();
    writeln!(stdout, "  {}", String::from_utf8_lossy(&text).trim())?;
    if status == StatusCode::UNAUTHORIZED && !sending.is_tampered {
        writeln!(
            stdout,
            "  the host verifies with another secret: is --state-dir the one of that host?"
        )?;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Simulate {
        #[command(flatten)]
        args: Args,
    }

    fn parse(arguments: &[&str]) -> Args {
        let all = ["simulate", "whatsapp"].iter().chain(arguments);
        Simulate::try_parse_from(all).unwrap().args
    }

    #[test]
    fn the_target_is_an_address_alone() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_str().unwrap();
        let of =
            |to: &str| target(&parse(&["--to", to, "--state-dir", dir])).map_err(|e| e.to_string());
        assert_eq!(of("http://localhost:81").unwrap(), "http://localhost:81/");
        for (to, want) in [
            (
                "https://x",
                "--to https://x/: write http://HOST:PORT; other schemes are not spoken here",
            ),
            (
                "localhost:81",
                "--to localhost:81: write http://HOST:PORT; other schemes are not spoken here",
            ),
            (
                "http://x/webhooks",
                "--to http://x/webhooks: write http://HOST:PORT only; the platform's route is added to it",
            ),
        ] {
            assert_eq!(of(to), Err(want.to_owned()));
        }
        let found = || target(&parse(&["--state-dir", dir])).unwrap();
        assert_eq!(found(), "http://127.0.0.1:3000/");
        let state_dir = state_dir::StateDir::open(folder.path()).unwrap();
        state_dir::write_address(&state_dir.address_file(), "127.0.0.1:4567".parse().unwrap())
            .unwrap();
        assert_eq!(found(), "http://127.0.0.1:4567/");
    }

    #[test]
    fn the_secret_is_the_first_of_its_list() {
        let folder = tempfile::tempdir().unwrap();
        let of = || secret("no_such_secret", folder.path()).map_err(|error| error.to_string());
        assert_eq!(
            of(),
            Err(format!(
                "no no_such_secret in {}; run this where `chatly up` ran, name its folder with --state-dir, or set SPIN_VARIABLE_NO_SUCH_SECRET",
                folder.path().display()
            ))
        );
        let state_dir = state_dir::StateDir::open(folder.path()).unwrap();
        let secrets = state_dir
            .ensure_secrets(&["no_such_secret".to_owned()])
            .unwrap();
        assert_eq!(of().as_deref(), Ok(secrets.get("no_such_secret").unwrap()));
        for (list, want) in [
            ("new,old", Ok("new".to_owned())),
            (
                " ,old",
                Err("no_such_secret is empty, so nothing can be signed; set SPIN_VARIABLE_NO_SUCH_SECRET".to_owned()),
            ),
        ] {
            std::fs::write(state_dir.secrets_file(), format!("no_such_secret = {list:?}\n")).unwrap();
            assert_eq!(of(), want);
        }
    }

    #[test]
    fn deliveries_are_what_the_flags_say() {
        let args = parse(&[
            "--text",
            "Hi",
            "--from",
            "4915",
            "--name",
            "Zoe",
            "--account",
            "77",
            "--seed",
            "5",
        ]);
        let platform = chatly_simulator::find("whatsapp").unwrap();
        let body = |args: &Args| {
            let wish = wish(args, platform, 5, 1)?;
            let delivery = platform.unsigned(&[wish])?;
            anyhow::Ok(String::from_utf8(delivery.body)?)
        };
        let text = body(&args).unwrap();
        for part in [
            r#""body":"Hi""#,
            r#""from":"4915""#,
            r#""name":"Zoe""#,
            r#""phone_number_id":"77""#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(body(&args).unwrap(), text, "a seed makes a redelivery");
        let error = body(&parse(&["--kind", "nonsense"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("unknown kind \"nonsense\"; known are: text"),
            "{error}"
        );
        let error = body(&parse(&["--from", "+49 15"])).unwrap_err().to_string();
        assert!(error.contains("digits only"), "{error}");
    }
}
