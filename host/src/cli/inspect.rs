//! `chatly inspect`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::manifest_file::ManifestFile;
use crate::manifest::Manifest;

/// Show every component, its imports, what it is granted, and its digest
///
/// Reads the built files; run `chatly build` first. Exits with 1 when a component imports something
/// that is neither granted nor fenced.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    manifest: ManifestFile,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let manifest = args.manifest.load()?;
    report(&manifest, args.json)
}

/// The one place that knows the inspector.
fn report(manifest: &Manifest, json: bool) -> Result<ExitCode> {
    bail!(
        "{}: this build has no inspector (json: {json})",
        manifest.path.display()
    )
}
