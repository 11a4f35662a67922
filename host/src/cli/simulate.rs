//! `chatly simulate`: a fake platform that sends signed deliveries to a host.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use chatly_simulator::whatsapp::{self, Item};
use clap::ValueEnum;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

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

/// Send deliveries as a platform would, signed with the local secret
///
/// The secret is taken from SPIN_VARIABLE_NAME in the environment, else from the state dir's local
/// secrets. Prints a line for each delivery and exits with 1 when one is not accepted.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The platform to play
    channel: Channel,
    /// The host to send to [default: where `up` with this state dir listens, else http://127.0.0.1:3000]
    #[arg(long, value_name = "URL")]
    to: Option<Uri>,
    /// The message's text, or the caption of its media
    #[arg(long)]
    text: Option<String>,
    /// What happens: text, image, reaction, delivered, …; an unknown one lists all
    #[arg(long, default_value = "text")]
    kind: String,
    /// How many deliveries to send, one after the other
    #[arg(long, default_value = "1", value_parser = parse_count)]
    count: u64,
    /// The customer's phone, digits only
    #[arg(long, value_name = "PHONE")]
    from: Option<String>,
    /// The customer's profile name
    #[arg(long)]
    name: Option<String>,
    /// The account that is written to (WhatsApp: phone number id)
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Makes all ids and times depend on this number: the same again is a redelivery
    #[arg(long)]
    seed: Option<u64>,
    /// Folder with the local secrets
    #[arg(long, value_name = "DIR", default_value = state_dir::DEFAULT_NAME)]
    state_dir: PathBuf,
}

/// The platforms that can be played.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Channel {
    /// WhatsApp Business Platform (Cloud API)
    Whatsapp,
}

impl Channel {
    fn secret_variable(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp_app_secret",
        }
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let secret = secret(args.channel.secret_variable(), &args.state_dir)?;
    let target = target(args)?;
    let template = template(args)?;
    let first_seed = match args.seed {
        Some(seed) => seed,
        None => getrandom::u64().context("no random number for the ids")? & SEED_MASK,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut refused = 0_u64;
        for number in 0..args.count {
            let item = template.clone().seed(first_seed.wrapping_add(number));
            if !send(&client, &target, &item, &secret).await? {
                refused += 1;
            }
        }
        ensure!(
            refused == 0,
            "{refused} of {} deliveries were not accepted",
            args.count
        );
        Ok(ExitCode::SUCCESS)
    })
}

/// The current secret: the first of the list.
fn secret(variable: &str, state_dir: &Path) -> Result<String> {
    let environment = environment_name(variable);
    let list = match std::env::var(&environment) {
        Ok(list) => list,
        Err(_) => state_dir::read_secrets(state_dir)?.remove(variable).with_context(|| {
            format!(
                "no {variable} in {}; run this where `chatly up` ran, name its folder with --state-dir, or set {environment}",
                state_dir.display()
            )
        })?,
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
fn template(args: &Args) -> Result<Item> {
    let Channel::Whatsapp = args.channel;
    let mut item = whatsapp::kind(&args.kind)?;
    if args.seed.is_none() {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .context("the clock is before 1970")?;
        item = item.at(now.as_secs());
    }
    if let Some(text) = &args.text {
        item = item.text(text);
    }
    if let Some(phone) = &args.from {
        ensure!(
            !phone.is_empty() && phone.bytes().all(|byte| byte.is_ascii_digit()),
            "--from {phone}: write the phone with digits only, country code first, like 16505551234"
        );
        item = item.from_phone(phone);
    }
    if let Some(name) = &args.name {
        item = item.name(name);
    }
    if let Some(account) = &args.account {
        item = item.account(account);
    }
    Ok(item)
}

type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// Sends one delivery and prints what became of it; whether it was accepted.
async fn send(client: &HttpClient, target: &Uri, item: &Item, secret: &str) -> Result<bool> {
    let delivery = item.signed_with(secret);
    let authority = target.authority().context("the host has no address")?;
    let mut request = Request::builder()
        .method(delivery.method.as_str())
        .uri(format!("http://{authority}{}", delivery.path));
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(delivery.body)))?;
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
        "{} in {millis} ms  {}",
        status.as_u16(),
        item.message_id()
    )?;
    if status.is_success() {
        return Ok(true);
    }
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
        .collect()
        .await;
    let text = body.map(|body| body.to_bytes()).unwrap_or_default();
    writeln!(stdout, "  {}", String::from_utf8_lossy(&text).trim())?;
    if status == StatusCode::UNAUTHORIZED {
        writeln!(
            stdout,
            "  the host verifies with another secret: is --state-dir the one of that host?"
        )?;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use chatly_manifest::LocalSecret;
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
            .ensure_secrets(&[("no_such_secret".to_owned(), LocalSecret::Token)])
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
        let delivery = template(&args).unwrap().seed(5).signed_with("s");
        let body = String::from_utf8(delivery.body).unwrap();
        for part in [
            r#""body":"Hi""#,
            r#""from":"4915""#,
            r#""name":"Zoe""#,
            r#""phone_number_id":"77""#,
        ] {
            assert!(body.contains(part), "{part} in {body}");
        }
        let again = template(&args).unwrap().seed(5).signed_with("s");
        assert_eq!(
            String::from_utf8(again.body).unwrap(),
            body,
            "a seed makes a redelivery"
        );
        let error = template(&parse(&["--kind", "nonsense"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("unknown kind \"nonsense\"; known are: text"),
            "{error}"
        );
        let error = template(&parse(&["--from", "+49 15"]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("digits only"), "{error}");
    }
}
