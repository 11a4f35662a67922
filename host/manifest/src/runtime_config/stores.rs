//! `[key_value_store.<label>]` and `[sqlite_database.<label>]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::names;
use super::super::reader::Table;
use super::{KeyValueStore, Scope};

const KEY_VALUE_TYPES: &str = "\"spin\" or \"redis\"";

/// The labelled tables under `key`, each with its type.
fn labelled<'r, 'a>(root: &Table<'r, 'a>, key: &'static str) -> Vec<(&'r str, Table<'r, 'a>)> {
    let entries = root
        .table(key)
        .map(|table| table.entries())
        .unwrap_or_default();
    let mut tables = Vec::new();
    for (label, item) in entries {
        if let Err(refusal) = names::label(label) {
            item.problem(format!("the label {label:?} {refusal}"));
        }
        if let Some(table) = item.table() {
            tables.push((label, table));
        }
    }
    tables
}

pub(super) fn key_value(
    root: &Table<'_, '_>,
    scope: &Scope<'_>,
) -> BTreeMap<String, KeyValueStore> {
    let read = |(label, table): (&str, Table<'_, '_>)| {
        let store = key_value_store(&table, scope)?;
        table.finish();
        Some((label.to_owned(), store))
    };
    labelled(root, "key_value_store")
        .into_iter()
        .filter_map(read)
        .collect()
}

/// Finishes no table of a type that it refuses: what else is in it has no meaning here.
fn key_value_store(table: &Table<'_, '_>, scope: &Scope<'_>) -> Option<KeyValueStore> {
    let kind = table.required_string("type", "type = \"spin\"")?;
    match kind.as_str() {
        "spin" => path(table, "path = \"store.db\"").map(|path| {
            let path = scope.folder.join(path);
            KeyValueStore::Spin(path)
        }),
        "redis" => {
            let url = table.required_string("url", "url = \"redis://127.0.0.1:6379\"")?;
            Some(KeyValueStore::Redis(url.into()))
        }
        "azure_cosmos" | "aws_dynamo" => {
            table.get("type")?.problem(format!(
                "not supported by this host: it has no {kind:?} store; write {KEY_VALUE_TYPES}"
            ));
            None
        }
        _ => {
            table.get("type")?.problem(format!(
                "{kind:?} is no kind of store; write {KEY_VALUE_TYPES}"
            ));
            None
        }
    }
}

pub(super) fn sqlite(root: &Table<'_, '_>, scope: &Scope<'_>) -> BTreeMap<String, PathBuf> {
    let read = |(label, table): (&str, Table<'_, '_>)| {
        let path = sqlite_database(&table, scope)?;
        table.finish();
        Some((label.to_owned(), path))
    };
    labelled(root, "sqlite_database")
        .into_iter()
        .filter_map(read)
        .collect()
}

fn sqlite_database(table: &Table<'_, '_>, scope: &Scope<'_>) -> Option<PathBuf> {
    let kind = table.required_string("type", "type = \"spin\"")?;
    match kind.as_str() {
        "spin" => {}
        "libsql" => {
            table.get("type")?.problem(
                "not supported by this host: it has no client for libSQL servers; write \
                 \"spin\" and the path of a file",
            );
            return None;
        }
        _ => {
            table
                .get("type")?
                .problem(format!("{kind:?} is no kind of database; write \"spin\""));
            return None;
        }
    }
    if table.boolean("allow_attach_file") == Some(true) {
        table.get("allow_attach_file")?.problem(
            "not supported by this host: a component may never attach another file; remove the key",
        );
    }
    let path = path(table, "path = \"database.db\"");
    Some(scope.working_directory.join(path?))
}

/// `path`, without which Spin keeps everything in memory.
fn path(table: &Table<'_, '_>, example: &str) -> Option<String> {
    if !table.has("path") {
        table.get("path");
        table.problem(format!(
            "has no path, by which Spin keeps it in memory; this host keeps it on disk: add `{example}`"
        ));
        return None;
    }
    table.required_string("path", example)
}
