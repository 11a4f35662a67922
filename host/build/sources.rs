//! The digest of what decides how this host composes and fences: its own sources, those of the
//! crates that it does it with, and the versions of all others.
//!
//! It depends on names and bytes only: not on times, and not on where the sources lie. It tells
//! builds apart that nobody made to look alike, so it needs no cryptography: a dependency of the
//! build script would change the features with which wasmtime's own macros are compiled.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files and folders, from the folder of this crate's manifest.
pub const PLACES: [&str; 7] = [
    "../Cargo.lock",
    "Cargo.toml",
    "build",
    "build.rs",
    "componentize/src",
    "manifest/src",
    "src",
];

/// FNV-1a with 128 bits, by <http://www.isthe.com/chongo/tech/comp/fnv/>.
const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;

/// The digest of `places` below `folder`, in hexadecimal.
///
/// # Errors
/// When one of them cannot be read.
pub fn digest(folder: &Path, places: &[&str]) -> io::Result<String> {
    let mut files = Vec::new();
    for place in places {
        collect(folder, PathBuf::from(place), &mut files)?;
    }
    files.sort();
    let mut sum = OFFSET_BASIS;
    for file in files {
        let bytes = fs::read(folder.join(&file))?;
        for part in [file.as_os_str().as_encoded_bytes(), &bytes] {
            // With its length in front, no part runs on into the next.
            let length = (part.len() as u64).to_le_bytes();
            for byte in length.iter().chain(part) {
                sum = (sum ^ u128::from(*byte)).wrapping_mul(PRIME);
            }
        }
    }
    Ok(format!("{sum:032x}"))
}

fn collect(folder: &Path, place: PathBuf, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let path = folder.join(&place);
    if !path.is_dir() {
        files.push(place);
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(folder, place.join(entry?.file_name()), files)?;
    }
    Ok(())
}
