//! Reads `runtime-config.toml`: what one place that runs an application decides about it.
//!
//! 1. Every key is known or refused, as in the manifest, also where Spin would overlook it: in the
//!    tables of stores and providers.
//! 2. Paths start where Spin has them start: those of `[key_value_store]` and `[[client_tls]]` at
//!    this file's folder, all others at the working directory.
//! 3. What it names is not looked at: whoever uses a value finds out whether it is any good.

mod model;
mod network;
mod stores;
#[cfg(test)]
mod tests;
mod variables;

use std::path::{Path, PathBuf};

pub use model::*;

use super::Error;
use super::reader::{Reader, Table};

impl RuntimeConfig {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// [`Error`], with every problem of the file.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let working_directory = std::env::current_dir().map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path, &working_directory)
    }

    /// Checks `text`, the content of the file at `path`, for a host that runs in
    /// `working_directory`.
    ///
    /// # Errors
    /// [`Error`], with every problem of the file.
    pub fn parse(text: &str, path: &Path, working_directory: &Path) -> Result<Self, Error> {
        let reader = Reader::new(text);
        let absolute = working_directory.join(path);
        let scope = Scope {
            folder: absolute.parent().unwrap_or(working_directory),
            working_directory,
        };
        let config = reader.parse().map(|document| {
            let root = reader.root(&document);
            let config = read(&root, &scope);
            root.finish();
            config
        });
        let problems = reader.into_problems();
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Error::Invalid {
                path: path.to_owned(),
                problems,
            }),
        }
    }
}

/// Where relative paths start.
struct Scope<'s> {
    /// The file's folder.
    folder: &'s Path,
    working_directory: &'s Path,
}

fn read(root: &Table<'_, '_>, scope: &Scope<'_>) -> RuntimeConfig {
    refuse_bounds(root);
    RuntimeConfig {
        state_dir: state_dir(root, scope),
        log_dir: root.string("log_dir").map(|folder| match folder.as_str() {
            "" => LogDir::Nowhere,
            folder => LogDir::At(scope.working_directory.join(folder)),
        }),
        max_instance_memory: root
            .get("max_instance_memory")
            .and_then(|item| item.positive(u64::MAX)),
        key_value_stores: stores::key_value(root, scope),
        sqlite_databases: stores::sqlite(root, scope),
        variable_providers: variables::read(root, scope),
        blocked_networks: network::blocked(root),
        client_tls: network::client_tls(root, scope),
        max_http_connections: network::outbound_http(root),
        llm_compute: llm_compute(root),
    }
}

fn state_dir(root: &Table<'_, '_>, scope: &Scope<'_>) -> Option<PathBuf> {
    let item = root.get("state_dir")?;
    let folder = item.string()?;
    if folder.is_empty() {
        item.problem(
            "is empty, by which Spin keeps databases in memory; this host keeps them on disk: \
             name a folder, or remove the key for the default",
        );
        return None;
    }
    Some(scope.working_directory.join(folder))
}

fn llm_compute(root: &Table<'_, '_>) -> Option<LlmCompute> {
    const EXAMPLE: &str = "type = \"remote_http\"";
    let table = root.table("llm_compute")?;
    let kind = table.required_string("type", EXAMPLE)?;
    match (kind.as_str(), table.get("type")) {
        ("remote_http", _) => {}
        ("spin", Some(item)) => {
            item.problem(format!(
                "not supported by this host: it runs no model itself; write `{EXAMPLE}`, with url and auth_token"
            ));
            return None;
        }
        (_, Some(item)) => {
            item.problem(format!(
                "{kind:?} is no kind of inference; write `{EXAMPLE}`"
            ));
            return None;
        }
        (_, None) => return None,
    }
    let url = table.required_string("url", "url = \"https://…\"");
    let auth_token = table.required_string("auth_token", "auth_token = \"…\"");
    let api_type = match table.get("api_type") {
        None => Some(LlmApi::Default),
        Some(item) => match item.string().as_deref() {
            Some("default") => Some(LlmApi::Default),
            Some("open_ai") => Some(LlmApi::OpenAi),
            Some(other) => {
                item.problem(format!(
                    "{other:?} is no API; write \"default\" or \"open_ai\""
                ));
                None
            }
            None => None,
        },
    };
    table.finish();
    Some(LlmCompute {
        url: url?,
        auth_token: auth_token?.into(),
        api_type: api_type?,
    })
}

/// Tables of Spin that bound what this host does not count.
fn refuse_bounds(root: &Table<'_, '_>) {
    for (table, what) in [
        ("outbound_redis", "connections to Redis"),
        ("outbound_pg", "connections to PostgreSQL"),
        ("outbound_mysql", "connections to MySQL"),
        ("outbound_mqtt", "connections to MQTT brokers"),
    ] {
        root.unsupported(
            table,
            &format!("it does not bound {what} of the application as a whole; remove the table"),
        );
    }
}
