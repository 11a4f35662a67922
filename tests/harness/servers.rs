//! Real servers for the interfaces that reach them: started on a free loopback port with a folder
//! of their own, and ended when dropped. Where one is not installed, a test says so on one line
//! and passes; `.ci/run` installs them, so that there nothing is skipped.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

/// The longest wait for a server to listen.
const BOUND: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    /// A Redis server, or nothing where there is none.
    ///
    /// # Errors
    /// When it is there and does not start.
    pub fn redis() -> Result<Option<Self>> {
        Self::start("redis-server", |_folder, port| {
            let port = port.to_string();
            let arguments = ["--bind", "127.0.0.1", "--port", &port, "--save", ""];
            Ok(arguments.map(str::to_owned).to_vec())
        })
    }

    /// A Mosquitto that lets in whoever comes, or nothing where there is none.
    ///
    /// # Errors
    /// When it is there and does not start.
    pub fn mosquitto() -> Result<Option<Self>> {
        Self::start("mosquitto", |folder, port| {
            let file = folder.join("mosquitto.conf");
            let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\n");
            std::fs::write(&file, text)?;
            Ok(vec!["-c".to_owned(), file.display().to_string()])
        })
    }

    fn start(
        name: &str,
        arguments: impl FnOnce(&Path, u16) -> Result<Vec<String>>,
    ) -> Result<Option<Self>> {
        let Some(program) = find(name) else {
            return skip(name);
        };
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let child = Command::new(program)
            .args(arguments(folder.path(), port)?)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        let mut server = Self {
            child,
            port,
            _folder: folder,
        };
        server.listens(name)?;
        Ok(Some(server))
    }

    /// Waits until it accepts connections.
    fn listens(&mut self, name: &str) -> Result<()> {
        let since = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} ended with {status}");
            }
            if since.elapsed() > BOUND {
                bail!("{name} does not listen");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Says that a test has nothing to run against, or fails where nothing may be skipped.
///
/// # Errors
/// When `CHATLY_TESTS_SKIP_NOTHING` is set, as `.ci/run` does.
pub fn skip<T>(program: &str) -> Result<Option<T>> {
    ensure!(
        std::env::var_os("CHATLY_TESTS_SKIP_NOTHING").is_none(),
        "{program} is not installed, and nothing may be skipped"
    );
    // Not `eprintln!`, which the test runner swallows when the test passes.
    writeln!(std::io::stderr(), "skipped: {program} is not installed")?;
    Ok(None)
}

/// A program on the path, or where Debian puts servers.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// A port on 127.0.0.1 that nobody listens on.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
