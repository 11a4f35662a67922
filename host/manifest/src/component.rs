//! `[component.<id>]`, and a component written out inside its trigger.

use std::path::{Component as Step, Path, PathBuf};

use super::application::{chatly_tool, read_limits};
use super::dependency;
use super::model::{Build, Component, FileMount};
use super::names;
use super::reader::{Item, Table};
use super::scope::Scope;

/// Reads the component in `item`.
pub(super) fn read(id: &str, item: &Item<'_, '_>, scope: &Scope<'_>) -> Option<Component> {
    if let Err(refusal) = names::kebab(id) {
        item.problem(format!("the component id {id:?} {refusal}"));
    }
    let table = item.table()?;
    let mut component = Component {
        id: id.to_owned(),
        line: table.line(),
        source: source(&table, scope).unwrap_or_default(),
        description: table.string("description").unwrap_or_default(),
        files: files(&table),
        exclude_files: table.strings("exclude_files"),
        allowed_outbound_hosts: hosts(&table, scope),
        key_value_stores: labels(&table, "key_value_stores"),
        sqlite_databases: labels(&table, "sqlite_databases"),
        ai_models: table.strings("ai_models"),
        build: table
            .table("build")
            .and_then(|build| read_build(&build, scope)),
        ..Component::default()
    };
    for (name, item, template) in table.string_map("variables") {
        if let Err(refusal) = names::lower_snake(name) {
            item.problem(format!("the variable name {name:?} {refusal}"));
        }
        scope.check_template(&item, &template);
        component.variables.insert(name.to_owned(), template);
    }
    for (name, _, value) in table.string_map("environment") {
        component.environment.insert(name.to_owned(), value);
    }
    dependency::read_all(&table, &mut component, scope);
    if let Some(chatly) = chatly_tool(&table) {
        component.limits = read_limits(&chatly);
        chatly.finish();
    }
    refuse_foreign_fields(&table);
    table.finish();
    Some(component)
}

fn refuse_foreign_fields(table: &Table<'_, '_>) {
    table.unsupported(
        "allowed_http_hosts",
        "it is Spin's old name for allowed_outbound_hosts; use that",
    );
    table.unsupported(
        "targets",
        "it checks no component against other environments; remove the key",
    );
    table.unsupported(
        "profile",
        "it knows one build of each component; remove the table",
    );
}

fn source(table: &Table<'_, '_>, scope: &Scope<'_>) -> Option<PathBuf> {
    const EXAMPLE: &str = "source = \"target/wasm32-wasip2/release/NAME.wasm\"";
    let Some(item) = table.get("source") else {
        table.missing("source", EXAMPLE);
        return None;
    };
    if item.is_table() {
        item.problem(format!(
            "not supported by this host: it downloads no component, neither from a URL nor from \
             a registry; fetch the file and write `{EXAMPLE}`"
        ));
        return None;
    }
    let path = item.string()?;
    if path.is_empty() {
        item.problem(format!("is empty; write `{EXAMPLE}`"));
        return None;
    }
    Some(absolute(scope.folder, &path))
}

/// `path` seen from `folder`, without `.` steps. `..` stays: the folder before it may be a link.
pub(super) fn absolute(folder: &Path, path: &str) -> PathBuf {
    folder
        .join(path)
        .components()
        .filter(|step| !matches!(step, Step::CurDir))
        .collect()
}

fn hosts(table: &Table<'_, '_>, scope: &Scope<'_>) -> Vec<String> {
    let Some(list) = table.get("allowed_outbound_hosts") else {
        return Vec::new();
    };
    let mut hosts = Vec::new();
    for element in list.elements() {
        let Some(host) = element.string() else {
            continue;
        };
        scope.check_template(&element, &host);
        hosts.push(host);
    }
    hosts
}

fn labels(table: &Table<'_, '_>, key: &'static str) -> Vec<String> {
    let Some(list) = table.get(key) else {
        return Vec::new();
    };
    let mut labels = Vec::new();
    for element in list.elements() {
        let Some(label) = element.string() else {
            continue;
        };
        if let Err(refusal) = names::label(&label) {
            element.problem(format!("the label {label:?} {refusal}"));
        }
        labels.push(label);
    }
    labels
}

fn files(table: &Table<'_, '_>) -> Vec<FileMount> {
    let Some(list) = table.get("files") else {
        return Vec::new();
    };
    list.elements().iter().filter_map(read_file).collect()
}

fn read_file(item: &Item<'_, '_>) -> Option<FileMount> {
    if !item.is_table() {
        return item.string().map(FileMount::Pattern);
    }
    let table = item.table()?;
    let source = table.required_string("source", "source = \"assets\"");
    let destination = table.required_string("destination", "destination = \"/\"");
    table.finish();
    let (source, destination) = (source?, destination?);
    if !destination.starts_with('/') {
        item.problem(format!(
            "the destination must be absolute; write \"/{destination}\""
        ));
    }
    Some(FileMount::Placement {
        source: source.into(),
        destination,
    })
}

fn read_build(table: &Table<'_, '_>, scope: &Scope<'_>) -> Option<Build> {
    const EXAMPLE: &str = "command = \"cargo build --release --target wasm32-wasip2 -p NAME\"";
    let workdir = match table.string("workdir") {
        Some(workdir) => absolute(scope.folder, &workdir),
        None => scope.folder.to_owned(),
    };
    let watch = table.strings("watch");
    let item = table.get("command");
    table.finish();
    let Some(item) = item else {
        table.missing("command", EXAMPLE);
        return None;
    };
    let command = if item.is_array() {
        item.strings()
    } else {
        vec![item.string()?]
    };
    if command.is_empty() || command.iter().any(|line| line.trim().is_empty()) {
        item.problem(format!("is empty; write `{EXAMPLE}`"));
    }
    Some(Build {
        command,
        workdir,
        watch,
    })
}
