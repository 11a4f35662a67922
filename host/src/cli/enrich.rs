//! `chatly enrich`: what the offline baseline makes of a text, and how good it is.
//!
//! Calls the baseline's crate itself, so neither needs a running application nor sends anything.

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use chatly_baseline::evaluate::{Report, evaluate};
use chatly_baseline::{Request, Role, Turn, enrich};

use super::USAGE;

/// Understand a text, or measure how well texts are understood.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print what the baseline makes of one text, as JSON.
    Run(Run),
    /// Hold the baseline against a file of labelled messages.
    Eval(Eval),
}

#[derive(Debug, clap::Args)]
struct Run {
    /// The text; standard input when left out.
    text: Option<String>,
    /// The IANA time zone in which "tomorrow" is meant.
    #[arg(long)]
    time_zone: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Eval {
    /// One {"text","language","intent","sentiment"?,"stage"?} a line; - is standard input.
    file: PathBuf,
    /// Print the whole report as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Run(args) => run_one(args),
        Command::Eval(args) => eval(args),
    }
}

fn run_one(args: &Run) -> anyhow::Result<ExitCode> {
    let text = match &args.text {
        Some(text) => text.clone(),
        None => io::read_to_string(io::stdin()).context("standard input is no UTF-8 text")?,
    };
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let now = u64::try_from(millis).unwrap_or(u64::MAX);
    let turn = Turn {
        message_id: "1".to_owned(),
        role: Role::Customer,
        at: now,
        text,
    };
    let request = Request {
        now,
        time_zone: args.time_zone.clone(),
        ..Request::default()
    };
    let read = enrich(&[turn], &request);
    writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&read)?)?;
    Ok(ExitCode::SUCCESS)
}

fn eval(args: &Eval) -> anyhow::Result<ExitCode> {
    let name = args.file.display();
    let file = if args.file.as_os_str() == "-" {
        let mut file = String::new();
        io::stdin().read_to_string(&mut file).map(|_| file)
    } else {
        fs::read_to_string(&args.file)
    };
    let file = file.with_context(|| format!("cannot read {name}"))?;
    let report = match evaluate(&file) {
        Ok(report) => report,
        Err(error) => {
            writeln!(io::stderr(), "error: {name}: {error}")?;
            return Ok(ExitCode::from(USAGE));
        }
    };
    if args.json {
        writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        print(&report)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{} messages", report.messages)?;
    writeln!(
        out,
        "intent     accuracy {:.3}, macro-F1 {:.3}",
        report.accuracy, report.macro_f1
    )?;
    writeln!(out, "language   accuracy {:.3}", report.language_accuracy)?;
    for (what, share) in [
        ("sentiment", report.sentiment_accuracy),
        ("stage", report.stage_accuracy),
    ] {
        if let Some(share) = share {
            writeln!(out, "{what:<10} accuracy {share:.3}")?;
        }
    }
    for (language, share) in &report.languages {
        writeln!(
            out,
            "  {language:<14} {:>4} messages, intent {:.3}",
            share.messages, share.accuracy
        )?;
    }
    for (intent, score) in &report.intents {
        writeln!(
            out,
            "  {intent:<14} {:>4} messages, precision {:.3}, recall {:.3}, F1 {:.3}",
            score.messages, score.precision, score.recall, score.f1
        )?;
    }
    Ok(())
}
