//! Reads `spin.toml`, manifest version 2, and [`runtime_config`], with Spin's meaning.
//!
//! 1. Every key is known or refused: what Spin knows and this host does not run stops the start
//!    with the reason, and nothing is ignored but `description` texts and other tools' tables.
//! 2. All problems of a file are reported at once, each with file, line, key and how to mend it.
//! 3. The result holds absolute paths and existing names. `{{ }}` templates are checked for their
//!    names only, and no file but the manifest is looked at.
#![deny(missing_docs)]

mod application;
mod component;
mod dependency;
mod model;
mod names;
mod reader;
pub mod runtime_config;
mod scope;
#[cfg(test)]
mod tests;
mod trigger;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use model::*;
pub use reader::Problem;

use reader::{Reader, Table};
use scope::Scope;

/// Why there is no manifest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file was read and is wrong.
    #[error("{}", Problems { path, problems })]
    Invalid {
        /// The file, as the caller named it.
        path: PathBuf,
        /// What is wrong, by line; never empty.
        problems: Vec<Problem>,
    },
}

struct Problems<'a> {
    path: &'a Path,
    problems: &'a [Problem],
}

impl fmt::Display for Problems<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let end_of_last = if index == 0 { "" } else { "\n" };
            write!(
                f,
                "{end_of_last}{}:{}: {problem}",
                self.path.display(),
                problem.line
            )?;
        }
        Ok(())
    }
}

impl Manifest {
    /// Reads and checks the file at `path`.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::load_with(path, None)
    }

    /// Reads and checks the file at `path`, with the build profile `profile`.
    pub fn load_with(path: &Path, profile: Option<&str>) -> Result<Self, Error> {
        let read = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(read)?;
        Self::parse_with(&text, path, profile)
    }

    /// Checks `text`, the content of the file at `path`. Relative paths in it start at `path`'s
    /// folder; a relative `path` at the working directory.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        Self::parse_with(text, path, None)
    }

    /// The same, with the build profile `profile`. A component that lacks it is built as without;
    /// one that none has is refused.
    pub fn parse_with(text: &str, path: &Path, profile: Option<&str>) -> Result<Self, Error> {
        let absolute = std::path::absolute(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let reader = Reader::new(text);
        let manifest = read(&reader, absolute, profile);
        let problems = reader.into_problems();
        match manifest {
            Some(manifest) if problems.is_empty() => Ok(manifest),
            _ => Err(Error::Invalid {
                path: path.to_owned(),
                problems,
            }),
        }
    }

    /// The folder of the manifest, where relative paths start.
    pub fn folder(&self) -> &Path {
        folder(&self.path)
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Reads what can be read; problems are in `reader`.
fn read(reader: &Reader<'_>, path: PathBuf, profile: Option<&str>) -> Option<Manifest> {
    let document = reader.parse()?;
    let root = reader.root(&document);
    if !is_version_2(&root) {
        return None;
    }
    let application = match root.table("application") {
        Some(table) => application::read(&table),
        None if root.has("application") => Application::default(),
        None => {
            root.missing("application", "[application] with a name");
            Application::default()
        }
    };
    let variables = application::read_variables(&root);
    application::check_local_secrets(&root, &variables);
    let scope = Scope::new(folder(&path), profile, &variables);
    let mut components = BTreeMap::new();
    for (id, item) in root
        .table("component")
        .map(|table| table.entries())
        .unwrap_or_default()
    {
        if let Some(component) = component::read(id, &item, &scope) {
            components.insert(id.to_owned(), component);
        }
    }
    let triggers = trigger::read_all(&root, &mut components, &scope);
    scope.check_references(reader, &components);
    scope.check_profile(reader);
    root.finish();
    Some(Manifest {
        path,
        application,
        variables,
        triggers,
        components,
    })
}

/// Another version has other keys, of which nothing could be said here.
fn is_version_2(root: &Table<'_, '_>) -> bool {
    const EXAMPLE: &str = "spin_manifest_version = 2";
    let Some(item) = root.get("spin_manifest_version") else {
        match root.get("spin_version") {
            Some(item) => item
                .problem("is a manifest of version 1; write version 2 (`spin doctor` converts it)"),
            None => root.missing("spin_manifest_version", EXAMPLE),
        }
        return false;
    };
    let is_2 = item.is_integer(2);
    if !is_2 {
        item.problem(format!("must be 2; write `{EXAMPLE}`"));
    }
    is_2
}
