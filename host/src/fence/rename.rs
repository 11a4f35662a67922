//! Renames the outermost imports of a component binary.
//!
//! 1. Only names in component import sections at depth 0 change, each by a prefix of its
//!    namespace. Items refer to imports by index, so nothing else has to follow.
//! 2. Every other section is copied byte for byte; nested components and modules are not opened.
//!
//! It does not judge: the caller names the imports.

use wasm_encoder::Encode as _;
use wasmparser::{BinaryReader, ComponentImport, FromReader as _};

/// Magic number, version 13, layer 1: the head of a component binary (Component Model binary
/// format, "Component Definitions").
const COMPONENT_HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// Section number of component imports (same source).
const IMPORT_SECTION: u8 = 10;

/// Why a binary could not be rewritten.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The binary is a core module or no WebAssembly at all.
    #[error(
        "not a component binary (core modules are not accepted as they are: turn them into components)"
    )]
    NotAComponent,
    /// The binary does not parse.
    #[error("broken component binary: {0}")]
    Broken(#[from] wasmparser::BinaryReaderError),
    /// An import carries options next to its name, which a rename would have to understand.
    #[error("import {0} has name options, which the fence does not support")]
    Options(String),
}

/// True when `bytes` begin like a component binary.
#[must_use]
pub fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(&COMPONENT_HEADER)
}

/// Puts `prefix` before the name of every outermost import that `wanted` accepts.
///
/// # Errors
/// When the bytes are no component, are cut short, or a wanted import has name options.
pub fn prefix_imports(
    bytes: &[u8],
    prefix: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<u8>, Error> {
    let body = bytes
        .strip_prefix(&COMPONENT_HEADER)
        .ok_or(Error::NotAComponent)?;
    let mut out = Vec::with_capacity(bytes.len() + 256);
    out.extend_from_slice(&COMPONENT_HEADER);
    let mut reader = BinaryReader::new(body, 0);
    while !reader.eof() {
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()?;
        let payload = reader.read_bytes(usize::try_from(size).unwrap_or(usize::MAX))?;
        out.push(id);
        if id == IMPORT_SECTION {
            imports(payload, prefix, &wanted)?.encode(&mut out);
        } else {
            payload.encode(&mut out);
        }
    }
    Ok(out)
}

/// The payload of an import section with the wanted names prefixed.
fn imports(payload: &[u8], prefix: &str, wanted: &impl Fn(&str) -> bool) -> Result<Vec<u8>, Error> {
    let mut reader = BinaryReader::new(payload, 0);
    let count = reader.read_var_u32()?;
    let mut out = Vec::with_capacity(payload.len() + 64);
    count.encode(&mut out);
    for _ in 0..count {
        let mut start = reader.clone();
        let name = ComponentImport::from_reader(&mut reader)?.name;
        let length = start.bytes_remaining() - reader.bytes_remaining();
        if !wanted(name.name) {
            out.extend_from_slice(start.read_bytes(length)?);
            continue;
        }
        // 0 and 1 both announce a bare name (1 was written before September 2024); 2 announces
        // options after it.
        let form = start.read_u8()?;
        if form > 1 {
            return Err(Error::Options(name.name.to_owned()));
        }
        start.read_string()?;
        out.push(form);
        format!("{prefix}{}", name.name).as_str().encode(&mut out);
        let rest = start.bytes_remaining() - reader.bytes_remaining();
        out.extend_from_slice(start.read_bytes(rest)?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = r#"(component
        (import "a:b/one@1.0.0" (instance (export "f" (func (param "x" u32)))))
        (component $inner (import "a:b/one@1.0.0" (instance)))
        (import "a:b/two@1.0.0" (instance $two (export "r" (type (sub resource)))))
        (alias export $two "r" (type $r))
        (import "plain" (func (param "r" (borrow $r)))))"#;

    fn names(bytes: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        let mut depth = 0;
        for payload in wasmparser::Parser::new(0).parse_all(bytes) {
            match payload.unwrap() {
                wasmparser::Payload::Version { .. } => depth += 1,
                wasmparser::Payload::End(_) => depth -= 1,
                wasmparser::Payload::ComponentImportSection(section) => {
                    names.extend(
                        section
                            .into_iter()
                            .map(|i| format!("{depth} {}", i.unwrap().name.name)),
                    );
                }
                _ => {}
            }
        }
        names
    }

    fn validate(bytes: &[u8]) {
        wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
            .validate_all(bytes)
            .unwrap();
    }

    #[test]
    fn only_wanted_names_of_the_outermost_component_change() {
        let bytes = wat::parse_str(TEXT).unwrap();
        let renamed = prefix_imports(&bytes, "x-", |name| name != "plain").unwrap();
        validate(&renamed);
        assert_eq!(
            names(&renamed),
            [
                "1 x-a:b/one@1.0.0",
                "2 a:b/one@1.0.0",
                "1 x-a:b/two@1.0.0",
                "1 plain"
            ]
        );
    }

    #[test]
    fn nothing_changes_when_nothing_is_wanted() {
        let bytes = wat::parse_str(TEXT).unwrap();
        assert_eq!(prefix_imports(&bytes, "x-", |_| false).unwrap(), bytes);
    }

    #[test]
    fn a_core_module_and_other_bytes_are_refused() {
        for bytes in [&b"\0asm\x01\0\0\0"[..], b"", b"\0asm", b"hello, world"] {
            assert!(matches!(
                prefix_imports(bytes, "x-", |_| true),
                Err(Error::NotAComponent)
            ));
        }
    }

    proptest! {
        #[test]
        fn every_choice_of_names_stays_valid_and_keeps_the_rest(one: bool, two: bool) {
            let bytes = wat::parse_str(TEXT).unwrap();
            let wanted = |name: &str| (one && name.contains("one")) || (two && name.contains("two"));
            let renamed = prefix_imports(&bytes, "x-", wanted).unwrap();
            validate(&renamed);
            let back: Vec<_> = names(&renamed).iter().map(|name| name.replace("x-", "")).collect();
            prop_assert_eq!(back, names(&bytes));
            let extra = 2 * (usize::from(one) + usize::from(two));
            prop_assert_eq!(renamed.len(), bytes.len() + extra);
        }

        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes = [&COMPONENT_HEADER[..], &tail].concat();
            let _ = prefix_imports(&bytes, "x-", |_| true);
        }
    }
}
