//! The value that each function of a fenced interface answers with.
//!
//! 1. The values are those that a component sees on Spin when its dependency does not inherit the
//!    key (Spin 4.1, its deny adapter), so that code written for Spin meets nothing new.
//! 2. A function that takes a handle which only a refused function could have made cannot be
//!    reached; were it reached, it traps.
//! 3. A free function in no row has no value to answer with: linking fails and names it.

use anyhow::{Context as _, bail};
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Type, Val};

use super::policy::path;

/// How one function refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `err` with a case that carries nothing.
    Case(&'static str),
    /// `err` with a case that carries `"<interface>" is not permitted`.
    NotPermitted(&'static str),
    /// `err` with a case that carries the function's first argument.
    Echo(&'static str),
    /// `ok` with nothing in it: the call asks for nothing that could be refused.
    Done,
    /// An empty list.
    Empty,
    /// `none`.
    Absent,
    /// No result at all: closing what was never open.
    Nothing,
    /// A handle of the fenced resource, good for nothing but further refusals.
    Handle,
    /// Cannot be called without a handle that nobody has.
    Unreachable,
}

/// The refusal of `function` (its raw name, such as `[static]connection.open`) of `interface`
/// (its full name without the fence's prefix), or nothing when there is no row for it.
#[must_use]
pub fn of(interface: &str, function: &str) -> Option<Refusal> {
    use Refusal::*;
    let row = match (path(interface), function) {
        ("spin:sqlite/sqlite", "[static]connection.open" | "[static]connection.open-async")
        | ("fermyon:spin/sqlite", "[static]connection.open" | "open" | "execute")
        | ("spin:key-value/key-value", "[static]store.open")
        | (
            "fermyon:spin/key-value",
            "[static]store.open" | "open" | "get" | "set" | "delete" | "exists" | "get-keys",
        )
        | ("wasi:keyvalue/store", "open")
        | ("wasi:keyvalue/atomics", "increment" | "[static]cas.new")
        | ("wasi:keyvalue/batch", "get-many" | "set-many" | "delete-many")
        | ("wasi:sockets/types", "[static]tcp-socket.create" | "[static]udp-socket.create")
        | ("wasi:sockets/tcp-create-socket", "create-tcp-socket")
        | ("wasi:sockets/udp-create-socket", "create-udp-socket")
        | ("wasi:sockets/ip-name-lookup", "resolve-addresses") => Case("access-denied"),
        ("fermyon:spin/sqlite" | "fermyon:spin/key-value", "close") => Nothing,
        ("fermyon:spin/http", "send-request") => Case("destination-not-allowed"),
        ("fermyon:spin/llm", "infer" | "generate-embeddings") => Case("model-not-supported"),

        ("spin:variables/variables" | "fermyon:spin/variables", "get") => Echo("undefined"),
        ("fermyon:spin/config", "get-config") => NotPermitted("other"),
        ("wasi:config/store", "get" | "get-all") => NotPermitted("io"),

        ("wasi:http/client", "send") | ("wasi:http/outgoing-handler", "handle") => {
            NotPermitted("internal-error")
        }
        (
            "spin:mqtt/mqtt"
            | "spin:mysql/mysql"
            | "spin:postgres/postgres"
            | "spin:redis/redis"
            | "fermyon:spin/mqtt"
            | "fermyon:spin/mysql"
            | "fermyon:spin/postgres"
            | "fermyon:spin/redis",
            "[static]connection.open" | "[static]connection.open-async",
        )
        | (
            "spin:postgres/postgres",
            "[method]connection-builder.build" | "[method]connection-builder.build-async",
        ) => NotPermitted("other"),
        ("spin:postgres/postgres", "[constructor]connection-builder") => Handle,
        ("spin:postgres/postgres", "[method]connection-builder.set-ca-root") => Done,
        ("fermyon:spin/mysql" | "fermyon:spin/postgres", "query" | "execute") => {
            NotPermitted("other-error")
        }
        (
            "fermyon:spin/redis",
            "publish" | "get" | "set" | "incr" | "del" | "sadd" | "smembers" | "srem" | "execute",
        ) => Case("error"),

        ("wasi:cli/environment", "get-environment" | "get-arguments")
        | ("wasi:filesystem/preopens", "get-directories") => Empty,
        ("wasi:cli/environment", "initial-cwd" | "get-initial-cwd") => Absent,

        // Takes ownership of a `cas` handle.
        ("wasi:keyvalue/atomics", "swap") => Unreachable,
        _ if function.starts_with("[method]") => Unreachable,
        _ => return None,
    };
    Some(row)
}

impl Refusal {
    /// The value for a function of type `ty` in `interface`, called with `arguments`; nothing for
    /// a function without a result.
    ///
    /// [`Refusal::Handle`] and [`Refusal::Unreachable`] have no value: the caller deals with them.
    ///
    /// # Errors
    /// When the type has no room for the value.
    pub fn value(
        self,
        interface: &str,
        ty: &ComponentFunc,
        arguments: &[Val],
    ) -> anyhow::Result<Option<Val>> {
        let result = ty.results().next();
        let value = match (self, result) {
            (Self::Case(case), Some(Type::Result(result))) => failure(result.err(), case, None)?,
            (Self::NotPermitted(case), Some(Type::Result(result))) => {
                let text = format!("\"{}\" is not permitted", path(interface));
                failure(result.err(), case, Some(Val::String(text)))?
            }
            (Self::Echo(case), Some(Type::Result(result))) => {
                let argument = arguments.first().cloned().context("no argument to name")?;
                failure(result.err(), case, Some(argument))?
            }
            (Self::Done, Some(Type::Result(result))) if result.ok().is_none() => {
                Val::Result(Ok(None))
            }
            (Self::Empty, Some(Type::List(_))) => Val::List(Vec::new()),
            (Self::Absent, Some(Type::Option(_))) => Val::Option(None),
            (Self::Nothing, None) => return Ok(None),
            (refusal, result) => bail!("{refusal:?} does not fit the result type {result:?}"),
        };
        Ok(Some(value))
    }
}

/// `err(case(payload))`, shaped by the error type.
fn failure(error: Option<Type>, case: &str, payload: Option<Val>) -> anyhow::Result<Val> {
    let value = match error.context("the result has no error type")? {
        Type::Enum(cases) if payload.is_none() && cases.names().any(|name| name == case) => {
            Val::Enum(case.into())
        }
        Type::Variant(cases) => {
            let found = cases
                .cases()
                .find(|known| known.name == case)
                .with_context(|| format!("the error type has no case {case}"))?;
            let payload = match (found.ty, payload) {
                (None, None) => None,
                (Some(Type::String), Some(text @ Val::String(_))) => Some(Box::new(text)),
                (Some(Type::Option(inner)), Some(text @ Val::String(_)))
                    if inner.ty() == Type::String =>
                {
                    Some(Box::new(Val::Option(Some(Box::new(text)))))
                }
                _ => bail!("case {case} of the error type carries something else"),
            };
            Val::Variant(case.into(), payload)
        }
        _ => bail!("the error type is neither a variant nor an enum with case {case}"),
    };
    Ok(Val::Result(Err(Some(Box::new(value)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_share_a_row_and_strangers_have_none() {
        for (interface, function, want) in [
            (
                "spin:sqlite/sqlite@3.1.0",
                "[static]connection.open",
                Some(Refusal::Case("access-denied")),
            ),
            (
                "spin:sqlite/sqlite@3.0.0",
                "[static]connection.open",
                Some(Refusal::Case("access-denied")),
            ),
            (
                "spin:sqlite/sqlite@3.1.0",
                "[method]connection.execute",
                Some(Refusal::Unreachable),
            ),
            (
                "spin:sqlite/sqlite@3.2.0",
                "[static]connection.open-readonly",
                None,
            ),
            ("spin:variables/variables@3.0.0", "get-all", None),
            ("fermyon:spin/redis", "get", Some(Refusal::Case("error"))),
            (
                "fermyon:spin/redis@2.0.0",
                "[static]connection.open",
                Some(Refusal::NotPermitted("other")),
            ),
        ] {
            assert_eq!(of(interface, function), want, "{interface} {function}");
        }
    }
}
