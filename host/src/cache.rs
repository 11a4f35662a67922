//! Compiled components, kept by content so that a second start does not compile again.
//!
//! 1. The key is the SHA-256 of the component's bytes and of everything the engine says its
//!    machine code depends on (wasmtime's version, the settings, the target), so an upgrade or
//!    another setting never meets an old file.
//! 2. A file holds the SHA-256 of the artifact, then the artifact. One whose sum does not match,
//!    or that wasmtime refuses, is compiled anew and replaced.
//! 3. A file appears whole: it is written under another name and renamed.
//!
//! It never deletes what is out of date: entries of another key are simply not read.
//!
//! **Why loading is sound.** `Component::deserialize` runs what it reads as machine code, so it
//! must only read what this host wrote. The folder is made 0700 and owned by us before anything is
//! read (a folder of somebody else's cannot be changed and is an error), and entries of a folder
//! that others could write to until now are thrown away. The checksum is against torn and rotten
//! files, not against an attacker who already writes as our user.

use std::fs;
use std::hash::{Hash as _, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Length of the checksum at the head of a file: SHA-256.
const SUM_BYTES: usize = 32;

/// Ending of every file of the cache.
const ENDING: &str = "cwasm";

/// Compiles `bytes` for `engine`, or loads what an earlier call left in `dir`, which must be a
/// folder of the cache's own: it is created and closed to other users.
///
/// # Errors
/// When the bytes are no valid component, or `dir` cannot be made private to this user. A cache
/// that cannot be written to is only logged.
pub fn load(engine: &Engine, bytes: &[u8], dir: &Path) -> anyhow::Result<Component> {
    make_private(dir).with_context(|| format!("cannot use {} as a cache", dir.display()))?;
    let path = dir.join(key(engine, bytes)).with_extension(ENDING);
    if let Some(component) = read(engine, &path) {
        return Ok(component);
    }
    let component = Component::new(engine, bytes)
        .map_err(anyhow::Error::from)
        .context("cannot compile the component")?;
    if let Err(error) = write(&component, &path) {
        tracing::warn!(path = %path.display(), %error, "compiled component not cached");
    }
    Ok(component)
}

/// The name of the file for `bytes` on `engine`, in hexadecimal.
fn key(engine: &Engine, bytes: &[u8]) -> String {
    let mut compatibility = Sum(Sha256::new());
    engine
        .precompile_compatibility_hash()
        .hash(&mut compatibility);
    let mut sum = Sha256::new();
    sum.update(compatibility.0.finalize());
    sum.update(Sha256::digest(bytes));
    hex::encode(sum.finalize())
}

/// The component in the file at `path`, if it is whole and fits the engine.
fn read(engine: &Engine, path: &Path) -> Option<Component> {
    let file = fs::read(path).ok()?;
    let (sum, artifact) = file.split_at_checked(SUM_BYTES)?;
    if Sha256::digest(artifact).as_slice() != sum {
        tracing::warn!(path = %path.display(), "cached component is broken, compiling again");
        return None;
    }
    // SAFETY: the folder is ours and closed to others (`make_private` ran), the file holds what
    // `write` put there (the sum matches), and `write` only stores what `serialize` gave. Wasmtime
    // itself refuses an artifact of another version, target or setting.
    match unsafe { Component::deserialize(engine, artifact) } {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "cached component refused, compiling again");
            None
        }
    }
}

/// Writes `component` to `path`, so that a reader sees all of it or nothing.
fn write(component: &Component, path: &Path) -> anyhow::Result<()> {
    let artifact = component.serialize().map_err(anyhow::Error::from)?;
    let unfinished = unfinished(path);
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(&Sha256::digest(&artifact))?;
    file.write_all(&artifact)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    Ok(())
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
        if path.extension().is_some_and(|ending| ending == ENDING) {
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
    use super::*;

    fn component() -> Vec<u8> {
        wat::parse_str(
            r#"(component (core module $m (func (export "f") (result i32) i32.const 7))
                 (core instance $i (instantiate $m))
                 (func (export "f") (result u32) (canon lift (core func $i "f"))))"#,
        )
        .unwrap()
    }

    fn files(dir: &Path) -> Vec<PathBuf> {
        fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    #[test]
    fn a_second_load_reads_what_the_first_one_wrote() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::build().unwrap();
        let bytes = component();
        load(&engine, &bytes, dir.path()).unwrap();
        let files = files(dir.path());
        assert_eq!(files.len(), 1, "one whole file and nothing unfinished");
        assert!(read(&engine, &files[0]).is_some());
    }

    #[test]
    fn a_broken_file_is_compiled_again_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::build().unwrap();
        let bytes = component();
        load(&engine, &bytes, dir.path()).unwrap();
        let path = files(dir.path()).remove(0);
        let good = fs::read(&path).unwrap();
        let flipped: Vec<u8> = good
            .iter()
            .enumerate()
            .map(|(i, b)| if i == 99 { !b } else { *b })
            .collect();
        let foreign: Vec<u8> = [&Sha256::digest(b"foreign")[..], b"foreign"].concat();
        for (name, bad) in [
            ("empty", Vec::new()),
            ("cut", good[..good.len() / 2].to_vec()),
            ("a flipped byte", flipped),
            ("a right sum over something else", foreign),
        ] {
            fs::write(&path, bad).unwrap();
            assert!(read(&engine, &path).is_none(), "{name} is not trusted");
            load(&engine, &bytes, dir.path()).unwrap();
            assert!(read(&engine, &path).is_some(), "{name} is replaced");
        }
    }

    #[test]
    fn other_bytes_and_other_settings_have_other_keys() {
        let engine = crate::engine::build().unwrap();
        let plain = Engine::new(&wasmtime::Config::new()).unwrap();
        assert_ne!(key(&engine, b"a"), key(&engine, b"b"));
        assert_ne!(key(&engine, b"a"), key(&plain, b"a"));
        assert_eq!(
            key(&engine, b"a"),
            key(&crate::engine::build().unwrap(), b"a")
        );
    }

    #[cfg(unix)]
    #[test]
    fn entries_of_a_folder_that_others_could_write_to_are_thrown_away() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("planted.cwasm"), "x").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        make_private(dir.path()).unwrap();
        assert_eq!(files(dir.path()), Vec::<PathBuf>::new());
        assert_eq!(
            fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn bytes_that_are_no_component_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::build().unwrap();
        assert!(load(&engine, b"\0asm\x01\0\0\0", dir.path()).is_err());
    }
}
