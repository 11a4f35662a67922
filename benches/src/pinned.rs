//! Processes on a core of their own, by `taskset` of util-linux.

use std::process::{Command, Stdio};

/// Where the measured server runs.
pub const SERVER_CORE: &str = "0";
/// Where the load comes from.
pub const LOAD_CORE: &str = "1";

/// `program` on `core`, without backtraces: they slow down wasmtime's error paths.
pub fn command(core: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program).env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command
}

/// Moves this process, all its threads to come included, to `core`.
pub fn pin_self(core: &str) {
    let id = std::process::id().to_string();
    let moved = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", core, &id])
        .stdout(Stdio::null())
        .status();
    if !moved.is_ok_and(|status| status.success()) {
        eprintln!("not pinned: taskset of util-linux is needed for comparable figures");
    }
}
