//! `up --watch`: notices that sources, artifacts or the manifest changed.
//!
//! 1. Times and lengths of files are looked at every [`POLL`]: that works on every file system,
//!    shared folders of containers and virtual machines included.
//! 2. Sources are what the globs of `[component.<id>.build] watch` name, below its `workdir`.
//!    Artifacts are the files that components and dependencies are loaded from.
//! 3. A change counts once it has settled: two looks in a row that agree. An editor or a compiler
//!    that is still writing is waited for.
//!
//! It builds and loads nothing: whoever watches decides what a [`Change`] leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::manifest::{Component, DependencySource, Manifest};

/// Time between two looks: a change is noticed within two of them.
pub const POLL: Duration = Duration::from_millis(300);

/// Time of the last change, and length; nothing for a file that is not there.
type Stamp = Option<(SystemTime, u64)>;

/// What is watched.
#[derive(Debug)]
pub struct Watch {
    manifest: PathBuf,
    /// Component → globs.
    sources: BTreeMap<String, Vec<String>>,
    artifacts: BTreeSet<PathBuf>,
}

/// How everything watched looked at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    manifest: Stamp,
    sources: BTreeMap<String, BTreeMap<PathBuf, Stamp>>,
    artifacts: BTreeMap<PathBuf, Stamp>,
}

/// What changed between two looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Components whose sources changed.
    pub sources: Vec<String>,
    /// A file that is loaded changed.
    pub artifacts: bool,
    /// The manifest changed.
    pub manifest: bool,
}

impl Watch {
    /// Watches what `manifest`, the file `path`, names.
    pub fn new(manifest: &Manifest, path: &Path) -> Self {
        let components = manifest.components.values();
        let globs = |component: &Component| {
            let build = component.build.as_ref()?;
            let below = |glob: &String| build.workdir.join(glob).display().to_string();
            let globs = build.watch.iter().map(below).collect();
            Some((component.id.clone(), globs))
        };
        let paths = |component: &Component| {
            let sources = component.dependencies.values().map(|one| &one.source);
            sources
                .filter_map(|source| match source {
                    DependencySource::Path(path) => Some(path.clone()),
                    DependencySource::Component(_) => None,
                })
                .chain([component.source.clone()])
                .collect::<Vec<_>>()
        };
        Self {
            manifest: path.to_owned(),
            sources: components.clone().filter_map(globs).collect(),
            artifacts: components.flat_map(paths).collect(),
        }
    }

    /// Looks at everything.
    pub fn look(&self) -> Sight {
        let files = |globs: &Vec<String>| {
            let found = globs.iter().filter_map(|glob| glob::glob(glob).ok());
            found
                .flat_map(Iterator::flatten)
                .filter(|path| path.is_file())
                .map(stamped)
                .collect()
        };
        let sources = self.sources.iter();
        Sight {
            manifest: stamp(&self.manifest),
            sources: sources
                .map(|(id, globs)| (id.clone(), files(globs)))
                .collect(),
            artifacts: self.artifacts.iter().cloned().map(stamped).collect(),
        }
    }

    /// Waits for a change from `seen` that has settled; nothing when `stopped` says so first.
    pub fn wait(&self, seen: &Sight, stopped: impl Fn() -> bool) -> Option<Sight> {
        let mut before = seen.clone();
        loop {
            std::thread::sleep(POLL);
            if stopped() {
                return None;
            }
            let now = self.look();
            if now != *seen && now == before {
                return Some(now);
            }
            before = now;
        }
    }
}

fn stamped(path: PathBuf) -> (PathBuf, Stamp) {
    let stamp = stamp(&path);
    (path, stamp)
}

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

impl Sight {
    /// What is different in `now`.
    pub fn change(&self, now: &Self) -> Change {
        let differs = |(id, files): &(&String, &BTreeMap<_, _>)| self.sources.get(*id) != Some(files);
        let sources = now.sources.iter().filter(differs);
        Change {
            sources: sources.map(|(id, _)| id.clone()).collect(),
            artifacts: self.artifacts != now.artifacts,
            manifest: self.manifest != now.manifest,
        }
    }

    /// This sight with the artifacts of `later`: a build changes these itself, and a source that
    /// changed while it ran is still news.
    #[must_use]
    pub fn built(mut self, later: &Self) -> Self {
        self.artifacts.clone_from(&later.artifacts);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> (tempfile::TempDir, Watch) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spin.toml");
        let text = "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\n\
            [component.one]\nsource = \"one.wasm\"\n\
            [component.one.build]\ncommand = \"true\"\nwatch = [\"src/**/*.rs\", \"Cargo.toml\"]\n\
            [component.two]\nsource = \"two.wasm\"\n\
            [component.two.build]\ncommand = \"true\"\nworkdir = \"two\"\nwatch = [\"*.js\"]\n";
        std::fs::create_dir_all(dir.path().join("src/deep")).unwrap();
        std::fs::create_dir_all(dir.path().join("two")).unwrap();
        for file in ["spin.toml", "src/lib.rs", "src/deep/a.rs", "two/a.js", "one.wasm"] {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        let watch = Watch::new(&Manifest::parse(text, &path).unwrap(), &path);
        (dir, watch)
    }

    #[test]
    fn a_change_names_what_it_concerns() {
        for (file, sources, artifacts, manifest) in [
            ("src/lib.rs", &["one"][..], false, false),
            ("src/deep/a.rs", &["one"], false, false),
            ("src/deep/new.rs", &["one"], false, false),
            ("Cargo.toml", &["one"], false, false),
            ("two/a.js", &["two"], false, false),
            ("two.wasm", &[], true, false),
            ("one.wasm", &[], true, false),
            ("spin.toml", &[], false, true),
            ("src/notes.txt", &[], false, false),
            ("a.js", &[], false, false),
        ] {
            let (dir, watch) = app();
            let seen = watch.look();
            std::fs::write(dir.path().join(file), "changed").unwrap();
            let want = Change {
                sources: sources.iter().map(|id| (*id).to_owned()).collect(),
                artifacts,
                manifest,
            };
            assert_eq!(seen.change(&watch.look()), want, "{file}");
        }
    }

    #[test]
    fn a_removed_source_is_a_change() {
        let (dir, watch) = app();
        let seen = watch.look();
        std::fs::remove_file(dir.path().join("src/lib.rs")).unwrap();
        assert_eq!(seen.change(&watch.look()).sources, ["one"]);
    }

    #[test]
    fn what_a_build_wrote_is_no_news_and_what_was_edited_meanwhile_is() {
        let (dir, watch) = app();
        let seen = watch.look();
        std::fs::write(dir.path().join("one.wasm"), "built").unwrap();
        std::fs::write(dir.path().join("src/lib.rs"), "edited").unwrap();
        let now = watch.look();
        let change = seen.built(&now).change(&now);
        assert_eq!((change.sources, change.artifacts), (vec!["one".to_owned()], false));
    }

    #[test]
    fn waiting_ends_with_a_change_or_when_told() {
        let (dir, watch) = app();
        let seen = watch.look();
        assert_eq!(watch.wait(&seen, || true), None);
        std::fs::write(dir.path().join("one.wasm"), "changed").unwrap();
        let now = watch.wait(&seen, || false).unwrap();
        assert!(seen.change(&now).artifacts);
    }
}
