//! Makes components of core modules, as Spin does when it loads one.
//!
//! 1. A component passes through unchanged.
//! 2. A module that says in its custom sections which component it is (`component-type…`, as
//!    wit-bindgen writes them) becomes that component.
//! 3. A module with `_start` and nothing of wit-bindgen is a command, and becomes a component that
//!    exports `wasi:cli/run`.
//! 4. Imports of `wasi_snapshot_preview1` are answered by the adapters of the wasmtime project.
//!
//! It does not adapt the modules of Spin's SDK before 1.0, which speak an ABI of their own
//! (wit-bindgen 0.2): Spin has an adapter for these that no crate offers.
#![deny(missing_docs)]

use std::borrow::Cow;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER_NAME,
    WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR_ADAPTER,
};
use wasmparser::{Encoding, ExternalKind, Parser, Payload};
use wit_component::ComponentEncoder;

/// What the custom sections are called that say which component a module is.
const COMPONENT_TYPE: &str = "component-type";

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no WebAssembly, or broken.
    #[error("not valid WebAssembly: {0}")]
    Invalid(String),
    /// A module that does not say which component it is.
    #[error(
        "it is a core module without an embedded component type; build it for wasm32-wasip2, or with wit-bindgen 0.5 or later"
    )]
    Untyped,
    /// A module whose imports or exports do not fit the type it says it has.
    #[error("it is a core module that cannot be made a component: {0}")]
    Encode(String),
}

/// What a module says of itself.
#[derive(Default)]
struct Signs {
    is_component: bool,
    typed: bool,
    has_start: bool,
    has_realloc: bool,
}

impl Signs {
    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let invalid = |error: wasmparser::BinaryReaderError| Error::Invalid(error.to_string());
        let mut signs = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(invalid)? {
                Payload::Version {
                    encoding: Encoding::Component,
                    ..
                } => {
                    signs.is_component = true;
                    return Ok(signs);
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export.map_err(invalid)?;
                        if export.kind == ExternalKind::Func {
                            signs.has_start |= export.name == "_start";
                            signs.has_realloc |=
                                matches!(export.name, "cabi_realloc" | "canonical_abi_realloc");
                        }
                    }
                }
                Payload::CustomSection(section) => {
                    signs.typed |= section.name().starts_with(COMPONENT_TYPE);
                }
                _ => {}
            }
        }
        Ok(signs)
    }
}

/// The component that `bytes` are, or make.
///
/// # Errors
/// [`Error`] for what is neither a component nor a module that can be one.
pub fn componentize(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    let signs = Signs::read(bytes)?;
    if signs.is_component {
        return Ok(Cow::Borrowed(bytes));
    }
    let adapter = if signs.typed {
        REACTOR_ADAPTER
    } else if signs.has_start && !signs.has_realloc {
        COMMAND_ADAPTER
    } else {
        return Err(Error::Untyped);
    };
    encode(bytes, adapter).map(Cow::Owned)
}

fn encode(module: &[u8], adapter: &[u8]) -> Result<Vec<u8>, Error> {
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.adapter(ADAPTER_NAME, adapter))
        .and_then(|encoder| encoder.encode());
    // With its causes: the first line alone says only which part failed.
    encoded.map_err(|error| Error::Encode(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use wit_component::{StringEncoding, embed_component_metadata};
    use wit_parser::Resolve;

    use super::*;

    const WIT: &str = "package a:b; interface i { f: func(n: u32) -> u32; } world w { export i; }";

    /// A core module, with the world `w` of [`WIT`] embedded.
    fn typed(text: &str) -> Vec<u8> {
        let mut module = wat::parse_str(text).unwrap();
        let mut resolve = Resolve::default();
        let package = resolve.push_str("w.wit", WIT).unwrap();
        let world = resolve.select_world(&[package], Some("w")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        module
    }

    /// Names of the outermost imports and exports.
    fn surface(component: &[u8]) -> (Vec<String>, Vec<String>) {
        wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
            .validate_all(component)
            .unwrap();
        let (mut imports, mut exports, mut depth) = (vec![], vec![], 0);
        for payload in Parser::new(0).parse_all(component) {
            match payload.unwrap() {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(section) if depth == 1 => {
                    imports.extend(
                        section
                            .into_iter()
                            .map(|one| one.unwrap().name.name.to_owned()),
                    );
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    exports.extend(
                        section
                            .into_iter()
                            .map(|one| one.unwrap().name.name.to_owned()),
                    );
                }
                _ => {}
            }
        }
        (imports, exports)
    }

    const ADD_ONE: &str = r#"(module
        (memory (export "memory") 1)
        (func (export "a:b/i#f") (param i32) (result i32)
            local.get 0 i32.const 1 i32.add))"#;

    #[test]
    fn a_component_passes_through() {
        let component = wat::parse_str("(component)").unwrap();
        assert!(matches!(
            componentize(&component).unwrap(),
            Cow::Borrowed(same) if same == component
        ));
    }

    #[test]
    fn a_module_with_its_type_becomes_that_component() {
        let module = typed(ADD_ONE);
        let (imports, exports) = surface(&componentize(&module).unwrap());
        assert_eq!(imports, Vec::<String>::new());
        assert_eq!(exports, ["a:b/i"]);
    }

    #[test]
    fn preview1_imports_become_imports_of_wasi_0_2() {
        let module = typed(
            r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "a:b/i#f") (param i32) (result i32)
                i32.const 0 i32.const 4 call $random drop
                i32.const 0 i32.load))"#,
        );
        let (imports, exports) = surface(&componentize(&module).unwrap());
        let random = |name: &String| name.starts_with("wasi:random/random@0.2.");
        assert!(imports.iter().any(random), "{imports:?}");
        assert_eq!(exports, ["a:b/i"]);
    }

    #[test]
    fn a_command_exports_run() {
        let module =
            wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#);
        let (_, exports) = surface(&componentize(&module.unwrap()).unwrap());
        assert!(exports[0].starts_with("wasi:cli/run@0.2."), "{exports:?}");
    }

    #[test]
    fn what_cannot_be_a_component_is_refused_with_the_reason() {
        let untyped = wat::parse_str("(module)").unwrap();
        let old = r#"(module (func (export "_start")) (func (export "canonical_abi_realloc")))"#;
        let old = wat::parse_str(old).unwrap();
        let lacking = typed(r#"(module (memory (export "memory") 1))"#);
        let foreign = typed(
            r#"(module (import "env" "x" (func)) (memory (export "memory") 1)
            (func (export "a:b/i#f") (param i32) (result i32) local.get 0))"#,
        );
        for (name, bytes, want) in [
            ("nothing", vec![], "not valid WebAssembly: "),
            ("text", b"(module)".to_vec(), "not valid WebAssembly: "),
            ("no type", untyped, "without an embedded component type"),
            ("the old ABI", old, "without an embedded component type"),
            ("an export less", lacking, "cannot be made a component: "),
            ("an import more", foreign, "cannot be made a component: "),
        ] {
            let error = componentize(&bytes).unwrap_err().to_string();
            assert!(error.contains(want), "{name}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0_usize..400, byte in proptest::num::u8::ANY) {
            let mut module = typed(ADD_ONE);
            let at = at % module.len();
            module[at] = byte;
            let _ = componentize(&module);
        }
    }
}
