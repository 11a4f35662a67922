//! Compiled components, kept by content so that a second start does not compile again.
//!
//! 1. The key of a compiled component is the SHA-256 of its bytes and of everything the engine says
//!    its machine code depends on (wasmtime's version, the settings, the target), so an upgrade or
//!    another setting never meets an old file.
//! 2. A composition is remembered too: a small file, named by the digest of what was composed and
//!    by this very build of the host, holds the key of what came out. So composing, fencing and
//!    hashing megabytes is skipped as long as neither the parts nor the host change.
//! 3. A compiled file holds the artifact, then its CRC-32. One whose sum does not match, or that
//!    wasmtime refuses, is compiled anew and replaced.
//! 4. The artifact is mapped, not read: what no request touches takes no memory, and starts share
//!    it in the page cache. Nothing writes to a file that has its name: replacing is renaming.
//!
//! It never deletes what is out of date: entries of another key are simply not read.
//!
//! **Why loading is sound.** `Component::deserialize_file` runs what it maps as machine code, so it
//! must only map what this host wrote. The folder is made 0700 and owned by us before anything is
//! read (a folder of somebody else's cannot be changed and is an error), and entries of a folder
//! that others could write to until now are thrown away. The checksum is against torn and rotten
//! files, not against an attacker who already writes as our user.

use std::fs;
use std::hash::{Hash as _, Hasher};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::compose::Digest;

/// Length of the checksum at the end of a compiled file: CRC-32.
const SUM_BYTES: usize = 4;
/// What is read at once to check a file: fits the second-level cache of a core.
const CHUNK_BYTES: usize = 128 * 1024;

/// Ending of a compiled component.
const COMPILED: &str = "code";
/// Ending of the key of a composition.
const COMPOSED: &str = "key";

/// A folder of compiled components.
#[derive(Debug)]
pub struct Cache<'e> {
    engine: &'e Engine,
    dir: PathBuf,
    compatibility: Digest,
    host: Digest,
}

impl<'e> Cache<'e> {
    /// The cache in `dir`, which must be a folder of its own: it is created and closed to other
    /// users.
    ///
    /// # Errors
    /// When `dir` cannot be made private to this user.
    pub fn open(engine: &'e Engine, dir: PathBuf) -> anyhow::Result<Self> {
        make_private(&dir).with_context(|| format!("cannot use {} as a cache", dir.display()))?;
        let mut compatibility = Sum(Sha256::new());
        engine
            .precompile_compatibility_hash()
            .hash(&mut compatibility);
        Ok(Self {
            engine,
            dir,
            compatibility: compatibility.0.finalize().into(),
            host: this_build(),
        })
    }

    /// Loads the composition of the parts that have the digest `parts`. `compose` is called when
    /// it is not known here: it gives the composed component, and the digest of the parts as they
    /// are after reading them. Only if that is still the same is the composition remembered.
    ///
    /// # Errors
    /// Those of `compose`, and when what it gives is no valid component. A cache that cannot be
    /// written to is only logged.
    pub fn composed(
        &self,
        parts: &Digest,
        compose: impl FnOnce() -> anyhow::Result<(Vec<u8>, Digest)>,
    ) -> anyhow::Result<Component> {
        let known = fs::read_to_string(self.composition(parts)).ok();
        if let Some(component) = known.and_then(|key| self.read(&self.compiled(&key)?)) {
            return Ok(component);
        }
        let (bytes, read) = compose()?;
        let (component, key) = self.load(&bytes)?;
        let path = self.composition(parts);
        if read == *parts
            && let Err(error) = write(&path, &[key.as_bytes()])
        {
            tracing::warn!(path = %path.display(), %error, "composition not remembered");
        }
        Ok(component)
    }

    /// Compiles `bytes`, or loads what an earlier call left; and its key.
    fn load(&self, bytes: &[u8]) -> anyhow::Result<(Component, String)> {
        let key = self.key(bytes);
        let path = self.dir.join(&key).with_extension(COMPILED);
        if let Some(component) = self.read(&path) {
            return Ok((component, key));
        }
        let component = Component::new(self.engine, bytes)
            .map_err(anyhow::Error::from)
            .context("cannot compile the component")?;
        match store(&component, &path) {
            // Mapped, what was just compiled takes less memory too.
            Ok(()) => Ok((self.read(&path).unwrap_or(component), key)),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled component not cached");
                Ok((component, key))
            }
        }
    }

    /// The name of the file for `bytes`, in hexadecimal.
    fn key(&self, bytes: &[u8]) -> String {
        let mut sum = Sha256::new();
        sum.update(self.compatibility);
        sum.update(Sha256::digest(bytes));
        hex::encode(sum.finalize())
    }

    /// The file of a key that was read; none when it is no key.
    fn compiled(&self, key: &str) -> Option<PathBuf> {
        hex::decode(key)
            .ok()
            .filter(|key| key.len() == size_of::<Digest>())?;
        Some(self.dir.join(key).with_extension(COMPILED))
    }

    /// The file that holds the key of a composition. The engine is in its name as well, because the
    /// key depends on it.
    fn composition(&self, parts: &Digest) -> PathBuf {
        let mut sum = Sha256::new();
        for digest in [&self.compatibility, &self.host, parts] {
            sum.update(digest);
        }
        self.dir
            .join(hex::encode(sum.finalize()))
            .with_extension(COMPOSED)
    }

    /// The component in the file at `path`, if it is whole and fits the engine.
    fn read(&self, path: &Path) -> Option<Component> {
        if !is_whole(fs::File::open(path).ok()?) {
            tracing::warn!(path = %path.display(), "cached component is broken, compiling again");
            return None;
        }
        // SAFETY: the folder is ours and closed to others (`make_private` ran), the file holds what
        // `store` put there (the sum matches), which is what `serialize` gave, and nothing changes
        // a file after it got its name. Wasmtime itself refuses an artifact of another version,
        // target or setting, and does not look at what follows the artifact.
        match unsafe { Component::deserialize_file(self.engine, path) } {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "cached component refused, compiling again");
                None
            }
        }
    }
}

/// What tells this build of the host from another one: how parts are composed and fenced may
/// change from one to the next. Changes at least as often as the program does.
fn this_build() -> Digest {
    let mut sum = Sha256::new();
    sum.update(env!("CARGO_PKG_VERSION"));
    if let Ok(file) = std::env::current_exe().and_then(fs::metadata) {
        let modified = file.modified().ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        sum.update(since.unwrap_or_default().as_nanos().to_le_bytes());
        sum.update(file.len().to_le_bytes());
    }
    sum.finalize().into()
}

/// Whether the file ends with the checksum of what comes before.
fn is_whole(mut file: fs::File) -> bool {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let Some(length) = length.checked_sub(SUM_BYTES as u64) else {
        return false;
    };
    let mut sum = crc32fast::Hasher::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut artifact = (&mut file).take(length);
    loop {
        match artifact.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => sum.update(chunk.get(..read).unwrap_or_default()),
            Err(_) => return false,
        }
    }
    let mut wanted = [0; SUM_BYTES];
    file.read_exact(&mut wanted).is_ok() && wanted == sum.finalize().to_le_bytes()
}

/// Keeps `component` at `path`.
fn store(component: &Component, path: &Path) -> anyhow::Result<()> {
    let artifact = component.serialize().map_err(anyhow::Error::from)?;
    let sum = crc32fast::hash(&artifact).to_le_bytes();
    write(path, &[&artifact, &sum])?;
    Ok(())
}

/// Writes `pieces` to `path`, so that a reader sees all of them or nothing.
fn write(path: &Path, pieces: &[&[u8]]) -> std::io::Result<()> {
    let unfinished = unfinished(path);
    let mut file = fs::File::create(&unfinished)?;
    for piece in pieces {
        file.write_all(piece)?;
    }
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

/// A name beside `path` that no other process or thread writes to.
fn unfinished(path: &Path) -> PathBuf {
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    path.with_extension(format!("{}-{thread}.new", std::process::id()))
}

/// Makes `dir` exist and closes it to everybody else.
#[cfg(unix)]
fn make_private(dir: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    let mode = fs::metadata(dir)?.permissions().mode();
    // Only the owner (or root) may do this, so a folder that belongs to another user fails here.
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    if mode & 0o022 != 0 {
        discard(dir)?;
    }
    Ok(())
}

/// Makes `dir` exist; a user's folders are private by default here.
#[cfg(not(unix))]
fn make_private(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir)?;
    Ok(())
}

/// Removes every entry of the cache in `dir`.
#[cfg(unix)]
fn discard(dir: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|ending| ending == COMPILED || ending == COMPOSED)
        {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Feeds whatever is hashed into SHA-256, because the standard hasher may change between builds.
struct Sum(Sha256);

impl Hasher for Sum {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let sum = self.0.clone().finalize();
        sum.iter()
            .take(8)
            .fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const PARTS: Digest = [7; 32];

    fn component() -> Vec<u8> {
        wat::parse_str(
            r#"(component (core module $m (func (export "f") (result i32) i32.const 7))
                 (core instance $i (instantiate $m))
                 (func (export "f") (result u32) (canon lift (core func $i "f"))))"#,
        )
        .unwrap()
    }

    fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
        fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|found| found == ending))
            .collect()
    }

    #[test]
    fn a_second_load_neither_composes_nor_compiles() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::build().unwrap();
        let cache = Cache::open(&engine, dir.path().into()).unwrap();
        let composed = Cell::new(0);
        let load = |parts: &Digest| {
            let compose = || {
                composed.set(composed.get() + 1);
                Ok((component(), *parts))
            };
            cache.composed(parts, compose).unwrap();
            composed.get()
        };
        assert_eq!(load(&PARTS), 1);
        assert_eq!(load(&PARTS), 1, "known by its parts");
        assert_eq!(load(&[8; 32]), 2, "other parts are composed");
        assert_eq!(files(dir.path(), COMPILED).len(), 1, "with the same result");
        assert_eq!(files(dir.path(), COMPOSED).len(), 2);
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            3,
            "nothing unfinished"
        );
    }

    #[test]
    fn a_composition_of_parts_that_changed_meanwhile_is_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::build().unwrap();
        let cache = Cache::open(&engine, dir.path().into()).unwrap();
        let changed = [9; 32];
        cache
            .composed(&PARTS, || Ok((component(), changed)))
            .unwrap();
        assert!(!cache.composition(&PARTS).exists());
        assert!(!cache.composition(&changed).exists());
    }

    #[test]
    fn another_build_of_the_host_composes_anew() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::build().unwrap();
        let cache = Cache::open(&engine, dir.path().into()).unwrap();
        let other = Cache {
            host: [1; 32],
            ..Cache::open(&engine, dir.path().into()).unwrap()
        };
        assert_ne!(cache.composition(&PARTS), other.composition(&PARTS));
        assert_eq!(cache.key(b"a"), other.key(b"a"), "what is compiled stays");
    }

    #[test]
    fn a_broken_file_is_compiled_again_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::build().unwrap();
        let cache = Cache::open(&engine, dir.path().into()).unwrap();
        let load = || cache.composed(&PARTS, || Ok((component(), PARTS))).unwrap();
        load();
        let path = files(dir.path(), COMPILED).remove(0);
        let good = fs::read(&path).unwrap();
        let flipped: Vec<u8> = good
            .iter()
            .enumerate()
            .map(|(i, b)| if i == 99 { !b } else { *b })
            .collect();
        let foreign = [&b"foreign"[..], &crc32fast::hash(b"foreign").to_le_bytes()].concat();
        for (name, bad) in [
            ("empty", Vec::new()),
            ("cut", good[..good.len() / 2].to_vec()),
            ("a flipped byte", flipped),
            ("a right sum over something else", foreign),
        ] {
            fs::remove_file(&path).unwrap();
            fs::write(&path, bad).unwrap();
            assert!(cache.read(&path).is_none(), "{name} is not trusted");
            load();
            assert!(cache.read(&path).is_some(), "{name} is replaced");
        }
    }

    #[test]
    fn a_key_that_is_none_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::build().unwrap();
        let cache = Cache::open(&engine, dir.path().into()).unwrap();
        for key in ["", "../x", "ab", &"zz".repeat(32)] {
            assert_eq!(cache.compiled(key), None, "{key}");
        }
        assert!(cache.compiled(&"ab".repeat(32)).is_some());
    }

    #[test]
    fn other_bytes_and_other_settings_have_other_keys() {
        let dir = tempfile::tempdir().unwrap();
        let open = |engine| Cache::open(engine, dir.path().into()).unwrap();
        let (ours, again) = (
            crate::engine::build().unwrap(),
            crate::engine::build().unwrap(),
        );
        let plain = Engine::new(&wasmtime::Config::new()).unwrap();
        assert_ne!(open(&ours).key(b"a"), open(&ours).key(b"b"));
        assert_ne!(open(&ours).key(b"a"), open(&plain).key(b"a"));
        assert_eq!(open(&ours).key(b"a"), open(&again).key(b"a"));
    }

    #[cfg(unix)]
    #[test]
    fn entries_of_a_folder_that_others_could_write_to_are_thrown_away() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        for planted in ["planted.code", "planted.key"] {
            fs::write(dir.path().join(planted), "x").unwrap();
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        make_private(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(
            fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn bytes_that_are_no_component_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::build().unwrap();
        let cache = Cache::open(&engine, dir.path().into()).unwrap();
        assert!(cache.load(b"\0asm\x01\0\0\0").is_err());
    }
}
