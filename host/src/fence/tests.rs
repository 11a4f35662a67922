//! Guests in the text format, composed and run: what a dependency really gets from a call.

use anyhow::Result;
use wasmtime::component::{Component, Linker, Resource, ResourceTable, ResourceType, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p3::Request;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView, default_hooks};

use super::*;
use crate::compose::{Fill, Part, compose};

/// The state of a test's store.
struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: default_hooks(),
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

fn state() -> State {
    let mut wasi = WasiCtx::builder();
    wasi.env("PARENT", "secret").arg("parent");
    wasi.preopened_dir("/", "/", wasmtime_wasi::FsPerms::ReadOnly)
        .unwrap();
    let wasi = wasi.build();
    State {
        wasi,
        http: WasiHttpCtx::new(),
        table: ResourceTable::new(),
    }
}

/// One imported function and how to call it.
#[derive(Clone, Copy, Default)]
struct Probe {
    /// Declarations before the import: whatever its types need.
    before: &'static str,
    interface: &'static str,
    /// Declarations of the instance type.
    types: &'static str,
    function: &'static str,
    signature: &'static str,
    /// Core parameters, among them the pointer for the result.
    params: &'static str,
    /// Core arguments; the result belongs at 16.
    arguments: &'static str,
    /// Component-level functions that the arguments need, and their core imports.
    lowered: &'static str,
    with: &'static str,
    imported: &'static str,
}

impl Probe {
    /// A dependency whose `probe` makes the call and returns its first 4 KiB of memory.
    fn component(&self) -> Vec<u8> {
        let Self {
            before,
            interface,
            types,
            function,
            signature,
            ..
        } = self;
        let Self {
            params,
            arguments,
            lowered,
            with,
            imported,
            ..
        } = self;
        let text = format!(
            r#"(component $c
            {before}
            (import "{interface}" (instance $i {types} (export "{function}" (func {signature}))))
            (core module $libc
                (memory (export "memory") 1)
                (data (i32.const 256) "name")
                (global $next (mut i32) (i32.const 1024))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    global.get $next
                    (global.set $next (i32.add (global.get $next)
                        (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -16))))))
            (core instance $libc (instantiate $libc))
            (core func $f (canon lower (func $i "{function}")
                (memory $libc "memory") (realloc (core func $libc "realloc"))))
            {lowered}
            (core module $m
                (import "" "memory" (memory 1))
                (import "" "f" (func $f (param {params})))
                {imported}
                (func (export "probe") (result i32)
                    (call $f {arguments})
                    (i32.store (i32.const 8) (i32.const 0))
                    (i32.store (i32.const 12) (i32.const 4096))
                    i32.const 8))
            (core instance $m (instantiate $m (with "" (instance
                (export "memory" (memory $libc "memory")) (export "f" (func $f)) {with}))))
            (func $probe async (result (list u8))
                (canon lift (core func $m "probe") (memory $libc "memory")))
            (instance $api (export "probe" (func $probe)))
            (export "chatly-test:dep/api" (instance $api)))"#
        );
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

/// A root that passes its dependency's `probe` on.
fn root() -> Part {
    let text = r#"(component
        (import "chatly-test:dep/api" (instance $api (export "probe" (func async (result (list u8))))))
        (core module $libc (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096))
        (core instance $libc (instantiate $libc))
        (core func $f (canon lower (func $api "probe")
            (memory $libc "memory") (realloc (core func $libc "realloc"))))
        (core module $m (import "" "f" (func $f (param i32)))
            (func (export "run") (result i32) (call $f (i32.const 16)) i32.const 16))
        (core instance $m (instantiate $m (with "" (instance (export "f" (func $f))))))
        (func (export "run") async (result (list u8))
            (canon lift (core func $m "run") (memory $libc "memory"))))"#;
    Part {
        id: "root".into(),
        bytes: wat::parse_str(text).unwrap(),
    }
}

fn composed(probe: &Probe, inherit: Inherit) -> Result<Vec<u8>, crate::compose::Error> {
    let part = Part {
        id: "dep".into(),
        bytes: probe.component(),
    };
    compose(
        &root(),
        &[Fill {
            name: "chatly-test:dep/api".into(),
            part,
            export: None,
            inherit,
        }],
    )
}

fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    Ok(linker)
}

/// Runs `bytes` and gives its memory back, and how many things it left in the store.
async fn run(
    bytes: &[u8],
    more: impl FnOnce(&mut Linker<State>) -> Result<()>,
) -> Result<(Vec<u8>, bool)> {
    let engine = crate::engine::build()?;
    let component = Component::new(&engine, bytes)?;
    let mut linker = linker(&engine)?;
    more(&mut linker)?;
    link(&mut linker, &component)?;
    let mut store = Store::new(&engine, state());
    store.set_epoch_deadline(1000);
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let run = instance.get_typed_func::<(), (Vec<u8>,)>(&mut store, "run")?;
    let memory = store
        .run_concurrent(async |store| run.call_concurrent(store, ()).await)
        .await??
        .0;
    Ok((memory, store.data().table.is_empty()))
}

/// The string whose pointer and length are at `at`.
fn text(memory: &[u8], at: usize) -> String {
    let word = |at: usize| u32::from_le_bytes(memory[at..at + 4].try_into().unwrap()) as usize;
    String::from_utf8(memory[word(at)..][..word(at + 4)].to_vec()).unwrap()
}

const SQLITE: Probe = Probe {
    interface: "spin:sqlite/sqlite@3.1.0",
    types: r#"(export "connection" (type $connection (sub resource)))
        (type $e (variant (case "no-such-database") (case "access-denied") (case "invalid-connection")
            (case "database-full") (case "io" string)))
        (export "error" (type $error (eq $e)))"#,
    function: "[static]connection.open",
    signature: r#"(param "database" string) (result (result (own $connection) (error $error)))"#,
    params: "i32 i32 i32",
    arguments: "(i32.const 256) (i32.const 4) (i32.const 16)",
    ..EMPTY
};

const EMPTY: Probe = Probe {
    before: "",
    interface: "",
    types: "",
    function: "",
    signature: "",
    params: "",
    arguments: "",
    lowered: "",
    with: "",
    imported: "",
};

const OPEN_ASYNC: &str =
    r#"async (param "database" string) (result (result (own $connection) (error $error)))"#;

const VARIABLES: Probe = Probe {
    interface: "spin:variables/variables@3.0.0",
    types: r#"(type $e (variant (case "invalid-name" string) (case "undefined" string)
            (case "provider" string) (case "other" string)))
        (export "error" (type $error (eq $e)))"#,
    function: "get",
    signature: r#"async (param "name" string) (result (result string (error $error)))"#,
    ..SQLITE
};

/// `err` of a result whose payload is at 4: outer case at 16, inner case at 20, string at 24.
#[tokio::test]
async fn what_is_not_inherited_answers_with_spins_error() -> Result<()> {
    let unit = |interface, function, types, signature| Probe {
        interface,
        function,
        types,
        signature,
        ..SQLITE
    };
    let other = r#"(export "connection" (type $connection (sub resource)))
        (type $e (variant (case "connection-failed" string) (case "other" string)))
        (export "error" (type $error (eq $e)))"#;
    let open = r#"(param "address" string) (result (result (own $connection) (error $error)))"#;
    let open_async =
        r#"async (param "address" string) (result (result (own $connection) (error $error)))"#;
    let store = r#"(export "store" (type $store (sub resource)))
        (type $e (variant (case "store-table-full") (case "no-such-store") (case "access-denied") (case "other" string)))
        (export "error" (type $error (eq $e)))"#;
    for (probe, case, said) in [
        (SQLITE, 1, None),
        (
            Probe {
                function: "[static]connection.open-async",
                signature: OPEN_ASYNC,
                ..SQLITE
            },
            1,
            None,
        ),
        (
            Probe {
                interface: "spin:sqlite/sqlite@3.7.0",
                ..SQLITE
            },
            1,
            None,
        ),
        (
            Probe {
                interface: "fermyon:spin/sqlite@2.0.0",
                ..SQLITE
            },
            1,
            None,
        ),
        (VARIABLES, 1, Some("name")),
        (
            unit(
                "spin:key-value/key-value@3.0.0",
                "[static]store.open",
                store,
                r#"async (param "label" string) (result (result (own $store) (error $error)))"#,
            ),
            2,
            None,
        ),
        (
            unit(
                "spin:postgres/postgres@4.0.0",
                "[static]connection.open",
                other,
                open,
            ),
            1,
            Some("\"spin:postgres/postgres\" is not permitted"),
        ),
        (
            unit(
                "spin:redis/redis@3.0.0",
                "[static]connection.open",
                other,
                open_async,
            ),
            1,
            Some("\"spin:redis/redis\" is not permitted"),
        ),
        (
            unit(
                "fermyon:spin/mysql@2.0.0",
                "[static]connection.open",
                other,
                open,
            ),
            1,
            Some("\"fermyon:spin/mysql\" is not permitted"),
        ),
    ] {
        let name = format!("{} {}", probe.interface, probe.function);
        let bytes = composed(&probe, Inherit::Nothing)?;
        let names: Vec<_> = imports(&bytes)?
            .into_iter()
            .map(|import| import.name)
            .collect();
        assert_eq!(names, [format!("fenced-{}", probe.interface)]);
        let (memory, empty) = run(&bytes, |_| Ok(())).await?;
        assert_eq!((memory[16], memory[20]), (1, case), "{name}");
        if let Some(said) = said {
            assert_eq!(text(&memory, 24), said, "{name}");
        }
        assert!(empty, "{name} left something in the store");
    }
    Ok(())
}

/// Spin lets the builder be made and configured, and refuses when it builds.
#[tokio::test]
async fn a_builder_is_a_handle_that_builds_nothing() -> Result<()> {
    let probe = Probe {
        interface: "spin:postgres/postgres@4.2.0",
        types: r#"(export "connection-builder" (type $builder (sub resource)))
            (export "connection" (type $connection (sub resource)))
            (type $e (variant (case "connection-failed" string) (case "other" string)))
            (export "error" (type $error (eq $e)))
            (export "[constructor]connection-builder"
                (func (param "address" string) (result (own $builder))))
            (export "[method]connection-builder.set-ca-root" (func (param "self" (borrow $builder))
                (param "certificate" string) (result (result (error $error)))))"#,
        function: "[method]connection-builder.build",
        signature: r#"(param "self" (borrow $builder)) (result (result (own $connection) (error $error)))"#,
        params: "i32 i32",
        arguments: "(call $configured) (i32.const 16)",
        lowered: r#"
            (core func $new (canon lower (func $i "[constructor]connection-builder") (memory $libc "memory")))
            (core func $root (canon lower (func $i "[method]connection-builder.set-ca-root")
                (memory $libc "memory") (realloc (core func $libc "realloc"))))"#,
        with: r#"(export "new" (func $new)) (export "root" (func $root))"#,
        imported: r#"(import "" "new" (func $new (param i32 i32) (result i32)))
            (import "" "root" (func $root (param i32 i32 i32 i32)))
            (func $configured (result i32) (local $builder i32)
                (local.set $builder (call $new (i32.const 256) (i32.const 4)))
                (call $root (local.get $builder) (i32.const 256) (i32.const 4) (i32.const 64))
                local.get $builder)"#,
        ..EMPTY
    };
    let (memory, empty) = run(&composed(&probe, Inherit::Nothing)?, |_| Ok(())).await?;
    assert_eq!(memory[64], 0, "the certificate is taken");
    assert_eq!((memory[16], memory[20]), (1, 1));
    assert_eq!(
        text(&memory, 24),
        "\"spin:postgres/postgres\" is not permitted"
    );
    assert!(empty);
    Ok(())
}

#[tokio::test]
async fn one_linker_serves_several_fenced_components() -> Result<()> {
    let engine = crate::engine::build()?;
    let mut linker = linker(&engine)?;
    let mut pres = Vec::new();
    for probe in [
        SQLITE,
        Probe {
            function: "[static]connection.open-async",
            signature: OPEN_ASYNC,
            ..SQLITE
        },
        SQLITE,
    ] {
        let component = Component::new(&engine, composed(&probe, Inherit::Nothing)?)?;
        link(&mut linker, &component)?;
        pres.push(linker.instantiate_pre(&component)?);
    }
    for pre in pres {
        let mut store = Store::new(&engine, state());
        store.set_epoch_deadline(1000);
        pre.instantiate_async(&mut store).await?;
    }
    assert!(
        linker
            .instance("wasi:cli/exit@0.2.12")?
            .func_wrap("exit", |_, (): ()| Ok(()))
            .is_err()
    );
    Ok(())
}

#[tokio::test]
async fn what_is_inherited_reaches_the_host() -> Result<()> {
    for inherit in [
        Inherit::Everything,
        Inherit::Only(vec!["sqlite_databases".into()]),
    ] {
        let bytes = composed(&SQLITE, inherit)?;
        let (memory, _) = run(&bytes, |linker| {
            let mut sqlite = linker.instance("spin:sqlite/sqlite@3.1.0")?;
            sqlite.resource("connection", ResourceType::host::<Marker>(), |_, _| Ok(()))?;
            sqlite.func_new("[static]connection.open", |_, _, arguments, results| {
                assert_eq!(arguments, [Val::String("name".into())]);
                let marker = Val::Variant(
                    "io".into(),
                    Some(Box::new(Val::String("the host was here".into()))),
                );
                results[0] = Val::Result(Err(Some(Box::new(marker))));
                Ok(())
            })?;
            Ok(())
        })
        .await?;
        assert_eq!(text(&memory, 24), "the host was here");
    }
    Ok(())
}

struct Marker;

#[tokio::test]
async fn another_key_does_not_open_it() -> Result<()> {
    let bytes = composed(
        &SQLITE,
        Inherit::Only(vec!["variables".into(), "files".into()]),
    )?;
    let (memory, _) = run(&bytes, |_| Ok(())).await?;
    assert_eq!((memory[16], memory[20]), (1, 1));
    Ok(())
}

#[tokio::test]
async fn environment_and_folders_are_empty_until_inherited() -> Result<()> {
    let descriptor = r#"(import "wasi:filesystem/types@0.3.0"
            (instance $files (export "descriptor" (type (sub resource)))))
        (alias export $files "descriptor" (type $descriptor))"#;
    let environment = Probe {
        interface: "wasi:cli/environment@0.2.6",
        function: "get-environment",
        signature: "(result (list (tuple string string)))",
        params: "i32",
        arguments: "(i32.const 16)",
        ..EMPTY
    };
    for (probe, key) in [
        (environment, "environment"),
        (
            Probe {
                interface: "wasi:cli/environment@0.3.0",
                ..environment
            },
            "environment",
        ),
        (
            Probe {
                function: "get-arguments",
                signature: "(result (list string))",
                ..environment
            },
            "environment",
        ),
        (
            Probe {
                before: descriptor,
                interface: "wasi:filesystem/preopens@0.3.0",
                types: r#"(alias outer $c $descriptor (type $outer)) (export "descriptor" (type $descriptor (eq $outer)))"#,
                function: "get-directories",
                signature: "(result (list (tuple (own $descriptor) string)))",
                ..environment
            },
            "files",
        ),
    ] {
        for (inherit, want) in [(Inherit::Nothing, 0), (Inherit::Only(vec![key.into()]), 1)] {
            let bytes = composed(&probe, inherit)?;
            let (memory, _) = run(&bytes, |_| Ok(())).await?;
            assert_eq!(
                memory[20], want,
                "{} {}: length of the list",
                probe.interface, probe.function
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_socket_is_made_and_no_name_looked_up() -> Result<()> {
    let family = r#"(type $f (enum "ipv4" "ipv6")) (export "ip-address-family" (type $family (eq $f)))
        (export "tcp-socket" (type $socket (sub resource)))
        (type $e (variant (case "access-denied") (case "other" (option string))))
        (export "error-code" (type $error (eq $e)))"#;
    let network = r#"(import "wasi:sockets/network@0.2.6" (instance $net (export "network" (type (sub resource)))))
        (alias export $net "network" (type $network))
        (import "wasi:sockets/instance-network@0.2.6" (instance $instance
            (alias outer $c $network (type $outer)) (export "network" (type $network (eq $outer)))
            (export "instance-network" (func (result (own $network))))))"#;
    for (probe, inner) in [
        (
            Probe {
                interface: "wasi:sockets/types@0.3.0",
                types: family,
                function: "[static]tcp-socket.create",
                signature: r#"(param "address-family" $family) (result (result (own $socket) (error $error)))"#,
                params: "i32 i32",
                arguments: "(i32.const 0) (i32.const 16)",
                ..EMPTY
            },
            20,
        ),
        (
            Probe {
                interface: "wasi:sockets/tcp-create-socket@0.2.6",
                types: r#"(type $f (enum "ipv4" "ipv6")) (export "ip-address-family" (type $family (eq $f)))
                    (export "tcp-socket" (type $socket (sub resource)))
                    (type $e (enum "unknown" "access-denied")) (export "error-code" (type $error (eq $e)))"#,
                function: "create-tcp-socket",
                signature: r#"(param "address-family" $family) (result (result (own $socket) (error $error)))"#,
                params: "i32 i32",
                arguments: "(i32.const 0) (i32.const 16)",
                ..EMPTY
            },
            20,
        ),
        (
            Probe {
                before: network,
                interface: "wasi:sockets/ip-name-lookup@0.2.6",
                types: r#"(alias outer $c $network (type $outer)) (export "network" (type $network (eq $outer)))
                    (export "resolve-address-stream" (type $stream (sub resource)))
                    (type $e (enum "unknown" "access-denied")) (export "error-code" (type $error (eq $e)))"#,
                function: "resolve-addresses",
                signature: r#"(param "network" (borrow $network)) (param "name" string)
                    (result (result (own $stream) (error $error)))"#,
                params: "i32 i32 i32 i32",
                arguments: "(call $network) (i32.const 256) (i32.const 4) (i32.const 16)",
                lowered: r#"(core func $network (canon lower (func $instance "instance-network")))"#,
                with: r#"(export "network" (func $network))"#,
                imported: r#"(import "" "network" (func $network (result i32)))"#,
            },
            20,
        ),
    ] {
        let bytes = composed(&probe, Inherit::Nothing)?;
        let (memory, _) = run(&bytes, |_| Ok(())).await?;
        let denied = u8::from(probe.interface.contains("@0.2"));
        assert_eq!(
            (memory[16], memory[inner]),
            (1, denied),
            "{}",
            probe.interface
        );
    }
    Ok(())
}

/// `internal-error(some(text))` at 16: error-code is aligned to 4, its option at 24, the string at 28.
#[tokio::test]
async fn no_request_goes_out_and_none_is_left_behind() -> Result<()> {
    let client = Probe {
        before: r#"(import "wasi:http/types@0.3.0" (instance $types
                (export "request" (type $r (sub resource))) (export "made" (func (result (own $r))))))
            (alias export $types "request" (type $request))"#,
        interface: "wasi:http/client@0.3.0",
        types: r#"(alias outer $c $request (type $outer)) (export "request" (type $request (eq $outer)))
            (export "response" (type $response (sub resource)))
            (type $e (variant (case "loop-detected") (case "internal-error" (option string))))
            (export "error-code" (type $error (eq $e)))"#,
        function: "send",
        signature: r#"async (param "request" (own $request)) (result (result (own $response) (error $error)))"#,
        params: "i32 i32",
        arguments: "(call $made) (i32.const 16)",
        lowered: r#"(core func $made (canon lower (func $types "made")))"#,
        with: r#"(export "made" (func $made))"#,
        imported: r#"(import "" "made" (func $made (result i32)))"#,
    };
    let handler = Probe {
        before: r#"(import "wasi:http/types@0.2.6" (instance $types
                (export "fields" (type $fields (sub resource)))
                (export "outgoing-request" (type $request (sub resource)))
                (export "request-options" (type $options (sub resource)))
                (export "[constructor]fields" (func (result (own $fields))))
                (export "[constructor]request-options" (func (result (own $options))))
                (export "[constructor]outgoing-request" (func (param "headers" (own $fields)) (result (own $request))))))
            (alias export $types "outgoing-request" (type $request))
            (alias export $types "request-options" (type $options))"#,
        interface: "wasi:http/outgoing-handler@0.2.6",
        types: r#"(alias outer $c $request (type $r)) (export "outgoing-request" (type $request (eq $r)))
            (alias outer $c $options (type $o)) (export "request-options" (type $options (eq $o)))
            (export "future-incoming-response" (type $response (sub resource)))
            (type $e (variant (case "loop-detected") (case "internal-error" (option string))))
            (export "error-code" (type $error (eq $e)))"#,
        function: "handle",
        signature: r#"(param "request" (own $request)) (param "options" (option (own $options)))
            (result (result (own $response) (error $error)))"#,
        params: "i32 i32 i32 i32",
        arguments: "(call $request (call $fields)) (i32.const 1) (call $options) (i32.const 16)",
        lowered: r#"(core func $fields (canon lower (func $types "[constructor]fields")))
            (core func $options (canon lower (func $types "[constructor]request-options")))
            (core func $request (canon lower (func $types "[constructor]outgoing-request")))"#,
        with: r#"(export "fields" (func $fields)) (export "options" (func $options)) (export "request" (func $request))"#,
        imported: r#"(import "" "fields" (func $fields (result i32)))
            (import "" "options" (func $options (result i32)))
            (import "" "request" (func $request (param i32) (result i32)))"#,
    };
    for probe in [client, handler] {
        let bytes = composed(&probe, Inherit::Nothing)?;
        let (memory, empty) = run(&bytes, |linker| {
            // A request that is simply there, in place of the functions that build one.
            let mut types = linker.instance("wasi:http/types@0.3.0")?;
            types.resource("request", ResourceType::host::<Request>(), |_, _| Ok(()))?;
            types.func_wrap(
                "made",
                |mut store: wasmtime::StoreContextMut<'_, State>, (): ()| {
                    let body = http_body_util::Empty::<bytes::Bytes>::new();
                    let request = http::Request::get("http://example.com/").body(body)?;
                    let (request, _) = Request::from_http(default_hooks(), request);
                    let request: Resource<Request> = store.data_mut().table.push(request)?;
                    Ok((request,))
                },
            )?;
            Ok(())
        })
        .await?;
        assert_eq!(
            (memory[16], memory[20], memory[24]),
            (1, 1, 1),
            "{}",
            probe.interface
        );
        let said = format!("\"{}\" is not permitted", policy::path(probe.interface));
        assert_eq!(text(&memory, 28), said);
        assert!(empty, "{} left its request in the store", probe.interface);
    }
    Ok(())
}

#[test]
fn an_import_in_no_list_refuses_the_start_and_is_named() {
    let probe = Probe {
        interface: "acme:secret/backdoor@1.0.0",
        function: "open",
        params: "",
        ..EMPTY
    };
    let refused = composed(&probe, Inherit::Only(vec!["variables".into()]))
        .unwrap_err()
        .to_string();
    assert!(refused.contains("acme:secret/backdoor@1.0.0"), "{refused}");
    assert!(
        composed(&probe, Inherit::Everything).is_ok(),
        "everything means everything"
    );
}

#[tokio::test]
async fn a_function_without_a_refusal_fails_the_link() -> Result<()> {
    for probe in [
        Probe {
            function: "[static]connection.open-readonly",
            ..SQLITE
        },
        Probe {
            signature: r#"(param "database" string) (result (result (own $connection)))"#,
            ..SQLITE
        },
    ] {
        let bytes = composed(&probe, Inherit::Nothing)?;
        let refused = format!("{:#}", run(&bytes, |_| Ok(())).await.unwrap_err());
        assert!(
            refused.contains("cannot fence spin:sqlite/sqlite@3.1.0"),
            "{refused}"
        );
    }
    Ok(())
}

#[test]
fn nothing_changes_when_everything_is_inherited() {
    for probe in [SQLITE, VARIABLES] {
        let bytes = probe.component();
        assert_eq!(fence(&bytes, &Inherit::Everything).unwrap(), bytes);
        assert_ne!(fence(&bytes, &Inherit::Nothing).unwrap(), bytes);
    }
}

#[test]
fn types_alone_are_told_from_functions() {
    let bytes = wat::parse_str(
        r#"(component
            (import "a:b/types" (instance (export "r" (type (sub resource)))))
            (import "a:b/both" (instance (export "r" (type (sub resource))) (export "f" (func))))
            (import "plain" (func)))"#,
    )
    .unwrap();
    let found: Vec<_> = imports(&bytes)
        .unwrap()
        .into_iter()
        .map(|i| (i.name, i.types_only))
        .collect();
    assert_eq!(
        found,
        [
            ("a:b/types".into(), true),
            ("a:b/both".into(), false),
            ("plain".into(), false)
        ]
    );
}
