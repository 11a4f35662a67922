//! What `chatly inspect` shows: every component, what it imports, who fills that, and what each
//! dependency gets in the place it has.
//!
//! 1. It reads the artifacts themselves; nothing is taken from the manifest that the bytes can say.
//! 2. A dependency's import counts as fenced only when the fenced binary really carries it under
//!    the fence's prefix.
//! 3. [`Report::unfenced`] is what must be empty: imports of a dependency that are neither
//!    types, harmless, inherited nor fenced.
//!
//! It starts nothing and says nothing about what the parent itself is granted.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::compose::{self, Fill, Name};
use crate::fence::{self, PREFIX, Verdict};
use crate::manifest::{DependencySource, Inherit, Manifest};

/// Width of the column of import names: the longest name that Spin's worlds have, and a little.
const NAME_WIDTH: usize = 44;

/// Everything about a manifest's components.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In the order of their ids.
    pub components: Vec<Component>,
}

/// One component of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Its id.
    pub id: String,
    /// Its artifact.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Its outermost imports.
    pub imports: Vec<Import>,
    /// What fills some of them.
    pub dependencies: Vec<Dependency>,
}

/// A file and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Artifact {
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// One import of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Import {
    /// Its full name.
    pub name: String,
    /// It has no functions.
    pub types_only: bool,
    /// The dependency that fills it; the host does when absent.
    pub filled_by: Option<String>,
}

/// One dependency in the place it has below a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// The dependency name: which imports it fills.
    pub name: String,
    /// Its component id, or the path it comes from.
    pub component: String,
    /// Its artifact.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// The keys it inherits; `*` for all.
    pub inherits: Vec<String>,
    /// Its imports and what becomes of them here.
    pub imports: Vec<Judged>,
}

/// One import of a dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// Its full name.
    pub name: String,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// An import that a dependency has and nothing accounts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfenced {
    /// The component that has the dependency.
    pub component: String,
    /// The dependency's component id or path.
    pub dependency: String,
    /// The import's full name.
    pub import: String,
}

/// Reads every artifact of `manifest`.
///
/// # Errors
/// When an artifact cannot be read or is no valid component, or a dependency names no component.
pub fn report(manifest: &Manifest) -> anyhow::Result<Report> {
    let components = manifest
        .components
        .keys()
        .map(|id| component(manifest, id))
        .collect::<Result<_, _>>()?;
    Ok(Report { components })
}

fn component(manifest: &Manifest, id: &str) -> anyhow::Result<Component> {
    let (root, fills) = compose::parts(manifest, id)?;
    let source = manifest
        .components
        .get(id)
        .and_then(|component| component.source.path())
        .with_context(|| format!("component `{id}` has not been downloaded"))?;
    let imports = fence::imports(&root.bytes)
        .with_context(|| format!("cannot inspect component `{id}` ({})", source.display()))?;
    let imports = imports.into_iter().map(|import| Import {
        filled_by: fills
            .iter()
            .find(|fill| Name::parse(&fill.name).matches(&import.name))
            .map(|fill| fill.part.id.clone()),
        name: import.name,
        types_only: import.types_only,
    });
    let dependencies = fills
        .iter()
        .map(|fill| dependency(manifest, id, fill))
        .collect::<Result<_, _>>()?;
    Ok(Component {
        id: id.into(),
        artifact: artifact(source.to_owned())?,
        imports: imports.collect(),
        dependencies,
    })
}

fn dependency(manifest: &Manifest, parent: &str, fill: &Fill) -> anyhow::Result<Dependency> {
    let cannot = || {
        format!(
            "cannot inspect dependency `{}` of component `{parent}`",
            fill.name
        )
    };
    let path = manifest
        .components
        .get(parent)
        .and_then(|component| component.dependencies.get(&fill.name))
        .and_then(|dependency| match &dependency.source {
            DependencySource::Path(path) => Some(path.clone()),
            DependencySource::Component(id) => {
                let found = manifest.components.get(id);
                found.and_then(|found| found.source.path().map(Path::to_owned))
            }
            DependencySource::Url(_) => None,
        })
        .with_context(cannot)?;
    Ok(Dependency {
        name: fill.name.clone(),
        component: fill.part.id.clone(),
        artifact: artifact(path)?,
        inherits: match &fill.inherit {
            Inherit::Nothing => Vec::new(),
            Inherit::Everything => vec!["*".into()],
            Inherit::Only(keys) => keys.clone(),
        },
        imports: judged(fill).with_context(cannot)?,
    })
}

/// The imports of a dependency, each with what the fence made of it.
fn judged(fill: &Fill) -> Result<Vec<Judged>, fence::Error> {
    let renamed = match fence::fence(&fill.part.bytes, &fill.inherit) {
        Ok(bytes) => fence::imports(&bytes)?,
        // The start is refused; the report still shows each import.
        Err(fence::Error::Unknown { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let behind = |name: &str| {
        renamed.is_empty()
            || renamed
                .iter()
                .any(|import| import.name.strip_prefix(PREFIX) == Some(name))
    };
    let imports = fence::imports(&fill.part.bytes)?;
    let judged = imports.into_iter().map(|import| Judged {
        verdict: match fence::judge(&import, &fill.inherit) {
            Verdict::Fenced if !behind(&import.name) => Verdict::Unknown,
            verdict => verdict,
        },
        name: import.name,
    });
    Ok(judged.collect())
}

/// The file itself: a core module is another component once it is read.
fn artifact(path: PathBuf) -> anyhow::Result<Artifact> {
    let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
    Ok(Artifact {
        path,
        sha256: hex::encode(Sha256::digest(bytes)),
    })
}

impl Report {
    /// Every import that no rule accounts for. A report with any means that a start is refused.
    #[must_use]
    pub fn unfenced(&self) -> Vec<Unfenced> {
        let mut found = Vec::new();
        for component in &self.components {
            for dependency in &component.dependencies {
                let unknown = dependency
                    .imports
                    .iter()
                    .filter(|import| import.verdict == Verdict::Unknown);
                found.extend(unknown.map(|import| Unfenced {
                    component: component.id.clone(),
                    dependency: dependency.component.clone(),
                    import: import.name.clone(),
                }));
            }
        }
        found
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for component in &self.components {
            writeln!(f, "{}  {}", component.id, component.artifact)?;
            for import in &component.imports {
                writeln!(f, "  {:NAME_WIDTH$} {}", import.name, import.state())?;
            }
            for dependency in &component.dependencies {
                let inherits = match dependency.inherits.as_slice() {
                    [] => "nothing".to_owned(),
                    keys => keys.join(", "),
                };
                writeln!(
                    f,
                    "  + {}  {}  inherits {inherits}",
                    dependency.component, dependency.artifact
                )?;
                for import in &dependency.imports {
                    writeln!(
                        f,
                        "    {:NAME_WIDTH$} {}",
                        import.name,
                        words(import.verdict)
                    )?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  sha256:{}", self.path.display(), self.sha256)
    }
}

impl Import {
    fn state(&self) -> String {
        match (&self.filled_by, self.types_only) {
            (Some(by), _) => format!("filled by {by}"),
            (None, true) => "types only".into(),
            (None, false) => "host".into(),
        }
    }
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::TypesOnly => "types only",
        Verdict::Harmless => "harmless",
        Verdict::Granted => "granted",
        Verdict::Fenced => "fenced",
        Verdict::Unknown => "UNFENCED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    const ROOT: &str = r#"(component
        (import "a:dep/api" (instance (export "f" (func))))
        (import "a:types/types" (instance (export "r" (type (sub resource)))))
        (import "spin:sqlite/sqlite@3.1.0" (instance (export "open" (func)))))"#;
    const DEPENDENCY: &str = r#"(component
        (import "a:types/types" (instance (export "r" (type (sub resource)))))
        (import "spin:sqlite/sqlite@3.1.0" (instance (export "open" (func))))
        (import "wasi:clocks/wall-clock@0.2.6" (instance (export "now" (func))))
        (import "wasi:http/client@0.3.0" (instance (export "send" (func)))))"#;
    const PURE: &str =
        r#"(component (import "a:types/types" (instance (export "r" (type (sub resource))))))"#;

    /// `root` with dependency `dep`, whose text is given, and `pure`, which nothing uses.
    fn manifest(dir: &std::path::Path, dependency: &str, inherit: Inherit) -> Manifest {
        let component = |id: &str, text: &str| {
            let source = dir.join(format!("{id}.wasm"));
            std::fs::write(&source, wat::parse_str(text).unwrap()).unwrap();
            manifest::Component {
                id: id.into(),
                source: manifest::Source::Path(source),
                ..Default::default()
            }
        };
        let mut root = component("root", ROOT);
        let source = DependencySource::Component("dep".into());
        root.dependencies.insert(
            "a:dep".into(),
            manifest::Dependency {
                source,
                export: None,
                inherit,
            },
        );
        let components = [root, component("dep", dependency), component("pure", PURE)];
        Manifest {
            path: dir.join("spin.toml"),
            application: Default::default(),
            variables: Default::default(),
            triggers: Vec::new(),
            components: components
                .into_iter()
                .map(|component| (component.id.clone(), component))
                .collect(),
        }
    }

    #[test]
    fn each_import_of_a_dependency_is_accounted_for() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = manifest(
            dir.path(),
            DEPENDENCY,
            Inherit::Only(vec!["sqlite_databases".into()]),
        );
        let report = report(&manifest).unwrap();
        let shown = report
            .to_string()
            .replace(&format!("{}/", dir.path().display()), "");
        let sum = |at: usize| &report.components[at].artifact.sha256;
        let want = format!(
            "dep  dep.wasm  sha256:{}
  a:types/types                                types only
  spin:sqlite/sqlite@3.1.0                     host
  wasi:clocks/wall-clock@0.2.6                 host
  wasi:http/client@0.3.0                       host
pure  pure.wasm  sha256:{}
  a:types/types                                types only
root  root.wasm  sha256:{}
  a:dep/api                                    filled by dep
  a:types/types                                types only
  spin:sqlite/sqlite@3.1.0                     host
  + dep  dep.wasm  sha256:{}  inherits sqlite_databases
    a:types/types                                types only
    spin:sqlite/sqlite@3.1.0                     granted
    wasi:clocks/wall-clock@0.2.6                 harmless
    wasi:http/client@0.3.0                       fenced
",
            sum(0),
            sum(1),
            sum(2),
            sum(0)
        );
        assert_eq!(shown, want);
        assert_eq!(report.unfenced(), []);
    }

    #[test]
    fn an_import_in_no_list_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let text = r#"(component (import "acme:x/y" (instance (export "f" (func))))
            (import "wasi:http/client@0.3.0" (instance (export "send" (func)))))"#;
        let report = report(&manifest(dir.path(), text, Inherit::Nothing)).unwrap();
        let found: Vec<_> = report
            .unfenced()
            .into_iter()
            .map(|found| found.import)
            .collect();
        assert_eq!(found, ["acme:x/y"]);
        assert!(report.to_string().contains("UNFENCED"));
    }

    #[test]
    fn the_digest_is_that_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let report = report(&manifest(dir.path(), PURE, Inherit::Nothing)).unwrap();
        let json = serde_json::to_value(&report).unwrap();
        let bytes = std::fs::read(dir.path().join("pure.wasm")).unwrap();
        assert_eq!(
            json["components"][1]["sha256"],
            hex::encode(Sha256::digest(bytes))
        );
        assert_eq!(
            json["components"][2]["dependencies"][0]["imports"][0]["verdict"],
            "types-only"
        );
    }

    #[test]
    fn a_missing_artifact_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = manifest(dir.path(), PURE, Inherit::Nothing);
        std::fs::remove_file(dir.path().join("dep.wasm")).unwrap();
        let error = format!("{:#}", report(&manifest).unwrap_err());
        assert!(
            error.contains("dep.wasm") && error.contains("run `chatly build`"),
            "{error}"
        );
    }
}
