//! Processes on a core of their own, by `taskset` of util-linux.

use std::process::{Command, Stdio};

/// Where the measured server runs.
pub const SERVER_CORE: &str = "0";
/// Where the load comes from.
pub const LOAD_CORE: &str = "1";

/// The command that runs another one on `core`.
pub fn launcher(core: &str) -> Vec<String> {
    ["taskset", "--cpu-list", core].map(str::to_owned).into()
}

/// Moves this process, all its threads included, to `core`.
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
