//! Tells the host which build it is: see `build/sources.rs`.

#[path = "build/sources.rs"]
mod sources;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let build = sources::digest(&folder, &sources::PLACES)?;
    println!("cargo::rustc-env=CHATLY_BUILD={build}");
    for place in sources::PLACES {
        println!("cargo::rerun-if-changed={place}");
    }
    Ok(())
}
