//! `--from`: which manifest a command works on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::manifest::Manifest;

const NAME: &str = "spin.toml";

/// The manifest to work on.
#[derive(Debug, clap::Args)]
pub(super) struct ManifestFile {
    /// The manifest, or a folder with a spin.toml in it [default: spin.toml]
    #[arg(short = 'f', long, value_name = "FILE")]
    from: Option<PathBuf>,
}

impl ManifestFile {
    /// Reads and checks it.
    pub(super) fn load(&self) -> Result<Manifest> {
        self.load_with(None)
    }

    /// Reads and checks it, with a build profile.
    pub(super) fn load_with(&self, profile: Option<&str>) -> Result<Manifest> {
        Ok(Manifest::load_with(&self.find()?, profile)?)
    }

    fn find(&self) -> Result<PathBuf> {
        let Some(from) = &self.from else {
            return find_here(&std::env::current_dir().context("the working directory is gone")?);
        };
        if from.is_dir() {
            let file = from.join(NAME);
            if !file.is_file() {
                bail!(
                    "no {NAME} in {}; name another file or folder with --from",
                    from.display()
                );
            }
            return Ok(file);
        }
        if !from.is_file() {
            bail!(
                "there is no file {}; check the path after --from",
                from.display()
            );
        }
        Ok(from.clone())
    }
}

fn find_here(folder: &Path) -> Result<PathBuf> {
    if folder.join(NAME).is_file() {
        // Relative, so that errors name the file as the user would.
        return Ok(NAME.into());
    }
    bail!(
        "no {NAME} in {}; run this in the repository, or name it with --from FILE",
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let from = |path: PathBuf| ManifestFile { from: Some(path) }.find();
        for (name, result, want) in [
            (
                "nothing here",
                find_here(folder.path()),
                format!(
                    "no spin.toml in {at}; run this in the repository, or name it with --from FILE"
                ),
            ),
            (
                "an empty folder",
                from(folder.path().to_owned()),
                format!("no spin.toml in {at}; name another file or folder with --from"),
            ),
            (
                "no such file",
                from(folder.path().join("other.toml")),
                format!("there is no file {at}/other.toml; check the path after --from"),
            ),
        ] {
            assert_eq!(result.unwrap_err().to_string(), want, "{name}");
        }
    }

    #[test]
    fn a_folder_means_the_manifest_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(NAME);
        std::fs::write(&file, "").unwrap();
        for path in [folder.path(), &file] {
            assert_eq!(
                ManifestFile {
                    from: Some(path.to_owned())
                }
                .find()
                .unwrap(),
                file
            );
        }
        assert_eq!(find_here(folder.path()).unwrap(), Path::new(NAME));
    }
}
