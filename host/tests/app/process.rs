//! The `chatly` program as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::host::{component, get, manifest};

/// Ends the process with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Whatever reads the log, a pipe to `tee` or a log shipper, can die before the host does.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_log_nobody_reads_any_more_goes_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    manifest(folder.path(), &component("unread", r#""/...""#, ""))?;
    let mut process = Process(
        Command::new(env!("CARGO_BIN_EXE_chatly"))
            .args(["up", "--no-build", "--listen", "127.0.0.1:0", "--from"])
            .arg(folder.path())
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?,
    );
    drop(process.0.stderr.take());
    let mut stdout = BufReader::new(process.0.stdout.take().context("no standard output")?);
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let address = line
        .trim_end()
        .strip_prefix("listening on http://")
        .with_context(|| line.clone())?
        .parse()?;
    for _ in 0..3 {
        assert_eq!(get(address, "/seen").await?.status, 200);
    }
    let stop = Command::new("kill")
        .arg(process.0.id().to_string())
        .status()?;
    ensure!(stop.success(), "not stopped");
    assert_eq!(process.0.wait()?.code(), Some(0));
    Ok(())
}
