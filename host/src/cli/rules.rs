//! `rules`: checks a file of rules and runs its tests, without a running app or, with `--against`,
//! over the messages of one.
//!
//! Exit codes: 0 all is sound, 1 something is not, 2 the file cannot be read.

mod against;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use chatly_rules::file::Contents;
use serde_json::{Value, json};

use super::USAGE;

/// Checks and tests routing rules.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Checks a file of rules: fields, conditions, cost.
    Check {
        /// The file, a rules.toml.
        file: PathBuf,
    },
    /// Runs the tests of a file: facts in, rules and actions out.
    #[command(after_help = "A test stands beside the rules of the file:\n\n  \
        [[test]]\n  \
        name = \"a price question goes to sales\"\n  \
        facts = { enrichment = { intent = \"pricing\" } }\n  \
        actions = [{ do = \"assign\", to = \"sales\" }]")]
    Test {
        /// The file, a rules.toml.
        file: PathBuf,
        /// Print one JSON object instead: `passed`, `failed`, and `tests` with `name`, `line`, `failures`
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        against: Box<against::Against>,
    },
}

/// Runs `rules`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (Command::Check { file } | Command::Test { file, .. }) = &args.command;
    let name = file.display().to_string();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            writeln!(io::stderr(), "error: {name}: {error}")?;
            return Ok(ExitCode::from(USAGE));
        }
    };
    let contents = match chatly_rules::read_file(&name, &text) {
        Ok(contents) => contents,
        Err(defects) => {
            let mut out = io::stdout().lock();
            for defect in &defects {
                writeln!(out, "{defect}")?;
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    match &args.command {
        Command::Check { .. } => check(&name, &contents),
        Command::Test { json, against, .. } if against.is_wanted() => against.run(&text, *json),
        Command::Test { json, .. } => test(&name, &contents, *json),
    }
}

fn check(name: &str, contents: &Contents) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    for rule in &contents.rules {
        let off = if rule.enabled { "" } else { " (off)" };
        writeln!(out, "{:>6}  {}{off}", rule.priority, rule.name)?;
    }
    let rules = contents.rules.len();
    writeln!(out, "{name}: {rules} rules, all sound")?;
    Ok(ExitCode::SUCCESS)
}

fn test(name: &str, contents: &Contents, as_json: bool) -> anyhow::Result<ExitCode> {
    let results = contents
        .tests
        .iter()
        .map(|test| (test, test.run(&contents.rules)));
    let results: Vec<_> = results.collect();
    let failed = results
        .iter()
        .filter(|(_, failures)| !failures.is_empty())
        .count();
    let passed = results.len() - failed;
    let mut out = io::stdout().lock();
    if as_json {
        let tests = results.iter().map(|(test, failures)| {
            json!({ "name": test.name, "line": test.line, "failures": failures })
        });
        let tests: Vec<Value> = tests.collect();
        let report = json!({ "passed": passed, "failed": failed, "tests": tests });
        writeln!(out, "{report}")?;
    } else {
        for (test, failures) in &results {
            let word = if failures.is_empty() { "ok" } else { "FAILED" };
            writeln!(out, "{word:<6}  {}", test.name)?;
            for failure in failures {
                writeln!(out, "        {name}:{}: {failure}", test.line)?;
            }
        }
        writeln!(out, "{name}: {passed} passed, {failed} failed")?;
    }
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
