//! `rules`: checks a file of rules, without a running app.
//!
//! Exit codes: 0 all rules are sound, 1 some are not, 2 the file cannot be read.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::USAGE;

/// Checks routing rules.
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
}

/// Runs `rules`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Command::Check { file } = &args.command;
    let name = file.display().to_string();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            writeln!(io::stderr(), "error: {name}: {error}")?;
            return Ok(ExitCode::from(USAGE));
        }
    };
    let mut out = io::stdout().lock();
    match chatly_rules::check_file(&name, &text) {
        Ok(rules) => {
            for rule in &rules {
                let off = if rule.enabled { "" } else { " (off)" };
                writeln!(out, "{:>6}  {}{off}", rule.priority, rule.name)?;
            }
            writeln!(out, "{name}: {} rules, all sound", rules.len())?;
            Ok(ExitCode::SUCCESS)
        }
        Err(defects) => {
            for defect in &defects {
                writeln!(out, "{defect}")?;
            }
            Ok(ExitCode::FAILURE)
        }
    }
}
