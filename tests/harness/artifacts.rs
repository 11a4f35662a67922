//! What tests run: the `chatly` binary, the app's components, the guests.
#![expect(clippy::expect_used, reason = "without them no test can say anything")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// The repository's folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The `chatly` binary, with the app's components built; both once a process.
pub fn chatly() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let binary = target().join("debug").join("chatly");
        run(Command::new("cargo").args(["build", "--bin", "chatly"])).expect("chatly builds");
        run(Command::new(&binary).arg("build")).expect("the components build");
        binary
    })
}

/// The component of `tests/guests/<name>`, built for `wasm32-wasip2`.
pub fn guest(name: &str) -> Result<PathBuf> {
    guest_for(name, "wasm32-wasip2")
}

/// `tests/guests/<name>`, built for `target`, which is added to the toolchain when it is missing.
pub fn guest_for(name: &str, target_name: &str) -> Result<PathBuf> {
    if target_name != "wasm32-wasip2" {
        run(Command::new("rustup").args(["target", "add", target_name]))?;
    }
    let package = format!("guest-{name}");
    run(Command::new("cargo").args([
        "build",
        "--release",
        "--target",
        target_name,
        "-p",
        &package,
    ]))?;
    Ok(target()
        .join(target_name)
        .join("release")
        .join(format!("{}.wasm", package.replace('-', "_"))))
}

/// The folder that cargo builds into: what runs this lies in its `debug`, a test in `debug/deps`.
fn target() -> PathBuf {
    let exe = std::env::current_exe().expect("a running binary has a path");
    let debug = exe.ancestors().find(|folder| folder.ends_with("debug"));
    let target = debug.and_then(Path::parent);
    target.expect("target/debug").to_owned()
}

fn run(command: &mut Command) -> Result<()> {
    // Variables that cargo sets for what it runs would change the fingerprint of what is built here.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_MANIFEST")
            || name == "RUSTFLAGS"
        {
            command.env_remove(name);
        }
    }
    let output = command
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target())
        .output()
        .with_context(|| format!("{command:?} does not start"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
