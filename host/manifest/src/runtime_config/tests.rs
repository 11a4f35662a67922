//! Whole files: what they become, and the text of every error.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

const PATH: &str = "/etc/chatly/runtime-config.toml";

fn parse(text: &str) -> Result<RuntimeConfig, Error> {
    RuntimeConfig::parse(text, Path::new(PATH), Path::new("/app"))
}

#[test]
fn nothing_says_nothing() {
    assert_eq!(parse("").expect("is sound"), RuntimeConfig::default());
}

#[test]
fn a_file_that_uses_everything_is_read() {
    let text = include_str!("maximal.toml");
    let config = parse(text).expect("maximal.toml must be read");
    let secret = |text: &str| Secret::from(text.to_owned());
    let want = RuntimeConfig {
        state_dir: Some("/app/state".into()),
        log_dir: Some(LogDir::At("/var/log/chatly".into())),
        max_instance_memory: Some(67_108_864),
        key_value_stores: BTreeMap::from([
            (
                "default".to_owned(),
                KeyValueStore::Spin("/etc/chatly/default.db".into()),
            ),
            (
                "cache".to_owned(),
                KeyValueStore::Redis(secret("redis://127.0.0.1:6379")),
            ),
        ]),
        sqlite_databases: BTreeMap::from([("default".to_owned(), "/app/data/main.db".into())]),
        variable_providers: vec![
            VariableProvider::Static(BTreeMap::from([("token".to_owned(), secret("abc"))])),
            VariableProvider::Env {
                prefix: "APP".to_owned(),
                dotenv_path: Some("/app/local.env".into()),
            },
            VariableProvider::Env {
                prefix: "SPIN_VARIABLE".to_owned(),
                dotenv_path: None,
            },
        ],
        blocked_networks: BlockedNetworks {
            networks: vec!["1.1.1.1/32".to_owned(), "fd00::/8".to_owned()],
            private: true,
        },
        client_tls: vec![ClientTls {
            component_ids: vec!["deliver".to_owned()],
            hosts: vec!["internal.example.com".to_owned()],
            platform_roots: false,
            webpki_roots: false,
            ca_roots_file: Some("/etc/chatly/roots.pem".into()),
            client_certificate: Some(("/etc/chatly/c.pem".into(), "/secrets/k.pem".into())),
        }],
        max_http_connections: Some(64),
        llm_compute: Some(LlmCompute {
            url: "https://models.example.com".to_owned(),
            auth_token: secret("xyz"),
            api_type: LlmApi::OpenAi,
        }),
    };
    assert_eq!(config, want);
    let printed = format!("{config:?}");
    assert!(
        !printed.contains("abc") && !printed.contains("xyz"),
        "{printed}"
    );
}

#[test]
fn the_older_name_of_the_providers_and_no_logs() {
    let config = parse("log_dir = \"\"\n[[config_provider]]\ntype = \"env\"").expect("is sound");
    assert_eq!(config.log_dir, Some(LogDir::Nowhere));
    assert_eq!(config.variable_providers.len(), 1);
}

#[test]
fn roots_are_the_systems_unless_something_else_is_said() {
    for (said, want) in [
        ("", (true, false)),
        ("ca_roots_file = \"x\"", (false, false)),
        ("ca_use_webpki_roots = true", (false, true)),
        ("ca_use_platform_roots = true", (true, false)),
        (
            "ca_use_platform_roots = true\nca_use_webpki_roots = true",
            (true, true),
        ),
        (
            "ca_use_webpki_roots = false\nca_roots_file = \"x\"",
            (false, false),
        ),
    ] {
        let text = format!("[[client_tls]]\ncomponent_ids = [\"a\"]\nhosts = [\"h\"]\n{said}");
        let config = parse(&text).expect("is sound");
        let one = &config.client_tls[0];
        assert_eq!((one.platform_roots, one.webpki_roots), want, "{said}");
    }
}

#[test]
fn every_problem_has_line_key_and_the_way_out() {
    for (text, want) in [
        (
            "stat_dir = \"x\"",
            "1: stat_dir: unknown key; did you mean \"state_dir\"?",
        ),
        (
            "state_dir = \"\"",
            "1: state_dir: is empty, by which Spin keeps databases in memory; this host keeps them on disk: name a folder, or remove the key for the default",
        ),
        ("log_dir = 1", "1: log_dir: must be a string, is an integer"),
        (
            "max_instance_memory = \"64M\"",
            "1: max_instance_memory: must be an integer, is a string",
        ),
        (
            "[key_value_store.default]\ntype = \"spin\"",
            "1: key_value_store.default: has no path, by which Spin keeps it in memory; this host keeps it on disk: add `path = \"store.db\"`",
        ),
        (
            "[key_value_store.default]\ntype = \"spin\"\npath = \"x\"\nurl = \"y\"",
            "4: key_value_store.default.url: unknown key; known here: path, type",
        ),
        (
            "[key_value_store.default]\ntype = \"redis\"",
            "1: key_value_store.default.url: missing; add `url = \"redis://127.0.0.1:6379\"`",
        ),
        (
            "[key_value_store.default]\ntype = \"aws_dynamo\"\nregion = \"x\"",
            "2: key_value_store.default.type: not supported by this host: it has no \"aws_dynamo\" store; write \"spin\" or \"redis\"",
        ),
        (
            "[key_value_store.default]\ntype = \"memory\"",
            "2: key_value_store.default.type: \"memory\" is no kind of store; write \"spin\" or \"redis\"",
        ),
        (
            "[key_value_store.\"a b\"]\ntype = \"spin\"\npath = \"x\"",
            "1: key_value_store.\"a b\": the label \"a b\" contains ' '; use letters, digits and '-'",
        ),
        (
            "[sqlite_database.default]\ntype = \"libsql\"\nurl = \"https://x\"\ntoken = \"t\"",
            "2: sqlite_database.default.type: not supported by this host: it has no client for libSQL servers; write \"spin\" and the path of a file",
        ),
        (
            "[sqlite_database.default]\ntype = \"spin\"\npath = \"x\"\nallow_attach_file = true",
            "4: sqlite_database.default.allow_attach_file: not supported by this host: a component may never attach another file; remove the key",
        ),
        (
            "[sqlite_database]\ndefault = \"x\"",
            "2: sqlite_database.default: must be a table, is a string",
        ),
        (
            "[[variables_provider]]\ntype = \"vault\"\nurl = \"x\"",
            "2: variables_provider.type: not supported by this host: it asks no \"vault\"; write \"env\" or \"static\", and give the values to the process that starts it",
        ),
        (
            "[[variables_provider]]\ntype = \"static\"",
            "1: variables_provider.values: missing; add `values = { name = \"value\" }`",
        ),
        (
            "[[variables_provider]]\ntype = \"static\"\nvalues = { X = \"1\", y = 2 }",
            "3: variables_provider.values.X: the variable name \"X\" must be lower case; write \"x\"\n\
             3: variables_provider.values.y: must be a string, is an integer",
        ),
        (
            "[[variables_provider]]\ntype = \"env\"\npath = \"x\"",
            "3: variables_provider.path: unknown key; known here: dotenv_path, prefix, type",
        ),
        (
            "[[variables_provider]]\ntype = \"env\"\n[[config_provider]]\ntype = \"env\"",
            "3: config_provider: stands beside `variables_provider`, of which it is the older name; use that for all",
        ),
        (
            "[variable_provider]",
            "1: variable_provider: unknown key; did you mean \"variables_provider\"?",
        ),
        (
            "[outbound_networking]\nblock_networks = [\"10.0.0.0/33\", \"public\"]\nmax_total_connections = 5",
            "2: outbound_networking.block_networks: \"10.0.0.0/33\" is no network; write one like \"10.0.0.0/8\", or \"private\" for all addresses that are not public\n\
             2: outbound_networking.block_networks: \"public\" is no network; write one like \"10.0.0.0/8\", or \"private\" for all addresses that are not public\n\
             3: outbound_networking.max_total_connections: not supported by this host: it counts outgoing HTTP connections only; remove the key, or write `max_connections` under [outbound_http]",
        ),
        (
            "[outbound_http]\nconnection_pooling = true\nmax_concurrent_requests = 5",
            "2: outbound_http.connection_pooling: not supported by this host: it opens a connection for each request; write `false`, or remove the key\n\
             3: outbound_http.max_concurrent_requests: not supported by this host: it is Spin's old name for max_connections, and means one more; use that",
        ),
        (
            "[outbound_redis]\nmax_connections = 5",
            "1: outbound_redis: not supported by this host: it does not bound connections to Redis of the application as a whole; remove the table",
        ),
        (
            "[[client_tls]]\ncomponent_ids = []\nhosts = [\"https://x\", \"x:443\"]\nclient_cert_file = \"c\"\nca_use_webpki_roots = false",
            "1: client_tls: trusts no certificate authority; remove a `ca_use_… = false`, or add ca_roots_file\n\
             1: client_tls.client_private_key_file: missing; add `client_private_key_file = \"key.pem\"`\n\
             2: client_tls.component_ids: is empty; write `component_ids = [\"ID\"]`\n\
             3: client_tls.hosts: \"https://x\" is no host; write its name, without scheme, port or path\n\
             3: client_tls.hosts: \"x:443\" is no host; write its name, without scheme, port or path",
        ),
        (
            "[llm_compute]\ntype = \"spin\"",
            "2: llm_compute.type: not supported by this host: it runs no model itself; write `type = \"remote_http\"`, with url and auth_token",
        ),
        (
            "[llm_compute]\ntype = \"remote_http\"\nurl = \"x\"\napi_type = \"other\"",
            "1: llm_compute.auth_token: missing; add `auth_token = \"…\"`\n\
             4: llm_compute.api_type: \"other\" is no API; write \"default\" or \"open_ai\"",
        ),
        (
            "[outbound_http",
            "1: not valid TOML: unclosed table, expected `]`",
        ),
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert_eq!(error.replace(&format!("{PATH}:"), ""), want, "{text}");
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    let error = RuntimeConfig::load(Path::new("/nowhere/rc.toml")).expect_err("there is none");
    let text = error.to_string();
    assert!(
        text.starts_with("/nowhere/rc.toml: cannot be read: "),
        "{text}"
    );
}

proptest::proptest! {
    #[test]
    fn a_sound_file_with_one_changed_byte_does_not_make_it_panic(
        position in 0..include_str!("maximal.toml").len(),
        byte in proptest::num::u8::ANY,
    ) {
        let mut bytes = include_bytes!("maximal.toml").to_vec();
        bytes[position] = byte;
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }
}
