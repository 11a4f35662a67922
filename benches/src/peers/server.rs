//! One server under measurement: started pinned, asked until it answers, ended by its process.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::pinned;

/// Time to come up: a first start compiles.
const BOUND: Duration = Duration::from_secs(60);
/// The clock ticks per second of `/proc/PID/stat`: 100 on Linux, whatever the kernel's own rate
/// (proc(5), `sysconf(_SC_CLK_TCK)`).
const TICKS_PER_SEC: f64 = 100.0;

/// A running server.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Runs the command that `make` gives for a free address, and waits until it accepts.
    pub fn start(log: &Path, make: impl FnOnce(SocketAddr) -> Vec<String>) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let command = [pinned::launcher(pinned::SERVER_CORE), make(address)].concat();
        let (program, arguments) = command.split_first().context("a launcher")?;
        let log = std::fs::File::create(log)?;
        let child = Command::new(program)
            .args(arguments)
            .env_remove("RUST_BACKTRACE")
            .env("SPIN_VARIABLE_WHATSAPP_APP_SECRET", super::SECRET)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{command:?} does not start"))?;
        let mut server = Server { child, address };
        server.wait()?;
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time of all its threads so far, user and system, to a hundredth of a second.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold spaces.
        let (_, fields) = stat.rsplit_once(')').context("a stat line")?;
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || -> Result<f64> { Ok(fields.next().context("utime, stime")?.parse()?) };
        Ok(Duration::from_secs_f64(
            (ticks()? + ticks()?) / TICKS_PER_SEC,
        ))
    }

    fn wait(&mut self) -> Result<()> {
        let end = Instant::now() + BOUND;
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            ensure!(Instant::now() < end, "it did not come up within {BOUND:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
