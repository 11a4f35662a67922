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
//! must only map what this host wrote. Before anything is read the folder is made 0700, and one that
//! belongs to somebody else is an error, also under root. Entries of a folder that others could
//! write to until now are thrown away, and a file of somebody else's is not read. The checksum is
//! against torn and rotten files, not against an attacker who already writes as our user.

mod file;
#[cfg(test)]
#[path = "../../build/sources.rs"]
mod sources;

use std::fs;
use std::hash::{Hash as _, Hasher};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::compose::Digest;
use crate::private_folder;

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
        make_private(&dir)?;
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
        let known = file::read_text(&self.composition(parts));
        if let Some(component) = known.and_then(|key| self.read(&self.compiled(&key)?)) {
            return Ok(component);
        }
        let (bytes, read) = compose()?;
        let (component, key) = self.load(&bytes)?;
        let path = self.composition(parts);
        if read == *parts
            && let Err(error) = file::write(&path, &[key.as_bytes()])
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
        match file::store(&component, &path) {
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
        let file = fs::File::open(path).ok()?;
        if !file::is_ours(&file) {
            tracing::warn!(path = %path.display(), "cached component belongs to another user, compiling again");
            return None;
        }
        if !file::is_whole(file) {
            tracing::warn!(path = %path.display(), "cached component is broken, compiling again");
            return None;
        }
        // SAFETY: folder and file are ours, and closed to others (`make_private` ran); it holds what
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
/// change from one to the next. The digest of its sources, so that neither the time nor the length
/// of the program decides.
fn this_build() -> Digest {
    Sha256::digest(env!("CHATLY_BUILD")).into()
}

/// Makes `dir` exist and closes it to everybody else.
fn make_private(dir: &Path) -> anyhow::Result<()> {
    let before = private_folder::ensure(dir).with_context(|| {
        let dir = dir.display();
        format!(
            "cannot use {dir} as a cache of machine code; remove it, or use another --state-dir"
        )
    })?;
    if before.writable {
        discard(dir)?;
    }
    Ok(())
}

/// Removes every entry of the cache in `dir`.
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
    fn a_build_is_told_by_the_bytes_of_its_sources_only() {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = sources::digest(ours, &sources::PLACES).unwrap();
        assert_eq!(built, env!("CHATLY_BUILD"));

        let digest = |files: &[(&str, &str)]| {
            let folder = tempfile::tempdir().unwrap();
            let then = std::time::UNIX_EPOCH;
            for (name, text) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, text).unwrap();
                let file = fs::File::options().write(true).open(&path).unwrap();
                file.set_modified(then).unwrap();
            }
            sources::digest(folder.path(), &["lock", "src"]).unwrap()
        };
        let one = digest(&[("lock", "1"), ("src/a.rs", "x"), ("src/b/c.rs", "y")]);
        for (name, files, same) in [
            (
                "elsewhere",
                [("lock", "1"), ("src/a.rs", "x"), ("src/b/c.rs", "y")],
                true,
            ),
            (
                "a byte of a dependency's version",
                [("lock", "2"), ("src/a.rs", "x"), ("src/b/c.rs", "y")],
                false,
            ),
            (
                "a byte of a source",
                [("lock", "1"), ("src/a.rs", "x"), ("src/b/c.rs", "z")],
                false,
            ),
            (
                "a name",
                [("lock", "1"), ("src/a.rs", "x"), ("src/b/d.rs", "y")],
                false,
            ),
            (
                "texts swapped",
                [("lock", "1"), ("src/a.rs", "y"), ("src/b/c.rs", "x")],
                false,
            ),
        ] {
            assert_eq!(digest(&files) == one, same, "{name}");
        }
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

    #[cfg(unix)]
    #[test]
    fn what_belongs_to_another_user_is_not_loaded() {
        use std::os::unix::fs::chown;
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("cache");
        let engine = crate::engine::build().unwrap();
        let cache = Cache::open(&engine, dir.clone()).unwrap();
        cache.composed(&PARTS, || Ok((component(), PARTS))).unwrap();
        let (code, key) = (
            files(&dir, COMPILED).remove(0),
            files(&dir, COMPOSED).remove(0),
        );
        // Only root can give them away, and only root could load them then.
        if chown(&code, Some(12_345), None).is_err() {
            return;
        }
        assert!(cache.read(&code).is_none());
        chown(&key, Some(12_345), None).unwrap();
        assert_eq!(file::read_text(&key), None);
        chown(&dir, Some(12_345), None).unwrap();
        let refused = Cache::open(&engine, dir.clone()).unwrap_err();
        assert_eq!(
            format!("{refused:#}"),
            format!(
                "cannot use {} as a cache of machine code; remove it, or use another --state-dir: \
                 it belongs to user 12345, and this process runs as user 0",
                dir.display()
            )
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
