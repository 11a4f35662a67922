//! `chatly channel`: runs one channel plugin alone, from standard input, or checks it.
//!
//! Exit codes: 0 accepted or done, 1 refused (the reason is on standard error), 2 wrong usage, wrong
//! input, or a plugin that cannot be run.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use chatly_plugin::check::{self, Cases};
use chatly_plugin::{Outcome, Plugin, Task};
use clap::Subcommand;

use super::manifest_file::ManifestFile;

const REFUSED: u8 = 1;

/// Run one channel plugin alone, from standard input, or check it
///
/// The plugin gets no import but types: no clock, no network, no files. NAME is a channel
/// (`whatsapp`), a component id of the manifest, or the path of a .wasm file. Exits with 0 when
/// accepted or done, 1 when refused, 2 when usage, input or plugin are at fault.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo chatly channel describe whatsapp\n  \
    cargo chatly channel parse whatsapp < body.json\n  \
    echo '{\"to\":{\"scheme\":\"phone\",\"id\":\"16505551234\"},\"type\":\"text\",\"text\":\"Hi\"}' | cargo chatly channel render whatsapp\n  \
    cargo chatly channel verify whatsapp --jsonl < deliveries.jsonl\n  \
    cargo chatly channel check whatsapp\n  \
    cargo chatly channel check my_channel.wasm --cases cases --secret s3cret")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a delivery's signature
    ///
    /// Reads {"method","url","headers":[[name,value],…],"body_b64","secrets":[…],"now":unix_seconds}.
    /// Without "now" the clock of this machine is used. With --jsonl each line is answered with
    /// {"accepted":bool,"reason"}.
    Verify(Run),
    /// Answer a platform's check of the webhook
    ///
    /// Reads the document of `verify` with "verify_token" and prints {"status","headers","body"}, also
    /// where the answer is a refusal. Exits with 1 when the delivery is no such check.
    Handshake(Run),
    /// Print the events of a raw body, one JSON document a line
    ///
    /// With --jsonl each line is {"body_b64","content_type","account"}, answered with an array of events.
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
    /// mark_read and typing "message_id". Prints {"method","url","headers","body"} with {access_token}
    /// where the token goes. Without "account" the request keeps {account}; "base_url" defaults to the
    /// platform's own. With --jsonl several requests of one message are an array on one line.
    Render(Run),
    /// Say what a platform's answer to a send means
    ///
    /// Reads {"status","headers":[[name,value],…],"body_b64"}; "body" for a body that is text. Prints
    /// {"outcome","message_id","retry_after_ms","code","reason"} without what the platform does not say.
    Classify(Run),
    /// Print the platform's facts: limits, windows, rates
    Describe(Which),
    /// Hold a plugin against what every plugin promises
    ///
    /// Imports, description, golden deliveries, mutations of them, siblings, determinism, hostile input.
    /// Prints a line a check and exits with 1 when one failed. The cases of the channels that come with
    /// this program are built in; others are named with --cases, see docs/channel-plugins.md.
    Check(Check),
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
struct Run {
    #[command(flatten)]
    which: Which,
    /// Read a document a line and answer each with a line, in one process
    #[arg(long)]
    jsonl: bool,
}

#[derive(Debug, clap::Args)]
struct Parse {
    #[command(flatten)]
    run: Run,
    /// The account of the route, for platforms whose payload names none
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// The body's media type
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Check {
    #[command(flatten)]
    which: Which,
    /// Folder of golden deliveries, in place of the built-in ones
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// The secret of the deliveries in --cases that name none
    #[arg(long, requires = "cases")]
    secret: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> ExitCode {
    match execute(&args.command) {
        Ok(code) => code,
        Err(error) => {
            super::print_error(&error);
            ExitCode::from(super::USAGE)
        }
    }
}

fn execute(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Verify(run) => run.task(Task::Verify),
        Command::Handshake(run) => run.task(Task::Handshake),
        Command::Render(run) => run.task(Task::Render),
        Command::Classify(run) => run.task(Task::Classify),
        Command::Parse(parse) => parse.run.task(Task::Parse {
            account: parse.account.clone(),
            content_type: parse.content_type.clone(),
        }),
        Command::Describe(which) => run_one(which, &Task::Describe),
        Command::Check(check) => check.run(),
    }
}

fn run_one(which: &Which, task: &Task) -> Result<ExitCode> {
    let mut plugin = which.load()?;
    match task.run(&mut plugin, io::stdin().lock(), &mut io::stdout().lock())? {
        Outcome::Done => Ok(ExitCode::SUCCESS),
        Outcome::Refused(reason) => {
            // With standard error gone, the exit code still tells.
            let _ = writeln!(io::stderr(), "refused: {reason}");
            Ok(ExitCode::from(REFUSED))
        }
    }
}

impl Run {
    fn task(&self, task: Task) -> Result<ExitCode> {
        if !self.jsonl {
            return run_one(&self.which, &task);
        }
        let mut plugin = self.which.load()?;
        // A line goes out when its answer is there: who asks may wait for it before asking again.
        task.run_lines(&mut plugin, io::stdin().lock(), &mut io::stdout().lock())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Check {
    fn run(&self) -> Result<ExitCode> {
        let cases = match &self.cases {
            Some(folder) => Cases::load(folder, self.secret.as_deref())?,
            None => Cases::BuiltIn,
        };
        let report = check::run(&self.which.read()?, &cases);
        let text = match self.json {
            true => format!("{}\n", report.to_json()),
            false => report.to_string(),
        };
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(text.as_bytes())
            .context("standard output cannot be written")?;
        Ok(match report.is_passed() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(REFUSED),
        })
    }
}

impl Which {
    fn load(&self) -> Result<Plugin> {
        Plugin::new(&self.read()?).with_context(|| format!("{} cannot be run", self.name))
    }

    fn read(&self) -> Result<Vec<u8>> {
        let path = self.find()?;
        std::fs::read(&path).with_context(|| {
            format!(
                "{} cannot be read; run `chatly build` first",
                path.display()
            )
        })
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
