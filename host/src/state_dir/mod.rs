//! The folder in which a running application keeps what outlives it.
//!
//! 1. It holds `sqlite/<label>.db`, `cache/` (compiled components), `logs/`, `secrets.toml`,
//!    `address` (where it listens) and `lock`. Only its owner may look inside: on every use it is
//!    checked to be this user's, and closed to others ([`private_folder`]).
//! 2. One process has it at a time: `lock` is held (by the system, so a crash frees it) for as
//!    long as the [`StateDir`] lives, and names its holder's process.
//! 3. Local secrets are the matter of [`secrets`].

mod secrets;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::private_folder;

pub use secrets::{Secrets, read_secrets, signing_key_name, wanting_local_secrets};

/// Its name beside the manifest, when nobody names another.
pub const DEFAULT_NAME: &str = ".chatly";

/// Why a state dir cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it.
    #[error(
        "{}: in use by another `chatly up`{}; stop that one, or give this one a folder of its own with --state-dir",
        path.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The state dir.
        path: PathBuf,
        /// The other process, when it had time to say so.
        pid: Option<u32>,
    },
    /// A file in it is not accessible.
    #[error("{}: {source}; check the folder's owner and rights, or name another with --state-dir", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder, or the secrets in it, belong to another user.
    #[error(
        "{}: {cause}; name a folder of your own with --state-dir, or run `chown {us} {}` if you trust what is in it",
        path.display(),
        path.display()
    )]
    Foreign {
        /// The folder or file.
        path: PathBuf,
        /// Whose it is.
        cause: private_folder::Error,
        /// The number of this process's user.
        us: u32,
    },
    /// Others than the owner may read the secrets.
    #[error("{}: other users may read it; run `chmod 600 {}`", .0.display(), .0.display())]
    Exposed(PathBuf),
    /// The secrets are no table of strings.
    #[error("{}: must hold lines like `name = \"value\"`; mend it, or remove it to get new secrets", .0.display())]
    Malformed(PathBuf),
    /// The system gave no random bytes.
    #[error("no random bytes for a local secret: {0}")]
    Random(getrandom::Error),
}

/// An open state dir, held by this process.
#[derive(Debug)]
pub struct StateDir {
    root: PathBuf,
    /// Held until dropped.
    _lock: File,
}

impl StateDir {
    /// Opens the folder `root`, making it when absent, and holds its lock.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let root = std::path::absolute(root).map_err(io_error(root))?;
        make_private(&root)?;
        let lock = lock(&root)?;
        let state_dir = Self { root, _lock: lock };
        for folder in [
            state_dir.sqlite_dir(),
            state_dir.cache_dir(),
            state_dir.log_dir(),
        ] {
            fs::create_dir_all(&folder).map_err(io_error(&folder))?;
        }
        Ok(state_dir)
    }

    /// Its absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the SQLite files.
    pub fn sqlite_dir(&self) -> PathBuf {
        self.root.join("sqlite")
    }

    /// The file of the SQLite database `label`, a name that the manifest has checked.
    pub fn sqlite_file(&self, label: &str) -> PathBuf {
        self.sqlite_dir().join(format!("{label}.db"))
    }

    /// The folder of the compiled components.
    pub fn cache_dir(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// The folder of the components' output.
    pub fn log_dir(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The file of the local secrets.
    pub fn secrets_file(&self) -> PathBuf {
        secrets_file(&self.root)
    }

    /// The file that says where the application listens.
    pub fn address_file(&self) -> PathBuf {
        address_file(&self.root)
    }
}

/// Makes the state dir `root` exist, and this user's alone, without holding it.
///
/// # Errors
/// [`Error::Foreign`] and [`Error::Io`].
pub fn make_private(root: &Path) -> Result<(), Error> {
    private_folder::ensure(root).map_err(not_private(root))?;
    Ok(())
}

/// Notes where the application listens, in its [`StateDir::address_file`].
pub fn write_address(file: &Path, address: SocketAddr) -> Result<(), Error> {
    fs::write(file, format!("{address}\n")).map_err(io_error(file))
}

/// Where the application of the state dir `root` listens, or last did; `None` when it never has.
pub fn read_address(root: &Path) -> Result<Option<SocketAddr>, Error> {
    private_folder::ensure_if_present(root).map_err(not_private(root))?;
    let path = address_file(root);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(&path)(error)),
    }
}

fn address_file(root: &Path) -> PathBuf {
    root.join("address")
}

fn secrets_file(root: &Path) -> PathBuf {
    root.join("secrets.toml")
}

/// What is wrong with a folder that is not ours alone.
fn not_private(path: &Path) -> impl FnOnce(private_folder::Error) -> Error + use<> {
    let path = path.to_owned();
    |cause| match cause {
        private_folder::Error::Io(source) => Error::Io { path, source },
        private_folder::Error::Foreign { us, .. } => Error::Foreign { path, cause, us },
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    |source| Error::Io { path, source }
}

fn lock(root: &Path) -> Result<File, Error> {
    let path = root.join("lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&path).map_err(io_error(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Without its name the message still says what to do.
            let _ = file.read_to_string(&mut holder);
            return Err(Error::InUse {
                path: root.to_owned(),
                pid: holder.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(io_error(&path)(error)),
    }
    file.set_len(0).map_err(io_error(&path))?;
    writeln!(file, "{}", std::process::id()).map_err(io_error(&path))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_refused_and_told_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("state");
        let first = StateDir::open(&root).unwrap();
        let error = StateDir::open(&root).unwrap_err().to_string();
        let want = format!(
            "{}: in use by another `chatly up` (process {}); stop that one, or give this one a folder of its own with --state-dir",
            root.display(),
            std::process::id()
        );
        assert_eq!(error, want);
        drop(first);
        StateDir::open(&root).expect("the first one let go");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = StateDir::open(&file.join("state")).unwrap_err().to_string();
        assert!(
            error.starts_with(&file.join("state").display().to_string()),
            "{error}"
        );
        assert!(
            error.ends_with("or name another with --state-dir"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_could_see_is_closed_by_every_use() {
        use std::os::unix::fs::PermissionsExt as _;
        let address = "127.0.0.1:1".parse().unwrap();
        type Use = fn(&Path);
        let uses: [(&str, Use); 3] = [
            ("open", |root| drop(StateDir::open(root).unwrap())),
            ("read_secrets", |root| drop(read_secrets(root).unwrap())),
            ("read_address", |root| {
                read_address(root).unwrap();
            }),
        ];
        for (name, used) in uses {
            let folder = tempfile::tempdir().unwrap();
            write_address(&address_file(folder.path()), address).unwrap();
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
            used(folder.path());
            let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{name}");
        }
    }

    #[test]
    fn a_folder_of_another_user_is_refused_with_what_to_do() {
        let cause = private_folder::Error::Foreign { owner: 7, us: 0 };
        assert_eq!(
            not_private(Path::new("/s"))(cause).to_string(),
            "/s: it belongs to user 7, and this process runs as user 0; name a folder of your own \
             with --state-dir, or run `chown 0 /s` if you trust what is in it"
        );
    }
}
