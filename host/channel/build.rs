//! Puts the golden cases of `tests/cases` into the library, so that the program runs anywhere.
//!
//! Every path is from this package, which cargo runs build scripts in, and the texts go into the
//! generated file itself: a checkout that was moved with its `target` is as fresh as before.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const CASES: &str = "../../tests/cases";

fn main() -> io::Result<()> {
    let folder = Path::new(CASES);
    println!("cargo::rerun-if-changed={CASES}");
    let mut code = "&[\n".to_owned();
    for channel in sorted(folder)? {
        if !channel.is_dir() {
            continue;
        }
        println!("cargo::rerun-if-changed={}", channel.display());
        for case in sorted(&channel)? {
            if case.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            println!("cargo::rerun-if-changed={}", case.display());
            let text = fs::read_to_string(&case)?;
            let _ = writeln!(code, "({:?}, {:?}, {text:?}),", stem(&channel), stem(&case));
        }
    }
    code.push(']');
    let out = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    fs::write(out.join("cases.rs"), code)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: io::Result<Vec<_>> = fs::read_dir(folder)?.map(|it| Ok(it?.path())).collect();
    let mut paths = entries?;
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}
