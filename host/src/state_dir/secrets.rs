//! The secrets that a state dir makes for itself.
//!
//! 1. A local secret is 32 random bytes in the form that its variable asks for (hex, `whsec_…`, or an
//!    Ed25519 key whose private half is kept beside it), made once and kept in `secrets.toml`, which only its owner may read. An existing value never changes.
//! 2. The file is replaced as a whole, so a crash leaves the old one or the new one.
//!
//! It does not decide which variables need a local secret; see [`wanting_local_secrets`].

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chatly_signature::ed25519;

use super::{Error, StateDir, io_error, not_private, secrets_file};
use crate::manifest::{LocalSecret, Manifest, Variable};
use crate::private_folder;

/// As much as a key of HMAC-SHA-256 can use (RFC 2104 section 3).
const SECRET_BYTES: usize = 32;

const SECRETS_HEAD: &str = "# Local secrets, made by `chatly up` for variables that had no value. Used by this\n\
                            # state dir only; delete a line to get a new one.\n";

impl StateDir {
    /// The local secrets, with a new one for each of `names` that has none yet.
    pub fn ensure_secrets(&self, names: &[(String, LocalSecret)]) -> Result<Secrets, Error> {
        let mut values = read_secrets(&self.root)?;
        let mut generated = Vec::new();
        for (name, form) in names {
            if !values.contains_key(name) {
                make_up(&mut values, name, *form)?;
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

/// The variables that get a local secret where nothing gives them a value: those that are secret
/// and required, and those that the manifest lists in `local_secrets`.
pub fn wanting_local_secrets(
    manifest: &Manifest,
    has_value: impl Fn(&str) -> bool,
) -> Vec<(String, LocalSecret)> {
    let listed = &manifest.application.local_secrets;
    let form = |(name, variable): (&String, &Variable)| {
        let required = variable.secret && variable.required;
        let form = listed.get(name).copied();
        let form = form.or(required.then_some(LocalSecret::Token))?;
        (!has_value(name)).then(|| (name.clone(), form))
    };
    manifest.variables.iter().filter_map(form).collect()
}

/// Where the private key is kept that belongs to the public one of the variable `name`: whoever
/// plays the other side signs with it.
pub fn signing_key_name(name: &str) -> String {
    format!("{name}_signing_key")
}

/// Reads the local secrets in the state dir `root` without holding it; empty when there are none.
pub fn read_secrets(root: &Path) -> Result<BTreeMap<String, String>, Error> {
    private_folder::ensure_if_present(root).map_err(not_private(root))?;
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

/// A new value for `name`, and what belongs to it.
fn make_up(
    values: &mut BTreeMap<String, String>,
    name: &str,
    form: LocalSecret,
) -> Result<(), Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    let value = match form {
        LocalSecret::Token => hex::encode(bytes),
        LocalSecret::StandardWebhooks => format!("whsec_{}", BASE64_STANDARD.encode(bytes)),
        LocalSecret::Ed25519 => {
            values.insert(signing_key_name(name), hex::encode(bytes));
            hex::encode(ed25519::public_key(&bytes))
        }
    };
    values.insert(name.to_owned(), value);
    Ok(())
}

#[cfg(unix)]
fn refuse_exposed(file: &File, path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata().map_err(io_error(path))?;
    let (owner, us) = (metadata.uid(), private_folder::our_user());
    if owner != us {
        // Put there while others could write to the folder.
        return Err(not_private(path)(private_folder::Error::Foreign {
            owner,
            us,
        }));
    }
    if metadata.mode() & 0o077 == 0 {
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

    fn names(names: &[&str]) -> Vec<(String, LocalSecret)> {
        let named = |name: &&str| ((*name).to_owned(), LocalSecret::Token);
        names.iter().map(named).collect()
    }

    #[test]
    fn a_secret_has_the_form_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::open(folder.path()).unwrap();
        let secrets = state_dir
            .ensure_secrets(&[
                ("webhook".to_owned(), LocalSecret::StandardWebhooks),
                ("key".to_owned(), LocalSecret::Ed25519),
            ])
            .unwrap();
        let webhook = secrets.get("webhook").unwrap();
        let bytes = BASE64_STANDARD.decode(webhook.strip_prefix("whsec_").unwrap());
        assert_eq!(bytes.unwrap().len(), SECRET_BYTES);
        let mut seed = [0; SECRET_BYTES];
        let private = secrets.get(&signing_key_name("key")).unwrap();
        hex::decode_to_slice(private, &mut seed).unwrap();
        let public = hex::encode(ed25519::public_key(&seed));
        assert_eq!(secrets.get("key"), Some(public.as_str()));
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

    #[cfg(unix)]
    #[test]
    fn secrets_of_another_user_are_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::open(folder.path()).unwrap();
        state_dir.ensure_secrets(&names(&["a"])).unwrap();
        // Only root can give a file away, and only root could read it then.
        if std::os::unix::fs::chown(state_dir.secrets_file(), Some(12_345), None).is_err() {
            return;
        }
        let error = state_dir.ensure_secrets(&[]).unwrap_err();
        assert!(matches!(error, Error::Foreign { us: 0, .. }), "{error}");
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
    fn required_and_listed_secrets_without_a_value_want_a_local_one() {
        let text = "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\n\
                    application.tool.chatly.local_secrets.listed = \"ed25519\"\n\
                    [variables]\n\
                    listed = { default = \"\", secret = true }\n\
                    plain = { required = true }\n\
                    optional = { default = \"\", secret = true }\n\
                    given = { required = true, secret = true }\n\
                    wanted = { required = true, secret = true }\n";
        let manifest = Manifest::parse(text, Path::new("/app/spin.toml")).unwrap();
        assert_eq!(
            wanting_local_secrets(&manifest, |name| name == "given"),
            [
                ("listed".to_owned(), LocalSecret::Ed25519),
                ("wanted".to_owned(), LocalSecret::Token)
            ]
        );
    }
}
