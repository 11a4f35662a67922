//! The `chatly` command line: one file a subcommand.
//!
//! 1. Flags that Spin has mean what they mean there.
//! 2. Results go to standard output; progress, logs and errors to standard error.
//! 3. Exit codes: 0 done, 1 failed, 2 wrong usage. `channel` gives 1 and 2 a meaning of its own.
//! 4. An error says what to do about it.

mod announce;
mod build;
mod channel;
mod enrich;
mod inspect;
mod manifest_file;
mod rules;
mod simulate;
mod up;
mod watch;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::telemetry::Telemetry;

/// Exit code of wrong usage, as clap's own.
const USAGE: u8 = 2;

/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_LOG: &str = "warn,chatly_host=info";

/// Runs WebAssembly edge functions from a spin.toml, and helps to write them.
#[derive(Debug, Parser)]
#[command(
    name = "chatly",
    bin_name = "chatly",
    version,
    arg_required_else_help = true
)]
#[command(
    after_help = "In the repository, `cargo chatly …` builds and runs this program.\n\
    Logs go to standard error; RUST_LOG=debug shows more of them."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Args),
    Build(build::Args),
    Simulate(simulate::Args),
    Inspect(inspect::Args),
    Channel(channel::Args),
    Rules(rules::Args),
    Enrich(enrich::Args),
}

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Only what serves has anything to send.
    let telemetry = match &cli.command {
        Command::Up(_) => Telemetry::from_environment(),
        _ => Ok(Telemetry::default()),
    };
    let telemetry = match telemetry {
        Ok(telemetry) => Arc::new(telemetry),
        Err(error) => {
            print_error(&error);
            return ExitCode::FAILURE;
        }
    };
    log_to_stderr(&telemetry);
    let result = match cli.command {
        // Sent and dropped here in the end, where no runtime is.
        Command::Up(args) => up::run(args, telemetry.clone()),
        Command::Build(args) => build::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Channel(args) => Ok(channel::run(&args)),
        Command::Rules(args) => rules::run(&args),
        Command::Enrich(args) => enrich::run(&args),
    };
    result.unwrap_or_else(|error| {
        print_error(&error);
        ExitCode::FAILURE
    })
}

fn print_error(error: &anyhow::Error) {
    // With standard error gone, the exit code still tells.
    let _ = writeln!(io::stderr(), "error: {error:#}");
}

fn log_filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG))
}

fn log_to_stderr(telemetry: &Telemetry) {
    let stderr = tracing_subscriber::fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        // Else the loss of standard error, to which it would report that, is a panic.
        .log_internal_errors(false)
        .with_filter(log_filter());
    let mut layers = telemetry.layers(log_filter);
    layers.push(stderr.boxed());
    tracing_subscriber::registry().with(layers).init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_every_flag_has_a_help_text() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{}: {argument}",
                    command.get_name()
                );
            }
            for inner in command.get_subcommands() {
                assert!(inner.get_about().is_some(), "{}", inner.get_name());
                check(inner);
            }
        }
        check(&Cli::command());
    }
}
