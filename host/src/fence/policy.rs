//! Which import belongs to which configuration key, and what becomes of it in a dependency.
//!
//! 1. An instance that has no functions is types only: it can do nothing.
//! 2. A known interface that reaches nothing by itself (clocks, random numbers, standard streams,
//!    methods on handles that only a fenced function could have opened) is harmless.
//! 3. A known interface that opens something belongs to one key of `inherit_configuration`: it is
//!    granted when the key is inherited, and fenced when not.
//! 4. Whatever is in neither list is unknown, and unknown is refused.
//!
//! Spin has the same keys and, with fewer entries, the same list; the entries it lacks
//! (`wasi:sockets/types@0.3.0`, `spin:postgres@4.0.0`) are the holes this host closes.

use serde::Serialize;

use crate::manifest::Inherit;

/// What a dependency's import amounts to under its `inherit_configuration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No functions: types for others to use.
    TypesOnly,
    /// Functions that reach nothing outside the instance.
    Harmless,
    /// Inherited from the parent.
    Granted,
    /// Answers with Spin's refusal.
    Fenced,
    /// In no list and not inherited; a start with it is refused.
    Unknown,
}

/// One import of a component, as its outermost import section names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The full name, version included.
    pub name: String,
    /// An instance or a type, and nothing that can be called.
    pub types_only: bool,
}

/// What becomes of `import` in a dependency that inherits `inherit`.
#[must_use]
pub fn judge(import: &Import, inherit: &Inherit) -> Verdict {
    if import.types_only {
        return Verdict::TypesOnly;
    }
    let place = place(path(&import.name));
    match (place, inherit) {
        (Some(Place::Harmless), _) => Verdict::Harmless,
        (_, Inherit::Everything) => Verdict::Granted,
        (Some(Place::Key(key)), Inherit::Only(keys)) if keys.iter().any(|k| k == key) => {
            Verdict::Granted
        }
        (Some(Place::Key(_)), _) => Verdict::Fenced,
        (None, _) => Verdict::Unknown,
    }
}

/// Where an interface stands: its effect, not its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Harmless,
    /// Inherited with this key of `crate::manifest::INHERITABLE`.
    Key(&'static str),
}

/// `wasi:http/client@0.3.0` → `wasi:http/client`.
#[must_use]
pub fn path(name: &str) -> &str {
    name.split_once('@').map_or(name, |(path, _version)| path)
}

/// The table. Every interface of the worlds `spin:up/platform@4.1.0`, `fermyon:spin/platform`
/// (2.0.0 and unversioned), `wasi:cli/imports`, `wasi:keyvalue/imports` and what they include,
/// unless it has types only.
fn place(path: &str) -> Option<Place> {
    Some(match path {
        "wasi:cli/exit"
        | "wasi:cli/stdin"
        | "wasi:cli/stdout"
        | "wasi:cli/stderr"
        | "wasi:cli/terminal-input"
        | "wasi:cli/terminal-output"
        | "wasi:cli/terminal-stdin"
        | "wasi:cli/terminal-stdout"
        | "wasi:cli/terminal-stderr"
        | "wasi:clocks/monotonic-clock"
        | "wasi:clocks/system-clock"
        | "wasi:clocks/wall-clock"
        | "wasi:clocks/timezone"
        | "wasi:io/error"
        | "wasi:io/poll"
        | "wasi:io/streams"
        | "wasi:random/random"
        | "wasi:random/insecure"
        | "wasi:random/insecure-seed"
        // Building a request sends nothing; that takes `client` or `outgoing-handler`.
        | "wasi:http/types"
        // Methods of descriptors, which only `preopens` hands out.
        | "wasi:filesystem/types"
        // WASI 0.2: methods of sockets, which only `*-create-socket` hands out, and the network
        // handle that those methods and the name lookup want beside it.
        | "wasi:sockets/network"
        | "wasi:sockets/instance-network"
        | "wasi:sockets/tcp"
        | "wasi:sockets/udp" => Place::Harmless,

        "wasi:http/client"
        | "wasi:http/outgoing-handler"
        | "wasi:sockets/types"
        | "wasi:sockets/ip-name-lookup"
        | "wasi:sockets/tcp-create-socket"
        | "wasi:sockets/udp-create-socket"
        | "spin:mqtt/mqtt"
        | "spin:mysql/mysql"
        | "spin:postgres/postgres"
        | "spin:redis/redis"
        | "fermyon:spin/http"
        | "fermyon:spin/mqtt"
        | "fermyon:spin/mysql"
        | "fermyon:spin/postgres"
        | "fermyon:spin/redis" => Place::Key("allowed_outbound_hosts"),

        "spin:sqlite/sqlite" | "fermyon:spin/sqlite" => Place::Key("sqlite_databases"),

        "spin:key-value/key-value"
        | "fermyon:spin/key-value"
        | "wasi:keyvalue/store"
        | "wasi:keyvalue/atomics"
        | "wasi:keyvalue/batch" => Place::Key("key_value_stores"),

        "spin:variables/variables"
        | "fermyon:spin/variables"
        | "fermyon:spin/config"
        | "wasi:config/store" => Place::Key("variables"),

        "wasi:cli/environment" => Place::Key("environment"),
        "wasi:filesystem/preopens" => Place::Key("files"),
        "fermyon:spin/llm" => Place::Key("ai_models"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::INHERITABLE;

    fn import(name: &str) -> Import {
        Import {
            name: name.into(),
            types_only: false,
        }
    }

    #[test]
    fn each_capability_follows_its_own_key_and_no_other() {
        for (name, key) in [
            ("spin:sqlite/sqlite@3.1.0", "sqlite_databases"),
            ("spin:sqlite/sqlite@3.0.0", "sqlite_databases"),
            ("spin:key-value/key-value@3.0.0", "key_value_stores"),
            ("wasi:keyvalue/batch@0.2.0-draft2", "key_value_stores"),
            ("spin:variables/variables@3.0.0", "variables"),
            ("fermyon:spin/config", "variables"),
            ("wasi:http/client@0.3.0", "allowed_outbound_hosts"),
            ("wasi:http/outgoing-handler@0.2.6", "allowed_outbound_hosts"),
            ("wasi:sockets/types@0.3.0", "allowed_outbound_hosts"),
            ("spin:postgres/postgres@4.0.0", "allowed_outbound_hosts"),
            ("wasi:cli/environment@0.3.0", "environment"),
            ("wasi:filesystem/preopens@0.2.6", "files"),
            ("fermyon:spin/llm@2.0.0", "ai_models"),
        ] {
            let import = import(name);
            assert_eq!(judge(&import, &Inherit::Nothing), Verdict::Fenced, "{name}");
            assert_eq!(
                judge(&import, &Inherit::Everything),
                Verdict::Granted,
                "{name}"
            );
            for inherited in INHERITABLE {
                let want = if inherited == key {
                    Verdict::Granted
                } else {
                    Verdict::Fenced
                };
                let only = Inherit::Only(vec![inherited.into()]);
                assert_eq!(judge(&import, &only), want, "{name} with {inherited}");
            }
        }
    }

    #[test]
    fn what_is_in_no_list_is_unknown_unless_everything_is_inherited() {
        for name in [
            "acme:secret/backdoor@1.0.0",
            "spin:postgres/other@4.0.0",
            "wasi:nn/graph",
            "plain",
        ] {
            let import = import(name);
            assert_eq!(
                judge(&import, &Inherit::Nothing),
                Verdict::Unknown,
                "{name}"
            );
            let all = Inherit::Only(INHERITABLE.map(String::from).to_vec());
            assert_eq!(
                judge(&import, &all),
                Verdict::Unknown,
                "{name} with every key"
            );
            assert_eq!(
                judge(&import, &Inherit::Everything),
                Verdict::Granted,
                "{name}"
            );
        }
    }

    #[test]
    fn types_alone_and_harmless_interfaces_need_no_grant() {
        let types = Import {
            name: "acme:any/types".into(),
            types_only: true,
        };
        assert_eq!(judge(&types, &Inherit::Nothing), Verdict::TypesOnly);
        for name in [
            "wasi:clocks/wall-clock@0.2.6",
            "wasi:http/types@0.3.0",
            "wasi:io/poll@0.2.0",
        ] {
            assert_eq!(
                judge(&import(name), &Inherit::Nothing),
                Verdict::Harmless,
                "{name}"
            );
        }
    }
}
