//! The manifest as the rest of the host sees it: checked, paths made absolute,
//! nothing left to interpret but `{{ }}` templates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One `spin.toml`, checked.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Absolute path of the file this came from.
    pub path: PathBuf,
    /// `[application]`.
    pub application: Application,
    /// `[variables]`, by name.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]`, in file order.
    pub triggers: Vec<HttpTrigger>,
    /// `[component.*]`, by id.
    pub components: BTreeMap<String, Component>,
}

/// `[application]`.
#[derive(Debug, Clone, Default)]
pub struct Application {
    /// `name`.
    pub name: String,
    /// `version`; empty when absent.
    pub version: String,
    /// `description`; empty when absent.
    pub description: String,
    /// `authors`.
    pub authors: Vec<String>,
    /// `[application.tool.chatly.schedule]`: schedule name → period. `sweep` is the only name known.
    pub schedule: BTreeMap<String, Duration>,
    /// `[application.tool.chatly.local_secrets]`: variable → what is made up for it where nobody
    /// gives it a value.
    pub local_secrets: BTreeMap<String, LocalSecret>,
    /// `[application.tool.chatly.limits]`: what a component gets that sets no limits of its own.
    pub limits: Limits,
}

/// The form of a secret that is made up for local use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalSecret {
    /// `token`: random text.
    Token,
    /// `standard-webhooks`: random bytes as Standard Webhooks writes them, `whsec_…`.
    StandardWebhooks,
    /// `ed25519`: a public key in hex; the private one is kept beside it.
    Ed25519,
}

/// One entry of `[variables]`.
#[derive(Debug, Clone, Default)]
pub struct Variable {
    /// `required = true`: the start fails when no provider has it.
    pub required: bool,
    /// `default`.
    pub default: Option<String>,
    /// `secret = true`: never printed.
    pub secret: bool,
}

/// One `[[trigger.http]]`.
#[derive(Debug, Clone)]
pub struct HttpTrigger {
    /// `id`, or the one that Spin gives a trigger without.
    pub id: String,
    /// `route`.
    pub route: Route,
    /// What answers.
    pub answer: Answer,
}

impl HttpTrigger {
    /// The id of the component that answers; none for a static response.
    #[must_use]
    pub fn component(&self) -> Option<&str> {
        match &self.answer {
            Answer::Component(id) => Some(id),
            Answer::Static(_) => None,
        }
    }
}

/// What answers the requests of a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `component`: the component with this id.
    Component(String),
    /// `static_response`: the host itself.
    Static(StaticResponse),
}

/// `static_response` of an HTTP trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticResponse {
    /// `status_code`; 200 when absent.
    pub status_code: u16,
    /// `headers`: name and value, each valid in HTTP.
    pub headers: Vec<(String, String)>,
    /// `body`; empty when absent.
    pub body: String,
}

/// `route` of an HTTP trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `"/a/:b/..."`.
    Path(String),
    /// `{ private = true }`: reached only as `http://<component id>.spin.internal`.
    Private,
}

/// One `[component.<id>]`.
#[derive(Debug, Clone, Default)]
pub struct Component {
    /// The id, its table's name.
    pub id: String,
    /// Line of its table in the file, from 1: the order in which builds run. 0: from no file.
    pub line: usize,
    /// `source`.
    pub source: Source,
    /// `description`; empty when absent.
    pub description: String,
    /// `[component.<id>.variables]`: name → template.
    pub variables: BTreeMap<String, String>,
    /// `environment`.
    pub environment: BTreeMap<String, String>,
    /// `files`.
    pub files: Vec<FileMount>,
    /// `exclude_files`.
    pub exclude_files: Vec<String>,
    /// `allowed_outbound_hosts`, as written (may hold templates).
    pub allowed_outbound_hosts: Vec<String>,
    /// `key_value_stores`.
    pub key_value_stores: Vec<String>,
    /// `sqlite_databases`.
    pub sqlite_databases: Vec<String>,
    /// `ai_models`.
    pub ai_models: Vec<String>,
    /// `[component.<id>.build]`.
    pub build: Option<Build>,
    /// `[component.<id>.dependencies]`: import name or package → what fills it.
    pub dependencies: BTreeMap<String, Dependency>,
    /// `dependencies_inherit_configuration = true`: every dependency inherits everything, and
    /// [`Dependency::inherit`] of each says so.
    pub dependencies_inherit_configuration: bool,
    /// `dependencies.middleware` of the trigger that this component answers, outermost first.
    pub middleware: Vec<Middleware>,
    /// `[component.<id>.tool.chatly]`.
    pub limits: Limits,
}

/// Where a component's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Absolute path of a `.wasm` file.
    Path(PathBuf),
    /// `{ url, digest }`.
    Url(Download),
}

impl Default for Source {
    fn default() -> Self {
        Self::Path(PathBuf::new())
    }
}

impl Source {
    /// The file; none for what is still to be downloaded.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Url(_) => None,
        }
    }
}

/// A file on a web server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Download {
    /// `url`: `http` or `https`.
    pub url: String,
    /// `digest` behind its `sha256:`: 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// One entry of `dependencies.middleware`: it gets the requests before the component does, and
/// passes them on by its import of `wasi:http/handler`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Middleware {
    /// Where the bytes come from.
    pub source: DependencySource,
    /// `inherit_configuration`.
    pub inherit: Inherit,
}

/// One entry of `files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileMount {
    /// A path or glob, placed at the same relative path in the guest.
    Pattern(String),
    /// `{ source, destination }`: a file, or a directory with everything below it.
    Placement {
        /// Path on the host, relative to the manifest.
        source: PathBuf,
        /// Path in the guest, seen from `/`.
        destination: String,
    },
}

/// `[component.<id>.build]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// `command`: run by the shell; a list of commands is run in order.
    pub command: Vec<String>,
    /// `workdir`: absolute; the manifest's folder when absent.
    pub workdir: PathBuf,
    /// `watch`: globs.
    pub watch: Vec<String>,
}

/// What fills one import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Where the bytes come from.
    pub source: DependencySource,
    /// `export`: the dependency's export that fills the import, when its name differs.
    pub export: Option<String>,
    /// `inherit_configuration`.
    pub inherit: Inherit,
}

/// Where a dependency's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencySource {
    /// `{ component = "id" }`.
    Component(String),
    /// `{ path = "file.wasm" }`: absolute.
    Path(PathBuf),
    /// `{ url, digest }`.
    Url(Download),
}

/// `inherit_configuration` of a dependency. Whatever is not inherited is fenced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Inherit {
    /// `false`, or absent.
    #[default]
    Nothing,
    /// `true`.
    Everything,
    /// A list of configuration keys, each known to [`INHERITABLE`].
    Only(Vec<String>),
}

/// The configuration keys that `inherit_configuration` may list.
pub const INHERITABLE: [&str; 7] = [
    "ai_models",
    "allowed_outbound_hosts",
    "environment",
    "files",
    "key_value_stores",
    "sqlite_databases",
    "variables",
];

/// `[component.<id>.tool.chatly]`: limits that only this host enforces. `None`: the application's,
/// else the host's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// `response_timeout`: time from request to response head.
    pub response_timeout: Option<Duration>,
    /// `cpu_timeout`: CPU time without yielding to the host.
    pub cpu_timeout: Option<Duration>,
    /// `background_timeout`: how long work may go on after the last response.
    pub background_timeout: Option<Duration>,
    /// `max_memory_mib`: linear memory of one instance, in MiB.
    pub max_memory_mib: Option<u64>,
    /// `max_concurrency`: requests at once in one instance.
    pub max_concurrency: Option<u32>,
}
