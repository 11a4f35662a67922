//! A real PostgreSQL: on a free loopback port, with a folder of its own, ended when dropped.
//! Where none is installed, a test says so on one line and passes; `.ci/run` installs it, so that
//! there nothing is skipped.
//!
//! PostgreSQL refuses to run as root, so root runs it as `postgres`, the user of Debian's package.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

/// The longest wait for a server to listen.
const BOUND: Duration = Duration::from_secs(60);

/// How often to try, as the port may be taken before the server has it.
const TRIES: u32 = 5;

/// A running server with the database `postgres` and the user and password below.
pub struct Postgres {
    server: Child,
    programs: PathBuf,
    port: u16,
    folder: TempDir,
    owner: Option<Owner>,
}

/// Who runs it when root may not.
#[derive(Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

impl Postgres {
    /// The superuser.
    pub const USER: &str = "chatly";

    /// Its password.
    pub const PASSWORD: &str = "qZ4database-password-62";

    /// A server, or nothing where none is installed.
    ///
    /// # Errors
    /// When it is there and does not start.
    pub fn start() -> Result<Option<Self>> {
        Self::start_with(|_folder| Ok(Vec::new()))
    }

    /// The same with settings, `name=value`. `prepare` gets the server's folder first and may put
    /// files there.
    ///
    /// # Errors
    /// When it is there and does not start, or as `prepare`.
    pub fn start_with(prepare: impl FnOnce(&Path) -> Result<Vec<String>>) -> Result<Option<Self>> {
        let Some(programs) = programs() else {
            return crate::skip("PostgreSQL");
        };
        let folder = tempfile::tempdir()?;
        let owner = owner()?;
        let settings = prepare(folder.path())?;
        let password = folder.path().join("password");
        std::fs::write(&password, Self::PASSWORD)?;
        give(folder.path(), owner)?;
        for file in std::fs::read_dir(folder.path())? {
            give(&file?.path(), owner)?;
        }
        let data = folder.path().join("data");
        let mut init = command(&programs.join("initdb"), owner);
        init.args(["--no-sync", "--no-locale", "--encoding=UTF8"])
            .args(["--auth=scram-sha-256", "--username", Self::USER])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(&data);
        let output = init.output().context("initdb does not start")?;
        ensure!(
            output.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        for _ in 0..TRIES {
            let port = free_port()?;
            let mut server = command(&programs.join("postgres"), owner);
            server.arg("-D").arg(&data).args(["-p", &port.to_string()]);
            let usual = [
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "fsync=off",
            ];
            for setting in usual.into_iter().chain(settings.iter().map(String::as_str)) {
                server.args(["-c", setting]);
            }
            let mut server = server.spawn().context("postgres does not start")?;
            if listens(&mut server, &programs, port)? {
                return Ok(Some(Self {
                    server,
                    programs,
                    port,
                    folder,
                    owner,
                }));
            }
        }
        bail!("postgres ended {TRIES} times")
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder, with what `prepare` put there.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What to connect to, as a URL.
    pub fn url(&self) -> String {
        let (user, password, port) = (Self::USER, Self::PASSWORD, self.port);
        format!("postgres://{user}:{password}@127.0.0.1:{port}/postgres")
    }

    /// Ends it as a crash would: no connection is told to finish what it does.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn crash(&mut self) -> Result<()> {
        let mut stop = command(&self.programs.join("pg_ctl"), self.owner);
        stop.args(["stop", "--mode=immediate", "--silent", "--pgdata"])
            .arg(self.folder.path().join("data"));
        let status = stop.status()?;
        ensure!(status.success(), "pg_ctl ended with {status}");
        self.server.wait()?;
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if matches!(self.server.try_wait(), Ok(None)) && self.crash().is_err() {
            _ = self.server.kill();
            _ = self.server.wait();
        }
    }
}

/// Where `initdb` and `postgres` are: Debian's folder of the highest version, or the path.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let version = version.ok()?;
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = found.into_iter().rev().map(|(_, folder)| folder);
    let mut folders = folders.chain(std::env::split_paths(&path));
    folders.find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// Nobody else, or `postgres` when this is root.
fn owner() -> Result<Option<Owner>> {
    use std::os::unix::fs::MetadataExt as _;
    // A new folder belongs to whoever runs this.
    if tempfile::tempdir()?.path().metadata()?.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let user = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        (name == "postgres").then_some(Owner { user, group })
    });
    user.map(Some).context("there is no user postgres")
}

fn give(path: &Path, owner: Option<Owner>) -> Result<()> {
    if let Some(owner) = owner {
        std::os::unix::fs::chown(path, Some(owner.user), Some(owner.group))?;
    }
    Ok(())
}

fn command(program: &Path, owner: Option<Owner>) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if program.ends_with("postgres") {
        // Its log: nobody reads it, and a full pipe would stop it.
        command.stderr(Stdio::null());
    }
    if let Some(owner) = owner {
        command.uid(owner.user).gid(owner.group);
    }
    command
}

/// Waits until it answers; false when it ended instead.
fn listens(server: &mut Child, programs: &Path, port: u16) -> Result<bool> {
    let since = Instant::now();
    loop {
        let mut ready = Command::new(programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
        if ready.status()?.success() {
            return Ok(true);
        }
        if server.try_wait()?.is_some() {
            return Ok(false);
        }
        ensure!(since.elapsed() < BOUND, "postgres does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
