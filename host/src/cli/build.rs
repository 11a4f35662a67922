//! `chatly build`.

use std::process::ExitCode;

use anyhow::Result;

use super::manifest_file::ManifestFile;
use super::up::check_ids;
use crate::builder;

/// Run the manifest's build commands
///
/// Each command runs once, in the order of the file, and decides itself what is stale. Missing
/// wasm targets are added with rustup first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    manifest: ManifestFile,
    /// Build only this component and what fills its imports; may be repeated
    #[arg(short, long = "component-id", value_name = "ID")]
    component: Vec<String>,
    /// The build profile: components that have it are built and run by it
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let manifest = args.manifest.load_with(args.profile.as_deref())?;
    check_ids(&manifest, &args.component)?;
    builder::build(&manifest, &args.component)?;
    Ok(ExitCode::SUCCESS)
}
