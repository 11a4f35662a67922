//! The rules of composition, on components in the text format.

use super::*;

fn part(id: &str, text: &str) -> Part {
    Part {
        id: id.into(),
        bytes: wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}")),
    }
}

/// Imports two interfaces of one package and one of another, and a plain name; exports `g`.
fn root() -> Part {
    part(
        "root",
        r#"(component
            (import "a:dep/one@0.1.0" (instance (export "f" (func (result u32)))))
            (import "a:dep/two@0.1.0" (instance (export "f" (func (result u32)))))
            (import "b:other/api" (instance (export "f" (func (result u32)))))
            (import "plain-name" (func $plain (result u32)))
            (import "spin:sqlite/sqlite@3.1.0" (instance (export "open" (func))))
            (export "g" (func $plain)))"#,
    )
}

/// A component that exports `f: func() -> result` under each of `names`, as `header` allows.
fn exporter(id: &str, result: &str, names: &[&str], header: &str) -> Part {
    let exports: String = names
        .iter()
        .map(|name| format!(r#"(export "{name}" (instance $api))"#))
        .collect();
    part(
        id,
        &format!(
            r#"(component {header}
                (core module $m (func (export "f") (result i32) i32.const 7))
                (core instance $m (instantiate $m))
                (func $f (result {result}) (canon lift (core func $m "f")))
                (instance $api (export "f" (func $f)))
                {exports}
                (export "plain-name" (func $f)))"#
        ),
    )
}

fn fill(name: &str, part: Part) -> Fill {
    Fill {
        name: name.into(),
        part,
        export: None,
        inherit: Inherit::Nothing,
    }
}

fn import_names(bytes: &[u8]) -> Vec<String> {
    fence::imports(bytes)
        .unwrap()
        .into_iter()
        .map(|import| import.name)
        .collect()
}

const ONE: &str = "a:dep/one@0.1.0";
const TWO: &str = "a:dep/two@0.1.0";
const OTHER: &str = "b:other/api";
const PLAIN: &str = "plain-name";
const SQLITE: &str = "spin:sqlite/sqlite@3.1.0";

#[test]
fn without_dependencies_the_bytes_pass_through() {
    let root = root();
    assert_eq!(compose(&root, &[]).unwrap(), root.bytes);
}

#[test]
fn a_name_fills_as_many_imports_as_it_matches() {
    for (name, left) in [
        (ONE, vec![TWO, OTHER, PLAIN, SQLITE]),
        ("a:dep/two", vec![ONE, OTHER, PLAIN, SQLITE]),
        ("a:dep", vec![OTHER, PLAIN, SQLITE]),
        ("a:dep@0.1.0", vec![OTHER, PLAIN, SQLITE]),
        (PLAIN, vec![ONE, TWO, OTHER, SQLITE]),
    ] {
        let bytes = compose(
            &root(),
            &[fill(name, exporter("dep", "u32", &[ONE, TWO], ""))],
        )
        .unwrap();
        let mut names = import_names(&bytes);
        names.sort();
        let mut left = left;
        left.sort_unstable();
        assert_eq!(names, left, "{name}");
    }
}

#[test]
fn several_packages_are_filled_and_exports_stay() {
    let fills = [
        fill("a:dep", exporter("dep", "u32", &[ONE, TWO], "")),
        fill(OTHER, exporter("other", "u32", &[OTHER], "")),
        fill(PLAIN, exporter("plain", "u32", &[], "")),
    ];
    let bytes = compose(&root(), &fills).unwrap();
    assert_eq!(import_names(&bytes), [SQLITE]);
    let engine = crate::engine::build().unwrap();
    let component = wasmtime::component::Component::new(&engine, &bytes).unwrap();
    let mut linker = wasmtime::component::Linker::<()>::new(&engine);
    linker
        .instance(SQLITE)
        .unwrap()
        .func_wrap("open", |_, (): ()| Ok(()))
        .unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    store.set_epoch_deadline(1000);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let g = instance
        .get_typed_func::<(), (u32,)>(&mut store, "g")
        .unwrap();
    assert_eq!(
        g.call(&mut store, ()).unwrap(),
        (7,),
        "the plain dependency answers"
    );
}

#[test]
fn export_says_which_export_to_use() {
    let renamed = Fill {
        export: Some(OTHER.into()),
        ..fill(ONE, exporter("dep", "u32", &[OTHER], ""))
    };
    assert!(!import_names(&compose(&root(), &[renamed]).unwrap()).contains(&ONE.to_owned()));
}

#[test]
fn the_parents_import_and_a_fenced_one_stay_apart() {
    let header = r#"(import "spin:sqlite/sqlite@3.1.0" (instance (export "open" (func))))"#;
    let dependency = |inherit| Fill {
        inherit,
        ..fill(ONE, exporter("dep", "u32", &[ONE], header))
    };
    let fenced = import_names(&compose(&root(), &[dependency(Inherit::Nothing)]).unwrap());
    let fenced: Vec<_> = fenced
        .iter()
        .filter(|name| name.contains("sqlite"))
        .collect();
    assert_eq!(
        fenced,
        [
            "spin:sqlite/sqlite@3.1.0",
            "fenced-spin:sqlite/sqlite@3.1.0"
        ]
    );
    let inherited = import_names(&compose(&root(), &[dependency(Inherit::Everything)]).unwrap());
    assert_eq!(
        inherited
            .iter()
            .filter(|name| name.contains("sqlite"))
            .count(),
        1,
        "merged by name"
    );
}

#[test]
fn what_does_not_fit_is_refused_with_its_reason() {
    let module = |id: &str| Part {
        id: id.into(),
        bytes: wat::parse_str("(module)").unwrap(),
    };
    let garbage = Part {
        id: "garbage".into(),
        bytes: b"\0asm\x0d\0\x01\0\xff\xff".to_vec(),
    };
    let good = || exporter("dep", "u32", &[ONE, TWO], "");
    for (case, fills, want) in [
        (
            "no such import",
            vec![fill("a:depp/one", good())],
            "dependency `a:depp/one` does not match any import of component `root`; it imports \
             `a:dep/one@0.1.0`, `a:dep/two@0.1.0`, `b:other/api`, `plain-name`, `spin:sqlite/sqlite@3.1.0`",
        ),
        (
            "another version",
            vec![fill("a:dep/one@0.2.0", good())],
            "does not match any import",
        ),
        (
            "two of one package",
            vec![fill(ONE, good()), fill(TWO, good())],
            "dependencies `a:dep/one@0.1.0` and `a:dep/two@0.1.0` of component `root` are of one WIT package, `a:dep`",
        ),
        (
            "no such export",
            vec![fill(OTHER, good())],
            "dependency `b:other/api` does not export `b:other/api` to fill import `b:other/api`; \
             it exports `a:dep/one@0.1.0`, `a:dep/two@0.1.0`, `plain-name`",
        ),
        (
            "no such renamed export",
            vec![Fill {
                export: Some("x:y/z".into()),
                ..fill(ONE, good())
            }],
            "does not export `x:y/z` to fill import `a:dep/one@0.1.0`",
        ),
        (
            "another type",
            vec![fill(ONE, exporter("dep", "s32", &[ONE], ""))],
            "dependency `a:dep/one@0.1.0` exports `a:dep/one@0.1.0`, which does not fit import `a:dep/one@0.1.0`:",
        ),
        (
            "a core module",
            vec![fill(ONE, module("core"))],
            "`core` is not a component",
        ),
        (
            "broken bytes",
            vec![fill(ONE, garbage)],
            "`garbage` is not a valid component",
        ),
        (
            "an unknown capability",
            vec![fill(
                ONE,
                exporter(
                    "dep",
                    "u32",
                    &[ONE],
                    r#"(import "acme:x/y" (instance (export "f" (func))))"#,
                ),
            )],
            "dependency `a:dep/one@0.1.0` of component `root` is refused: it imports acme:x/y",
        ),
    ] {
        let refused = compose(&root(), &fills).expect_err(case).to_string();
        assert!(refused.contains(want), "{case}: {refused}");
    }
    let refused = compose(&module("core"), &[]).unwrap_err().to_string();
    assert!(refused.contains("`core` is not a component"), "{refused}");
}

#[test]
fn shared_types_are_one_import_of_the_whole() {
    let types = r#"(import "a:types/types" (instance $t (export "m" (type (sub resource)))))"#;
    let root = part(
        "root",
        &format!(
            r#"(component {types} (import "{ONE}" (instance (export "f" (func (result u32))))))"#
        ),
    );
    let bytes = compose(&root, &[fill(ONE, exporter("dep", "u32", &[ONE], types))]).unwrap();
    assert_eq!(import_names(&bytes), ["a:types/types"]);
}

/// What passes its own handler on: exports what it imports, or some other handler.
fn layer(import: &str, export: &str) -> Layer {
    let text = format!(
        r#"(component
            (import "{import}" (instance $next (export "f" (func (result u32)))))
            (import "spin:sqlite/sqlite@3.1.0" (instance (export "open" (func))))
            (export "{export}" (instance $next)))"#
    );
    Layer {
        part: part("layer", &text),
        inherit: Inherit::Nothing,
    }
}

#[test]
fn middleware_stands_before_the_component_and_is_fenced() {
    let root = || exporter("root", "u32", &[HANDLER], "");
    let alone = wrap(root(), &[]).unwrap();
    assert_eq!(alone, root().bytes);
    let both = [layer(HANDLER, HANDLER), layer(HANDLER, HANDLER)];
    let whole = wrap(root(), &both).unwrap();
    assert_eq!(
        import_names(&whole),
        [format!("{}spin:sqlite/sqlite@3.1.0", fence::PREFIX)]
    );
    for (name, root, layer, want) in [
        (
            "no export behind it",
            part("root", "(component)"),
            layer(HANDLER, HANDLER),
            "`root` does not export `wasi:http/handler@0.3.0`",
        ),
        (
            "no import",
            root(),
            layer("wasi:http/handler@0.3.1", HANDLER),
            "middleware `layer` of component `root` is refused: it imports wasi:http/handler@0.3.1",
        ),
        (
            "no export",
            root(),
            layer(HANDLER, "wasi:http/handler@0.3.1"),
            "`layer` does not export `wasi:http/handler@0.3.0`",
        ),
    ] {
        let error = wrap(root, &[layer]).unwrap_err().to_string();
        assert!(error.starts_with(want), "{name}: {error}");
    }
}
