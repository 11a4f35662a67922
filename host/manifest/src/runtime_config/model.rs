//! The runtime config as the rest of the host sees it: checked, paths made absolute.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// One `runtime-config.toml`, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// `state_dir`; `--state-dir` wins.
    pub state_dir: Option<PathBuf>,
    /// `log_dir`; `--log-dir` wins.
    pub log_dir: Option<LogDir>,
    /// `max_instance_memory`: bytes of linear memory that no instance may exceed.
    pub max_instance_memory: Option<u64>,
    /// `[key_value_store.<label>]`.
    pub key_value_stores: BTreeMap<String, KeyValueStore>,
    /// `[sqlite_database.<label>]` of type `spin`: the database file.
    pub sqlite_databases: BTreeMap<String, PathBuf>,
    /// `[[variables_provider]]` or `[[config_provider]]`; the first that has a variable gives it.
    pub variable_providers: Vec<VariableProvider>,
    /// `[outbound_networking] block_networks`.
    pub blocked_networks: BlockedNetworks,
    /// `[[client_tls]]`; the first that names component and host counts.
    pub client_tls: Vec<ClientTls>,
    /// `[outbound_http] max_connections`, of the application as a whole.
    pub max_http_connections: Option<u64>,
    /// `[llm_compute]`.
    pub llm_compute: Option<LlmCompute>,
}

/// `log_dir`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogDir {
    /// Empty: no files.
    Nowhere,
    /// A folder.
    At(PathBuf),
}

/// What keeps the values of a key-value store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyValueStore {
    /// `spin`: a SQLite file of Spin's form.
    Spin(PathBuf),
    /// `redis`: a server.
    Redis(Secret),
}

/// Where variables get values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableProvider {
    /// `static`: the values themselves.
    Static(BTreeMap<String, Secret>),
    /// `env`: `<prefix>_<NAME>` in the environment, else in a file.
    Env {
        /// `prefix`; `SPIN_VARIABLE` when absent.
        prefix: String,
        /// `dotenv_path`.
        dotenv_path: Option<PathBuf>,
    },
}

/// Addresses to which nobody connects, whatever a manifest grants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockedNetworks {
    /// Networks in CIDR notation, as written.
    pub networks: Vec<String>,
    /// `private`: every address that is not public.
    pub private: bool,
}

/// How some components connect by TLS to some hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTls {
    /// `component_ids`.
    pub component_ids: Vec<String>,
    /// `hosts`: names, without ports.
    pub hosts: Vec<String>,
    /// Whether the operating system's certificate authorities are trusted.
    pub platform_roots: bool,
    /// Whether Mozilla's certificate authorities are trusted.
    pub webpki_roots: bool,
    /// `ca_roots_file`: further authorities, PEM.
    pub ca_roots_file: Option<PathBuf>,
    /// `client_cert_file` and `client_private_key_file`, PEM.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

/// Where inference happens: `type = "remote_http"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmCompute {
    /// `url`.
    pub url: String,
    /// `auth_token`.
    pub auth_token: Secret,
    /// `api_type`.
    pub api_type: LlmApi,
}

/// What a server of models speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LlmApi {
    /// `default`: Spin's own.
    Default,
    /// `open_ai`.
    OpenAi,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}
