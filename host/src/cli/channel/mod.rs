//! `chatly channel`: runs one channel plugin alone, from standard input.
//!
//! Exit codes: 0 accepted or done, 1 refused (the reason is on standard error), 2 wrong usage, wrong
//! input, or a plugin that cannot be run.

mod documents;
mod outbound;
mod plugin;

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use chatly_canonical::{Convert, Event};
use clap::Subcommand;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::documents::{Handshake, Response, Verification};
use self::outbound::{ANY_ACCOUNT, Outbound};
use self::plugin::Plugin;
use self::plugin::bindings::chatly::types::types::{Delivery, Header};
use super::manifest_file::ManifestFile;

/// Most that is read from standard input: above every platform's largest webhook (3 MiB, Meta),
/// with room for base64 and a list of headers.
const MAX_INPUT_BYTES: u64 = 16 << 20;

const REFUSED: u8 = 1;

/// Run one channel plugin alone, from standard input
///
/// The plugin gets no import but types: no clock, no network, no files. NAME is a channel
/// (`whatsapp`), a component id of the manifest, or the path of a .wasm file. Exits with 0 when
/// accepted or done, 1 when refused, 2 when usage, input or plugin are at fault.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a delivery's signature
    ///
    /// Reads {"method","url","headers":[[name,value],…],"body_b64","secrets":[…],"now":unix_seconds}.
    /// Without "now" the clock of this machine is used.
    Verify(Which),
    /// Answer a platform's check of the webhook
    ///
    /// Reads the document of `verify` with "verify_token" and prints {"status","headers","body"}.
    /// Exits with 1 when the answer is no success, or the delivery is no such check.
    Handshake(Which),
    /// Print the events of a raw body, one JSON document a line
    Parse(Parse),
    /// Print the HTTP requests that send a message, one JSON document a line
    ///
    /// Reads {"account","to":{"scheme","id"},"type","reply_to"} and what the type needs:
    /// text "text"; media "media":{"kind","url" or "id","caption","filename"};
    /// location "location":{"latitude","longitude","name","address"};
    /// contacts "contacts":[{"name","phones","emails","org"}]; reaction "reaction":{"message_id","emoji"};
    /// template "template":{"name","language","components"};
    /// buttons and quick_replies "text","buttons":[{"id","title"}];
    /// list "text","list":{"button","sections":[{"title","rows":[{"id","title","description"}]}]};
    /// mark_read and typing "message_id". Without "account" the URL keeps {account}; "base_url" defaults
    /// to the platform's own.
    Render(Which),
    /// Say what a platform's answer to a send means
    ///
    /// Reads {"status","headers":[[name,value],…],"body"}; "body_b64" for a body that is not text.
    Classify(Which),
    /// Print the platform's facts: limits, windows, rates
    Describe(Which),
}

/// The plugin to run.
#[derive(Debug, clap::Args)]
struct Which {
    /// A channel, a component id, or the path of a .wasm file
    name: String,
    #[command(flatten)]
    manifest: ManifestFile,
}

#[derive(Debug, clap::Args)]
struct Parse {
    #[command(flatten)]
    which: Which,
    /// The account of the route, for platforms whose payload names none
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// The body's media type
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
}

/// What came of a command.
enum Outcome {
    Done,
    /// The reason, safe to print.
    Refused(String),
}

pub(super) fn run(args: &Args) -> ExitCode {
    let stdin = io::stdin().lock();
    match execute(&args.command, stdin, &mut io::stdout().lock()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Refused(reason)) => {
            // With standard error gone, the exit code still tells.
            let _ = writeln!(io::stderr(), "refused: {reason}");
            ExitCode::from(REFUSED)
        }
        Err(error) => {
            super::print_error(&error);
            ExitCode::from(super::USAGE)
        }
    }
}

fn execute(command: &Command, input: impl Read, output: &mut impl Write) -> Result<Outcome> {
    match command {
        Command::Verify(which) => {
            let document: Verification = read_document(input)?;
            which
                .load()?
                .verify(&document.delivery()?, &document.secrets, document.now())
        }
        Command::Handshake(which) => handshake(&mut which.load()?, &read_document(input)?, output),
        Command::Parse(parse) => parse.run(input, output),
        Command::Render(which) => render(&mut which.load()?, read_document(input)?, output),
        Command::Classify(which) => {
            let document: Response = read_document(input)?;
            let verdict = which.load()?.classify(&document.into_wit()?)?;
            print_line(output, &documents::verdict(&verdict))
        }
        Command::Describe(which) => {
            print_line(output, &documents::description(&which.load()?.describe()?))
        }
    }
}

fn handshake(
    plugin: &mut Plugin,
    document: &Handshake,
    output: &mut impl Write,
) -> Result<Outcome> {
    let reply = plugin.handshake(document)?;
    let Some(reply) = reply else {
        return Ok(Outcome::Refused("the delivery is no handshake".to_owned()));
    };
    print_line(output, &documents::reply(&reply))?;
    Ok(match reply.status {
        200..300 => Outcome::Done,
        status => Outcome::Refused(format!("the handshake is answered with {status}")),
    })
}

fn render(plugin: &mut Plugin, document: Outbound, output: &mut impl Write) -> Result<Outcome> {
    let base_url = match document.base_url.clone() {
        Some(base_url) => base_url,
        None => plugin.describe()?.base_url,
    };
    let is_for_any_account = document.is_for_any_account();
    let sender = document.sender(base_url);
    match plugin.render(&sender, &document.message()?)? {
        Ok(mut requests) => {
            for request in &mut requests {
                if is_for_any_account {
                    request.url = request.url.replace(ANY_ACCOUNT, "{account}");
                }
                print_line(output, &documents::request(request))?;
            }
            Ok(Outcome::Done)
        }
        Err(error) => Ok(Outcome::Refused(documents::render_error(&error))),
    }
}

impl Parse {
    fn run(&self, input: impl Read, output: &mut impl Write) -> Result<Outcome> {
        let delivery = Delivery {
            method: "POST".to_owned(),
            url: String::new(),
            headers: vec![Header {
                name: "content-type".to_owned(),
                value: self.content_type.clone().into_bytes(),
            }],
            body: read_all(input)?,
        };
        let events = self
            .which
            .load()?
            .parse(&delivery, self.account.as_deref())?;
        for event in events {
            let event: Event = event.convert();
            print_line(output, &event)?;
        }
        Ok(Outcome::Done)
    }
}

impl Which {
    fn load(&self) -> Result<Plugin> {
        Plugin::load(&self.find()?)
    }

    fn find(&self) -> Result<PathBuf> {
        let path = PathBuf::from(&self.name);
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            return Ok(path);
        }
        let manifest = self.manifest.load()?;
        let component = [format!("channel-{}", self.name), self.name.clone()]
            .iter()
            .find_map(|id| manifest.components.get(id))
            .with_context(|| {
                let channels = manifest
                    .components
                    .keys()
                    .filter_map(|id| id.strip_prefix("channel-"));
                format!(
                    "there is no channel {:?}; known: {}; or name a .wasm file",
                    self.name,
                    channels.collect::<Vec<_>>().join(", ")
                )
            })?;
        let path = component.source.path().context(
            "the channel's component is a download; name a .wasm file in place of the channel",
        )?;
        Ok(path.to_owned())
    }
}

fn read_document<T: DeserializeOwned>(input: impl Read) -> Result<T> {
    serde_json::from_slice(&read_all(input)?)
        .context("standard input does not hold the expected JSON document (see --help)")
}

fn read_all(input: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = input.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes);
    let count = most.context("standard input cannot be read")?;
    anyhow::ensure!(
        u64::try_from(count).is_ok_and(|count| count <= MAX_INPUT_BYTES),
        "standard input is longer than {MAX_INPUT_BYTES} bytes"
    );
    Ok(bytes)
}

fn print_line(output: &mut impl Write, document: &impl serde::Serialize) -> Result<Outcome> {
    let mut line = serde_json::to_vec(document)?;
    line.push(b'\n');
    output
        .write_all(&line)
        .context("standard output cannot be written")?;
    Ok(Outcome::Done)
}

/// A JSON document that is put together here.
type Document = Value;
