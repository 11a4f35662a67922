//! Runs the build commands of a manifest.
//!
//! 1. Each pair of command and folder runs once, in the order of the file, however many
//!    components share it; the tool that it calls decides what is stale.
//! 2. Missing wasm targets are added before the first command.
//! 3. The tools' output and the progress lines go to standard error: standard output is for
//!    results.
//! 4. A tool sees the environment of the shell that started `cargo chatly`, not what cargo adds for
//!    the program it runs: with those variables its caches would be stale in every other call.

mod targets;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use crate::manifest::{Component, DependencySource, Manifest, Source};

/// Why a build stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A command ran and failed.
    #[error(
        "building {components} failed: `{command}` in {} ended with {status}",
        workdir.display()
    )]
    Failed {
        /// Ids of the components that have the command.
        components: String,
        /// The command.
        command: String,
        /// Where it ran.
        workdir: PathBuf,
        /// How it ended.
        status: ExitStatus,
    },
    /// A command could not be started.
    #[error(
        "building {components} failed: `{command}` cannot be started in {}: {source}; check `workdir` in [component.*.build]",
        workdir.display()
    )]
    Start {
        /// Ids of the components that have the command.
        components: String,
        /// The command.
        command: String,
        /// Where it should run.
        workdir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A wasm target is missing and cannot be added.
    #[error(transparent)]
    Target(#[from] targets::Error),
    /// A component's file is not there.
    #[error("component.{component}.source: there is no file {}; {}", path.display(), how_to_make(*has_build))]
    NoArtifact {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// Whether a build should have made it.
        has_build: bool,
    },
}

fn how_to_make(has_build: bool) -> &'static str {
    if has_build {
        "its build command made none: check that `source` names what the command builds"
    } else {
        "build it, or add `command` under [component.ID.build]"
    }
}

/// One command and the components that have it.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    components: Vec<String>,
    command: String,
    workdir: PathBuf,
}

impl Step {
    fn ids(&self) -> String {
        self.components.join(", ")
    }

    fn run(&self) -> Result<(), Error> {
        let status = shell(&self.command)
            .current_dir(&self.workdir)
            .stdin(Stdio::null())
            .stdout(Stdio::from(io::stderr()))
            .status()
            .map_err(|source| Error::Start {
                components: self.ids(),
                command: self.command.clone(),
                workdir: self.workdir.clone(),
                source,
            })?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Failed {
            components: self.ids(),
            command: self.command.clone(),
            workdir: self.workdir.clone(),
            status,
        })
    }
}

/// Builds `manifest`: all components, or those named in `only` and what fills their imports.
pub fn build(manifest: &Manifest, only: &[String]) -> Result<(), Error> {
    let components = selected(manifest, only);
    let steps = plan(&components);
    targets::ensure(
        steps
            .iter()
            .map(|step| (step.workdir.as_path(), step.command.as_str())),
    )?;
    for (index, step) in steps.iter().enumerate() {
        progress(&format!(
            "building {} ({} of {})",
            step.ids(),
            index + 1,
            steps.len()
        ));
        step.run()?;
    }
    components
        .iter()
        .try_for_each(|component| check_artifact(component))
}

fn check_artifact(component: &Component) -> Result<(), Error> {
    let Source::Path(path) = &component.source else {
        // No build makes a download.
        return Ok(());
    };
    if path.is_file() {
        return Ok(());
    }
    Err(Error::NoArtifact {
        component: component.id.clone(),
        path: path.clone(),
        has_build: component.build.is_some(),
    })
}

/// The components to build, in file order.
fn selected<'m>(manifest: &'m Manifest, only: &[String]) -> Vec<&'m Component> {
    let mut wanted: BTreeSet<&str> = only.iter().map(String::as_str).collect();
    for component in only.iter().filter_map(|id| manifest.components.get(id)) {
        let dependencies = component.dependencies.values().map(|one| &one.source);
        let middleware = component.middleware.iter().map(|one| &one.source);
        for source in dependencies.chain(middleware) {
            if let DependencySource::Component(id) = source {
                wanted.insert(id);
            }
        }
    }
    let is_wanted = |component: &&Component| only.is_empty() || wanted.contains(&*component.id);
    let mut components: Vec<_> = manifest.components.values().filter(is_wanted).collect();
    components.sort_by_key(|component| component.line);
    components
}

/// Every pair of command and folder once, at its first place.
fn plan(components: &[&Component]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for component in components {
        let Some(build) = &component.build else {
            continue;
        };
        for command in &build.command {
            let same = |step: &&mut Step| step.command == *command && step.workdir == build.workdir;
            match steps.iter_mut().find(same) {
                Some(step) if step.components.contains(&component.id) => {}
                Some(step) => step.components.push(component.id.clone()),
                None => steps.push(Step {
                    components: vec![component.id.clone()],
                    command: command.clone(),
                    workdir: build.workdir.clone(),
                }),
            }
        }
    }
    steps
}

fn progress(line: &str) {
    // Nobody listening to progress is no reason to stop.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = tool("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = tool("cmd");
    shell.arg("/C").arg(command);
    shell
}

/// A command without the variables that cargo sets for the program it runs.
fn tool(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_set_by_cargo_run) {
            command.env_remove(&name);
        }
    }
    command
}

/// Whether cargo or rustup sets this variable for the program that `cargo run` starts (Cargo book,
/// "Environment variables Cargo sets for crates"). What a user sets, like `CARGO_HOME`,
/// `CARGO_TARGET_DIR` or `CARGO_NET_OFFLINE`, stays.
fn is_set_by_cargo_run(name: &str) -> bool {
    const NAMES: [&str; 11] = [
        "CARGO",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MAKEFLAGS",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_LINKS",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_TMPDIR",
        "OUT_DIR",
        "RUST_RECURSION_COUNT",
    ];
    const PREFIXES: [&str; 2] = ["CARGO_BIN_EXE_", "CARGO_PKG_"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn manifest(folder: &Path, components: &str) -> Manifest {
        let head = "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\n";
        Manifest::parse(&format!("{head}{components}"), &folder.join("spin.toml")).unwrap()
    }

    #[test]
    fn equal_commands_run_once_in_file_order() {
        let manifest = manifest(
            Path::new("/app"),
            "component.z = { source = \"z\", build = { command = \"make all\" } }\n\
             component.plain = { source = \"p\" }\n\
             component.m = { source = \"m\", build = { command = [\"gen\", \"make all\", \"gen\"] } }\n\
             component.b = { source = \"b\", build = { command = \"make all\", workdir = \"sub\" } }\n",
        );
        let step = |components: &[&str], command: &str, workdir: &str| Step {
            components: components.iter().map(|id| (*id).to_owned()).collect(),
            command: command.to_owned(),
            workdir: workdir.into(),
        };
        let want = [
            step(&["z", "m"], "make all", "/app"),
            step(&["m"], "gen", "/app"),
            step(&["b"], "make all", "/app/sub"),
        ];
        assert_eq!(plan(&selected(&manifest, &[])), want);
    }

    #[test]
    fn a_named_component_brings_what_fills_its_imports() {
        let manifest = manifest(
            Path::new("/app"),
            "component.other = { source = \"o\" }\n\
             component.plugin = { source = \"p\" }\n\
             component.a = { source = \"a\", dependencies = { \"x:y\" = { component = \"plugin\" } } }\n",
        );
        let ids = |only: &[String]| -> Vec<&str> {
            selected(&manifest, only)
                .iter()
                .map(|component| component.id.as_str())
                .collect()
        };
        assert_eq!(ids(&["a".to_owned()]), ["plugin", "a"]);
        assert_eq!(ids(&[]), ["other", "plugin", "a"]);
    }

    #[test]
    fn variables_of_cargo_run_are_told_from_the_users() {
        for (name, want) in [
            ("CARGO", true),
            ("CARGO_MANIFEST_DIR", true),
            ("CARGO_PKG_VERSION", true),
            ("CARGO_BIN_EXE_chatly", true),
            ("RUST_RECURSION_COUNT", true),
            ("CARGO_HOME", false),
            ("CARGO_TARGET_DIR", false),
            ("CARGO_NET_OFFLINE", false),
            ("RUSTUP_TOOLCHAIN", false),
            ("RUSTFLAGS", false),
            ("PATH", false),
        ] {
            assert_eq!(is_set_by_cargo_run(name), want, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn commands_run_in_order_without_cargos_variables() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = manifest(
            folder.path(),
            "component.a = { source = \"a.wasm\", build = { command = \
             [\"printf 1 >> a.wasm\", \"printf \\\"$CARGO_MANIFEST_DIR\\\" >> a.wasm\", \"printf 2 >> a.wasm\"] } }\n",
        );
        assert!(
            std::env::var_os("CARGO_MANIFEST_DIR").is_some(),
            "cargo runs the tests"
        );
        build(&manifest, &[]).unwrap();
        assert_eq!(
            std::fs::read_to_string(folder.path().join("a.wasm")).unwrap(),
            "12"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_names_component_command_and_status() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        for (build_table, want) in [
            (
                "{ command = [\"exit 3\", \"touch never\"] }",
                format!("building a failed: `exit 3` in {at} ended with exit status: 3"),
            ),
            (
                "{ command = \"true\", workdir = \"nowhere\" }",
                format!(
                    "building a failed: `true` cannot be started in {at}/nowhere: No such file or directory (os error 2); check `workdir` in [component.*.build]"
                ),
            ),
            (
                "{ command = \"true\" }",
                format!(
                    "component.a.source: there is no file {at}/a.wasm; its build command made none: check that `source` names what the command builds"
                ),
            ),
        ] {
            let text = format!("component.a = {{ source = \"a.wasm\", build = {build_table} }}\n");
            let error = build(&manifest(folder.path(), &text), &[])
                .unwrap_err()
                .to_string();
            assert_eq!(error, want);
            assert!(!folder.path().join("never").exists());
        }
        let text = "component.a = { source = \"a.wasm\" }\n";
        let error = build(&manifest(folder.path(), text), &[])
            .unwrap_err()
            .to_string();
        let want = format!(
            "component.a.source: there is no file {at}/a.wasm; build it, or add `command` under [component.ID.build]"
        );
        assert_eq!(error, want);
    }
}
