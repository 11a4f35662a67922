//! Adds the wasm targets that a build command names and the toolchain lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{progress, tool};

/// The targets that a component is built for.
const WASM_TARGETS: [&str; 3] = ["wasm32-wasip1", "wasm32-wasip2", "wasm32-unknown-unknown"];

/// Why a target is missing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no rustup to add it with.
    #[error(
        "the Rust toolchain lacks the target {0}, and there is no rustup to add it; install rustup (https://rustup.rs), or the target by the means that installed Rust"
    )]
    NoRustup(&'static str),
    /// rustup did not add it.
    #[error("`rustup target add {0}` failed; run it by hand to see why")]
    NotAdded(&'static str),
    /// rustup could not be asked.
    #[error("rustup cannot be run: {0}")]
    Rustup(io::Error),
}

/// Makes sure that the targets named in the commands are installed, for the toolchain of each
/// command's folder. Asks rustup once a folder.
pub(super) fn ensure<'c>(commands: impl Iterator<Item = (&'c Path, &'c str)>) -> Result<(), Error> {
    let mut needed: BTreeMap<&Path, BTreeSet<&'static str>> = BTreeMap::new();
    for (workdir, command) in commands {
        needed
            .entry(workdir)
            .or_default()
            .extend(named_targets(command));
    }
    needed
        .iter()
        // A folder that is missing is reported by the command that should run in it.
        .filter(|(workdir, targets)| !targets.is_empty() && workdir.is_dir())
        .try_for_each(|(workdir, targets)| ensure_in(workdir, targets))
}

fn ensure_in(workdir: &Path, targets: &BTreeSet<&'static str>) -> Result<(), Error> {
    let Some(installed) = installed(workdir)? else {
        return match targets
            .iter()
            .find(|target| !is_in_sysroot(target, workdir))
        {
            Some(missing) => Err(Error::NoRustup(missing)),
            None => Ok(()),
        };
    };
    let is_missing = |target: &&&str| !installed.lines().any(|line| line.trim() == **target);
    for target in targets.iter().filter(is_missing) {
        progress(&format!("adding the Rust target {target}"));
        let status = in_folder("rustup", workdir)
            .args(["target", "add", target])
            .stdout(Stdio::from(io::stderr()))
            .status()
            .map_err(Error::Rustup)?;
        if !status.success() {
            return Err(Error::NotAdded(target));
        }
    }
    Ok(())
}

/// The wasm targets that stand in `command` as words, as in `--target X` and `--target=X`.
fn named_targets(command: &str) -> Vec<&'static str> {
    let is_delimiter = |c: char| c.is_whitespace() || matches!(c, '=' | '"' | '\'' | ';' | '&');
    let words: Vec<&str> = command.split(is_delimiter).collect();
    WASM_TARGETS
        .into_iter()
        .filter(|target| words.contains(target))
        .collect()
}

/// What `rustup target list --installed` prints; `None` without rustup.
fn installed(workdir: &Path) -> Result<Option<String>, Error> {
    let output = in_folder("rustup", workdir)
        .args(["target", "list", "--installed"])
        .stderr(Stdio::inherit())
        .output();
    match output {
        Ok(output) => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Rustup(error)),
    }
}

/// Whether a toolchain that is not rustup's has the target.
fn is_in_sysroot(target: &str, workdir: &Path) -> bool {
    in_folder("rustc", workdir)
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

fn in_folder(program: &str, workdir: &Path) -> Command {
    let mut command = tool(program);
    command.current_dir(workdir).stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_as_words() {
        for (command, want) in [
            (
                "cargo build --target wasm32-wasip2 -p x",
                vec!["wasm32-wasip2"],
            ),
            (
                "cargo build --target=wasm32-unknown-unknown",
                vec!["wasm32-unknown-unknown"],
            ),
            (
                "cargo build --target wasm32-unknown-unknown && cargo build --target wasm32-wasip2",
                vec!["wasm32-wasip2", "wasm32-unknown-unknown"],
            ),
            (
                "sh -c 'cargo build --target \"wasm32-wasip2\"'",
                vec!["wasm32-wasip2"],
            ),
            ("cargo build --target wasm32-wasip1", vec!["wasm32-wasip1"]),
            ("cp target/wasm32-wasip2/release/x.wasm y", vec![]),
            ("cargo build --target wasm32-wasip2-threads", vec![]),
            ("npm run build", vec![]),
        ] {
            assert_eq!(named_targets(command), want, "{command}");
        }
    }
}
