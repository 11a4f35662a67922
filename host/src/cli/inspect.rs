//! `chatly inspect`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use super::manifest_file::ManifestFile;
use super::up::default_state_dir;
use crate::download;
use crate::inspect::{self, Report};
use crate::manifest::{Component, Manifest};

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
    let mut manifest = args.manifest.load()?;
    let state_root = default_state_dir(&manifest);
    download::fetch_all(&mut manifest, &state_root)?;
    let report = inspect::report(&manifest)?;
    let text = if args.json {
        json(&manifest, &report)?
    } else {
        words(&manifest, &report)
    };
    io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .context("standard output cannot be written")?;
    let unfenced = report.unfenced();
    for found in &unfenced {
        // With standard error gone, the exit code still tells.
        let _ = writeln!(
            io::stderr(),
            "error: {} in {} imports {}, which is neither granted nor fenced",
            found.dependency,
            found.component,
            found.import
        );
    }
    Ok(if unfenced.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What the manifest grants one component itself, by the names of its keys.
#[derive(Serialize)]
struct Granted<'m> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_outbound_hosts: Vec<&'m str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sqlite_databases: Vec<&'m str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_value_stores: Vec<&'m str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ai_models: Vec<&'m str>,
    /// Names only: a value may be a secret.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variables: Vec<&'m str>,
    /// Names only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    environment: Vec<&'m str>,
    /// How many mounts.
    #[serde(skip_serializing_if = "is_zero")]
    files: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl<'m> Granted<'m> {
    fn new(component: &'m Component) -> Self {
        fn texts<'m>(all: impl IntoIterator<Item = &'m String>) -> Vec<&'m str> {
            all.into_iter().map(String::as_str).collect()
        }
        Self {
            allowed_outbound_hosts: texts(&component.allowed_outbound_hosts),
            sqlite_databases: texts(&component.sqlite_databases),
            key_value_stores: texts(&component.key_value_stores),
            ai_models: texts(&component.ai_models),
            variables: texts(component.variables.keys()),
            environment: texts(component.environment.keys()),
            files: component.files.len(),
        }
    }

    fn words(&self) -> String {
        let lists = [
            ("allowed_outbound_hosts", &self.allowed_outbound_hosts),
            ("sqlite_databases", &self.sqlite_databases),
            ("key_value_stores", &self.key_value_stores),
            ("ai_models", &self.ai_models),
            ("variables", &self.variables),
            ("environment", &self.environment),
        ];
        let mut parts: Vec<String> = lists
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(key, list)| format!("{key} {}", list.join(", ")))
            .collect();
        if self.files > 0 {
            parts.push(format!("files {}", self.files));
        }
        if parts.is_empty() {
            "nothing".to_owned()
        } else {
            parts.join("; ")
        }
    }
}

fn words(manifest: &Manifest, report: &Report) -> String {
    let mut text = format!("{report}\ngranted by the manifest:\n");
    let width = manifest
        .components
        .keys()
        .map(String::len)
        .max()
        .unwrap_or_default();
    for (id, component) in &manifest.components {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {id:width$}  {}", Granted::new(component).words());
    }
    text
}

/// The report, with `granted` added to each component.
fn json(manifest: &Manifest, report: &Report) -> Result<String> {
    let mut document = serde_json::to_value(report)?;
    let components = document.get_mut("components").and_then(Value::as_array_mut);
    for entry in components.into_iter().flatten() {
        let id = entry.get("id").and_then(Value::as_str).unwrap_or_default();
        let Some(component) = manifest.components.get(id) else {
            continue;
        };
        let granted = serde_json::to_value(Granted::new(component))?;
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("granted".to_owned(), granted);
        }
    }
    Ok(format!("{document:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_shown_and_values_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let component = wat::parse_str("(component)").unwrap();
        std::fs::write(folder.path().join("x.wasm"), component).unwrap();
        let text = "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\n\
                    component.none.source = \"x.wasm\"\n\
                    [component.a]\nsource = \"x.wasm\"\nsqlite_databases = [\"default\"]\n\
                    allowed_outbound_hosts = [\"https://a\", \"https://b\"]\nfiles = [\"f\"]\n\
                    variables.token = \"hidden\"\nenvironment.KEY = \"hidden\"\n";
        let manifest = Manifest::parse(text, &folder.path().join("spin.toml")).unwrap();
        let report = inspect::report(&manifest).unwrap();
        let shown = words(&manifest, &report);
        let want = "\ngranted by the manifest:\n  \
                    a     allowed_outbound_hosts https://a, https://b; sqlite_databases default; variables token; environment KEY; files 1\n  \
                    none  nothing\n";
        assert!(shown.ends_with(want), "{shown}");
        assert!(!shown.contains("hidden"));
        let document: Value = serde_json::from_str(&json(&manifest, &report).unwrap()).unwrap();
        let granted = |at: usize| document["components"][at]["granted"].to_string();
        assert_eq!(
            granted(0),
            r#"{"allowed_outbound_hosts":["https://a","https://b"],"sqlite_databases":["default"],"variables":["token"],"environment":["KEY"],"files":1}"#
        );
        assert_eq!(granted(1), "{}");
    }
}
