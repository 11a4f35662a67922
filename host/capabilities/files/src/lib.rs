//! `files`: what a component finds in its file system.
//!
//! 1. Files are copied at the start, as Spin copies them: the component sees the copies, below
//!    `/`, and what changes in the application's folder later it does not see. With
//!    [`direct`] it sees the folders themselves.
//! 2. A pattern places each file at its path in the application's folder; `{ source, destination }`
//!    places a file, or everything below a directory, at the destination.
//! 3. `exclude_files` takes out what patterns and directories bring in; a file that is named by
//!    itself stays.
//! 4. Nothing comes from outside of the application's folder: neither by `..`, nor by an absolute
//!    path, nor by a link.
//! 5. What is the host's own is nobody's file, although it may lie there: the state dir with the
//!    secrets and databases, and `.env`. Patterns and directories leave it out; naming it is refused.
//! 6. A component without `files` has no file system at all.
//!
//! There is no interface of its own: who makes an instance opens each [`Mount`] for it, for
//! reading only.
#![deny(missing_docs)]

use std::path::{Component as Step, Path, PathBuf};

use chatly_manifest::{Component, FileMount};
use glob::Pattern;

#[cfg(test)]
mod tests;

/// A folder that a component sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The folder on this machine.
    pub host: PathBuf,
    /// Its path in the guest.
    pub guest: String,
}

/// Why a component's files cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A pattern that matches no path and has no wildcard.
    #[error(
        "[component.{component}] files: {pattern:?} does not exist and is no pattern; check the path, which starts at the folder of spin.toml"
    )]
    Missing {
        /// The component.
        component: String,
        /// What `files` says.
        pattern: String,
    },
    /// A malformed pattern.
    #[error("[component.{component}] {key}: {pattern:?} is no pattern: {cause}")]
    Pattern {
        /// The component.
        component: String,
        /// `files` or `exclude_files`.
        key: &'static str,
        /// What it says.
        pattern: String,
        /// Where the pattern breaks.
        cause: glob::PatternError,
    },
    /// A file outside of the application's folder.
    #[error(
        "[component.{component}] files: {} is outside of {}; a component may only have files from there",
        path.display(), folder.display()
    )]
    Outside {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// The application's folder.
        folder: PathBuf,
    },
    /// A pattern that starts with `/`.
    #[error(
        "[component.{component}] files: {pattern:?} is absolute; write it from the folder of spin.toml on"
    )]
    Absolute {
        /// The component.
        component: String,
        /// What `files` says.
        pattern: String,
    },
    /// A file of the host's own, or with direct mounts a directory that has such.
    #[error(
        "[component.{component}] files: {} is, or holds, what is the host's own (its state dir or `.env`), which no component may see",
        path.display()
    )]
    Own {
        /// The component.
        component: String,
        /// What would be seen.
        path: PathBuf,
    },
    /// A destination that is no place for a file.
    #[error(
        "[component.{component}] files: {destination:?} is no name for the file {}; write the file's whole path in the guest",
        path.display()
    )]
    Destination {
        /// The component.
        component: String,
        /// The destination.
        destination: String,
        /// The file.
        path: PathBuf,
    },
    /// With direct mounts, something that is no directory.
    #[error(
        "[component.{component}] files: {source_path:?} is no directory, and --direct-mounts takes nothing else; start without it"
    )]
    NotADirectory {
        /// The component.
        component: String,
        /// What `files` says.
        source_path: String,
    },
    /// With direct mounts, `exclude_files`.
    #[error(
        "[component.{component}] exclude_files: --direct-mounts cannot leave files out; start without it"
    )]
    Exclusion {
        /// The component.
        component: String,
    },
    /// The system refused.
    #[error("[component.{component}] files: {} cannot be {doing}: {cause}", path.display())]
    System {
        /// The component.
        component: String,
        /// `read`, `copied` or `replaced`.
        doing: &'static str,
        /// What could not be.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
}

/// Copies the files of `component` from `folder`, where the manifest lies, to `copies`, a folder
/// for this component alone. Gives nothing when it has none. `own` are paths of the host's own.
///
/// # Errors
/// [`Error`], which names the component and what is wrong in the manifest.
pub fn copy(
    component: &Component,
    folder: &Path,
    copies: &Path,
    own: &[PathBuf],
) -> Result<Vec<Mount>, Error> {
    if component.files.is_empty() {
        return Ok(Vec::new());
    }
    let copier = Copier::new(component, folder, copies, own)?;
    for mount in &component.files {
        match mount {
            FileMount::Pattern(pattern) => copier.pattern(pattern)?,
            FileMount::Placement {
                source,
                destination,
            } => copier.placement(source, destination)?,
        }
    }
    Ok(vec![Mount {
        host: copies.to_owned(),
        guest: "/".to_owned(),
    }])
}

/// The directories of `component` themselves, without copies. `own` are paths of the host's own.
///
/// # Errors
/// [`Error`] for whatever is no directory below `folder` or has such a path, and for exclusions.
pub fn direct(component: &Component, folder: &Path, own: &[PathBuf]) -> Result<Vec<Mount>, Error> {
    if component.files.is_empty() {
        return Ok(Vec::new());
    }
    if !component.exclude_files.is_empty() {
        return Err(Error::Exclusion {
            component: component.id.clone(),
        });
    }
    let inside = Inside::new(component, folder, own)?;
    let mount = |mount: &FileMount| {
        let (source, guest) = match mount {
            FileMount::Pattern(pattern) => (Path::new(pattern), pattern.clone()),
            FileMount::Placement {
                source,
                destination,
            } => (source.as_path(), destination.clone()),
        };
        let host = folder.join(source);
        if !host.is_dir() {
            return Err(Error::NotADirectory {
                component: component.id.clone(),
                source_path: source.display().to_string(),
            });
        }
        let real = inside.check(&host)?;
        if inside.own.iter().any(|own| own.starts_with(&real)) {
            return Err(inside.is_own(&host));
        }
        Ok(Mount { host, guest })
    };
    component.files.iter().map(mount).collect()
}

/// The application's folder, which nothing may leave.
struct Inside<'a> {
    component: &'a str,
    /// Without links.
    folder: PathBuf,
    /// What is the host's own, without links.
    own: Vec<PathBuf>,
}

impl<'a> Inside<'a> {
    fn new(component: &'a Component, folder: &Path, own: &[PathBuf]) -> Result<Self, Error> {
        let component = component.id.as_str();
        let folder = folder
            .canonicalize()
            .map_err(|cause| system(component, "read", folder, cause))?;
        // What is not there holds nothing.
        let own = own.iter().filter_map(|path| path.canonicalize().ok());
        Ok(Self {
            component,
            folder,
            own: own.collect(),
        })
    }

    /// Whether it is, or lies below, what is the host's own.
    fn has(&self, real: &Path) -> bool {
        self.own.iter().any(|own| real.starts_with(own))
    }

    fn is_own(&self, path: &Path) -> Error {
        Error::Own {
            component: self.component.to_owned(),
            path: path.to_owned(),
        }
    }

    /// The path without links, if it is one that a component may have.
    fn check(&self, path: &Path) -> Result<PathBuf, Error> {
        let real = path
            .canonicalize()
            .map_err(|cause| system(self.component, "read", path, cause))?;
        if self.has(&real) {
            return Err(self.is_own(path));
        }
        if real.starts_with(&self.folder) {
            return Ok(real);
        }
        Err(Error::Outside {
            component: self.component.to_owned(),
            path: path.to_owned(),
            folder: self.folder.clone(),
        })
    }
}

fn system(component: &str, doing: &'static str, path: &Path, cause: std::io::Error) -> Error {
    Error::System {
        component: component.to_owned(),
        doing,
        path: path.to_owned(),
        cause,
    }
}

/// `pattern` below `folder`, whose own name is no pattern.
fn below(folder: &Path, pattern: &str) -> PathBuf {
    PathBuf::from(Pattern::escape(&folder.to_string_lossy())).join(pattern)
}

struct Copier<'a> {
    inside: Inside<'a>,
    component: &'a str,
    folder: &'a Path,
    copies: &'a Path,
    excluded: Vec<Pattern>,
}

impl<'a> Copier<'a> {
    fn new(
        component: &'a Component,
        folder: &'a Path,
        copies: &'a Path,
        own: &[PathBuf],
    ) -> Result<Self, Error> {
        let exclusion = |pattern: &String| {
            Pattern::new(pattern).map_err(|cause| Error::Pattern {
                component: component.id.clone(),
                key: "exclude_files",
                pattern: pattern.clone(),
                cause,
            })
        };
        let copier = Self {
            inside: Inside::new(component, folder, own)?,
            component: &component.id,
            folder,
            copies,
            excluded: component
                .exclude_files
                .iter()
                .map(exclusion)
                .collect::<Result<_, _>>()?,
        };
        copier.make_folder(copies)?;
        Ok(copier)
    }

    fn system(&self, doing: &'static str, path: &Path, cause: std::io::Error) -> Error {
        system(self.component, doing, path, cause)
    }

    fn make_folder(&self, path: &Path) -> Result<(), Error> {
        std::fs::create_dir_all(path).map_err(|cause| self.system("copied", path, cause))
    }

    /// A path or a pattern, seen from the application's folder.
    fn pattern(&self, pattern: &str) -> Result<(), Error> {
        let path = self.folder.join(pattern);
        if Path::new(pattern).is_absolute() {
            if path.exists() {
                self.inside.check(&path)?;
            }
            return Err(Error::Absolute {
                component: self.component.to_owned(),
                pattern: pattern.to_owned(),
            });
        }
        if path.is_dir() {
            self.inside.check(&path)?;
            // Spin joins the directory's name and each file's whole path: what it copies of a
            // directory that is named without a destination lies twice as deep.
            let place = self.copies.join(pattern);
            return self.tree(&below(&path, "**/*"), pattern, self.folder, &place);
        }
        if path.exists() {
            return self.file(&path, &self.copies.join(pattern), pattern);
        }
        if !pattern.contains(['*', '?', '[']) {
            return Err(Error::Missing {
                component: self.component.to_owned(),
                pattern: pattern.to_owned(),
            });
        }
        let path = below(self.folder, pattern);
        self.tree(&path, pattern, self.folder, self.copies)
    }

    fn placement(&self, source: &Path, destination: &str) -> Result<(), Error> {
        let path = self.folder.join(source);
        let place = self.copies.join(destination.trim_start_matches('/'));
        let written = source.display().to_string();
        if path.is_dir() {
            self.inside.check(&path)?;
            return self.tree(&below(&path, "**/*"), &written, &path, &place);
        }
        if !path.exists() {
            return Err(Error::Missing {
                component: self.component.to_owned(),
                pattern: written,
            });
        }
        self.file(&path, &place, destination)
    }

    /// Copies every file that `pattern` matches to its path behind `prefix`, below `place`.
    fn tree(
        &self,
        pattern: &Path,
        written: &str,
        prefix: &Path,
        place: &Path,
    ) -> Result<(), Error> {
        self.make_folder(place)?;
        let paths = glob::glob(&pattern.to_string_lossy()).map_err(|cause| Error::Pattern {
            component: self.component.to_owned(),
            key: "files",
            pattern: written.to_owned(),
            cause,
        })?;
        for path in paths {
            let path = path.map_err(|error| {
                let path = error.path().to_owned();
                self.system("read", &path, error.into())
            })?;
            if !path.is_file() || path.canonicalize().is_ok_and(|real| self.inside.has(&real)) {
                continue;
            }
            self.inside.check(&path)?;
            let outside = || Error::Outside {
                component: self.component.to_owned(),
                path: path.clone(),
                folder: self.folder.to_owned(),
            };
            let in_app = path.strip_prefix(self.folder).map_err(|_| outside())?;
            if self.excluded.iter().any(|one| one.matches_path(in_app)) {
                continue;
            }
            let relative = path.strip_prefix(prefix).map_err(|_| outside())?;
            self.file(&path, &place.join(relative), &relative.to_string_lossy())?;
        }
        Ok(())
    }

    fn file(&self, from: &Path, to: &Path, destination: &str) -> Result<(), Error> {
        self.inside.check(from)?;
        // The copies lie below one folder, whatever a path says.
        let leaves = to.components().any(|step| step == Step::ParentDir);
        if leaves
            || !to.starts_with(self.copies)
            || to == self.copies
            || to.is_dir()
            || destination.ends_with(['/', '.'])
        {
            return Err(Error::Destination {
                component: self.component.to_owned(),
                destination: destination.to_owned(),
                path: from.to_owned(),
            });
        }
        if let Some(parent) = to.parent() {
            self.make_folder(parent)?;
        }
        // An earlier entry may have brought the same file. Written into, it would have to be
        // writable; and it need not be, as its rights are copied too.
        match std::fs::remove_file(to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(self.system("replaced", to, error));
            }
            _ => {}
        }
        std::fs::copy(from, to)
            .map(drop)
            .map_err(|cause| self.system("copied", from, cause))
    }
}
