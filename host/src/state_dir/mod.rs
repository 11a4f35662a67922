//! The folder in which a running application keeps what outlives it.
//!
//! 1. It holds `sqlite/<label>.db`, `cache/` (compiled components), `logs/`, `secrets.toml`,
//!    `address` (where it listens) and `lock`. Only its owner may look inside.
//! 2. One process has it at a time: `lock` is held (by the system, so a crash frees it) for as
//!    long as the [`StateDir`] lives, and names its holder's process.
//! 3. A local secret is 32 random bytes in hex, made once for each variable that asks for one and
//!    kept in `secrets.toml`, which only its owner may read. An existing value never changes.
//!
//! It does not decide which variables need a local secret; see [`wanting_local_secrets`].

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::manifest::Manifest;

/// Its name beside the manifest, when nobody names another.
pub const DEFAULT_NAME: &str = ".chatly";

/// As much as a key of HMAC-SHA-256 can use (RFC 2104 section 3).
const SECRET_BYTES: usize = 32;

const SECRETS_HEAD: &str = "# Local secrets, made by `chatly up` for variables that had no value. Used by this\n\
                            # state dir only; delete a line to get a new one.\n";

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
        create_private_folder(&root)?;
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

    /// The local secrets, with a new one for each of `names` that has none yet.
    pub fn ensure_secrets(&self, names: &[String]) -> Result<Secrets, Error> {
        let mut values = read_secrets(&self.root)?;
        let mut generated = Vec::new();
        for name in names {
            if !values.contains_key(name) {
                values.insert(name.clone(), random_secret()?);
                generated.push(name.clone());
            }
        }
        if !generated.is_empty() {
            write_secrets(&self.root, &values)?;
        }
        Ok(Secrets { values, generated })
    }
}

/// Local secrets. Their values show only through [`Self::get`].
pub struct Secrets {
    values: BTreeMap<String, String>,
    generated: Vec<String>,
}

impl Secrets {
    /// The value for the variable `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The variables whose secret was made by this call.
    pub fn generated(&self) -> &[String] {
        &self.generated
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.values.keys().map(|name| (name, "[redacted]")))
            .finish()
    }
}

/// The variables that get a local secret: secret and required, and without a value from anywhere.
pub fn wanting_local_secrets(manifest: &Manifest, has_value: impl Fn(&str) -> bool) -> Vec<String> {
    let wants = |name: &&String| !has_value(name);
    let declared = manifest.variables.iter();
    declared
        .filter(|(_, variable)| variable.secret && variable.required)
        .map(|(name, _)| name)
        .filter(wants)
        .cloned()
        .collect()
}

/// Reads the local secrets in the state dir `root` without holding it; empty when there are none.
pub fn read_secrets(root: &Path) -> Result<BTreeMap<String, String>, Error> {
    let path = secrets_file(root);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(io_error(&path)(error)),
    };
    refuse_exposed(&file, &path)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(io_error(&path))?;
    toml::from_str(&text).map_err(|_| Error::Malformed(path))
}

/// Notes where the application listens, in its [`StateDir::address_file`].
pub fn write_address(file: &Path, address: SocketAddr) -> Result<(), Error> {
    fs::write(file, format!("{address}\n")).map_err(io_error(file))
}

/// Where the application of the state dir `root` listens, or last did; `None` when it never has.
pub fn read_address(root: &Path) -> Result<Option<SocketAddr>, Error> {
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

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    |source| Error::Io { path, source }
}

/// Writes a file beside the old one and puts it in its place, so that a crash leaves one or the
/// other.
fn write_secrets(root: &Path, values: &BTreeMap<String, String>) -> Result<(), Error> {
    let (path, fresh) = (secrets_file(root), root.join("secrets.toml.new"));
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error(&fresh)(error));
        }
        _ => {}
    }
    let lines = values
        .iter()
        .map(|(name, value)| format!("{name} = {value:?}\n"));
    let text = SECRETS_HEAD.to_owned() + &lines.collect::<String>();
    let mut options = OpenOptions::new();
    // `create_new` refuses a file or link that somebody else put there in between.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh).map_err(io_error(&fresh))?;
    file.write_all(text.as_bytes()).map_err(io_error(&fresh))?;
    file.sync_all().map_err(io_error(&fresh))?;
    fs::rename(&fresh, &path).map_err(io_error(&path))
}

fn random_secret() -> Result<String, Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(hex::encode(bytes))
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

#[cfg(unix)]
fn create_private_folder(root: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(root).map_err(io_error(root))
}

#[cfg(not(unix))]
fn create_private_folder(root: &Path) -> Result<(), Error> {
    fs::create_dir_all(root).map_err(io_error(root))
}

#[cfg(unix)]
fn refuse_exposed(file: &File, path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file
        .metadata()
        .map_err(io_error(path))?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(Error::Exposed(path.to_owned()))
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_file: &File, _path: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

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
    fn secrets_are_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::open(folder.path()).unwrap();
        let first = state_dir.ensure_secrets(&names(&["a", "b"])).unwrap();
        assert_eq!(first.generated(), ["a", "b"]);
        let again = state_dir.ensure_secrets(&names(&["a", "b"])).unwrap();
        assert_eq!(again.generated(), [""; 0]);
        assert_eq!(first.get("a"), again.get("a"));
        assert_ne!(first.get("a"), first.get("b"));
        assert_eq!(first.get("a").map(str::len), Some(64));
        let more = state_dir.ensure_secrets(&names(&["b", "c"])).unwrap();
        assert_eq!(more.generated(), ["c"]);
        assert_eq!(more.get("a"), first.get("a"));
        let read = read_secrets(folder.path()).unwrap();
        assert_eq!(read.get("c").map(String::as_str), more.get("c"));
    }

    #[test]
    fn without_names_no_file_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::open(folder.path()).unwrap();
        state_dir.ensure_secrets(&[]).unwrap();
        assert!(!state_dir.secrets_file().exists());
        assert!(read_secrets(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::open(folder.path()).unwrap();
        let secrets = state_dir.ensure_secrets(&names(&["a"])).unwrap();
        assert_eq!(format!("{secrets:?}"), r#"{"a": "[redacted]"}"#);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_secrets() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("deep/state");
        let state_dir = StateDir::open(&root).unwrap();
        state_dir.ensure_secrets(&names(&["a"])).unwrap();
        let path = state_dir.secrets_file();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&root), mode(&path)), (0o700, 0o600));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = state_dir.ensure_secrets(&[]).unwrap_err().to_string();
        let path = path.display();
        assert_eq!(
            error,
            format!("{path}: other users may read it; run `chmod 600 {path}`")
        );
    }

    #[test]
    fn a_broken_file_is_named_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::open(folder.path()).unwrap();
        state_dir.ensure_secrets(&names(&["a"])).unwrap();
        let path = state_dir.secrets_file();
        for broken in ["a = 5\n", "a =", "[a]\nb = \"c\"\n"] {
            fs::write(&path, broken).unwrap();
            let error = state_dir.ensure_secrets(&names(&["b"])).unwrap_err();
            assert!(matches!(error, Error::Malformed(_)), "{broken}: {error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), broken);
        }
    }

    #[test]
    fn a_leftover_of_a_crash_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::open(folder.path()).unwrap();
        fs::write(folder.path().join("secrets.toml.new"), "half").unwrap();
        let secrets = state_dir.ensure_secrets(&names(&["a"])).unwrap();
        assert_eq!(
            read_secrets(folder.path()).unwrap()["a"],
            secrets.get("a").unwrap()
        );
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

    #[test]
    fn required_secrets_without_a_value_want_a_local_one() {
        let text = "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\n\
                    [variables]\n\
                    plain = { required = true }\n\
                    optional = { default = \"\", secret = true }\n\
                    given = { required = true, secret = true }\n\
                    wanted = { required = true, secret = true }\n";
        let manifest = Manifest::parse(text, Path::new("/app/spin.toml")).unwrap();
        assert_eq!(
            wanting_local_secrets(&manifest, |name| name == "given"),
            ["wanted"]
        );
    }
}
