//! The files of the cache: whole or not there, and this user's.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use wasmtime::component::Component;

/// Length of the checksum at the end of a compiled file: CRC-32.
const SUM_BYTES: usize = 4;
/// What is read at once to check a file: fits the second-level cache of a core.
const CHUNK_BYTES: usize = 128 * 1024;

/// Whether `file` belongs to the user whom this process runs as. Others may have left theirs while
/// they could write to the folder.
#[cfg(unix)]
pub fn is_ours(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let us = crate::private_folder::our_user();
    file.metadata().is_ok_and(|metadata| metadata.uid() == us)
}

/// A user's files are private by default here.
#[cfg(not(unix))]
pub fn is_ours(_file: &File) -> bool {
    true
}

/// What the file at `path` says, if it is there and ours.
pub fn read_text(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    if !is_ours(&file) {
        return None;
    }
    io::read_to_string(file).ok()
}

/// Whether the file ends with the checksum of what comes before.
pub fn is_whole(mut file: File) -> bool {
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
pub fn store(component: &Component, path: &Path) -> anyhow::Result<()> {
    let artifact = component.serialize().map_err(anyhow::Error::from)?;
    let sum = crc32fast::hash(&artifact).to_le_bytes();
    write(path, &[&artifact, &sum])?;
    Ok(())
}

/// Writes `pieces` to `path`, so that a reader sees all of them or nothing.
pub fn write(path: &Path, pieces: &[&[u8]]) -> io::Result<()> {
    let unfinished = unfinished(path);
    // Left by a process of the same number.
    let _ = fs::remove_file(&unfinished);
    let mut file = File::create_new(&unfinished)?;
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
