//! Whole manifests: what they become, and the text of every error.

mod application;
mod components;
mod triggers;

use std::path::Path;
use std::time::Duration;

use super::*;

const PATH: &str = "/app/spin.toml";

fn parse(text: &str) -> Result<Manifest, Error> {
    Manifest::parse(text, Path::new(PATH))
}

/// Reads `text` after six lines that make it a manifest with the component `a` in line 5 and the
/// variable `name` in line 4.
fn parse_after_head(text: &str) -> Result<Manifest, Error> {
    let head = "spin_manifest_version = 2\n\
                application.name = \"app\"\n\
                trigger.http = []\n\
                variables.name = { default = \"\" }\n\
                component.a.source = \"a.wasm\"\n\n";
    parse(&format!("{head}{text}"))
}

fn errors(result: Result<Manifest, Error>) -> String {
    result
        .map(|manifest| format!("{manifest:#?}"))
        .expect_err("must be refused")
        .to_string()
}

#[test]
fn a_manifest_that_uses_everything_is_read() {
    let manifest = parse(include_str!("maximal.toml")).expect("maximal.toml must be read");
    assert_eq!(manifest.path, Path::new(PATH));
    assert_eq!(manifest.folder(), Path::new("/app"));
    assert_eq!(manifest.application.name, "maximal");
    assert_eq!(manifest.application.authors, ["alice@example.com"]);
    assert_eq!(
        manifest.application.schedule["sweep"],
        Duration::from_secs(5)
    );
    assert_eq!(manifest.application.limits.max_memory_mib, Some(64));
    assert!(manifest.variables["token"].required && manifest.variables["token"].secret);
    assert_eq!(
        manifest.variables["greeting"].default.as_deref(),
        Some("Hi")
    );

    let routes: Vec<_> = manifest
        .triggers
        .iter()
        .map(|t| (&t.route, t.component().unwrap_or("static")))
        .collect();
    let path = |path: &str| Route::Path(path.to_owned());
    assert_eq!(
        routes,
        [
            (&path("/hook/:account"), "main-for-hook"),
            (&path("/..."), "inline-trigger-component"),
            (&Route::Private, "main"),
            (&path("/other"), "http-trigger1-component"),
            (&path("/old/..."), "static"),
        ]
    );
    let ids: Vec<_> = manifest.triggers.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "hook",
            "inline-trigger",
            "main-http-trigger",
            "http-trigger1",
            "http-trigger2"
        ]
    );
    assert_eq!(
        manifest.triggers[4].answer,
        Answer::Static(StaticResponse {
            status_code: 301,
            headers: vec![("location".to_owned(), "/".to_owned())],
            body: "Moved".to_owned(),
        })
    );
    let copy = &manifest.components["main-for-hook"];
    assert_eq!(
        copy.middleware,
        [
            Middleware {
                source: DependencySource::Path("/app/auth.wasm".into()),
                inherit: Inherit::Only(vec!["variables".to_owned()]),
            },
            Middleware {
                source: DependencySource::Component("store".to_owned()),
                inherit: Inherit::Nothing,
            },
        ]
    );
    assert_eq!(copy.key_value_stores, ["default"]);

    let main = &manifest.components["main"];
    assert!(main.middleware.is_empty());
    assert_eq!(main.source, Source::Path("/app/bin/main.wasm".into()));
    assert_eq!(main.variables["salutation"], "{{ greeting }}, {{ token }}");
    assert_eq!(main.environment["LANG"], "C");
    assert_eq!(
        main.files,
        [
            FileMount::Pattern("static/*".to_owned()),
            FileMount::Placement {
                source: "assets".into(),
                destination: "/".to_owned()
            },
        ]
    );
    assert_eq!(main.exclude_files, ["static/secret"]);
    assert_eq!(
        main.allowed_outbound_hosts,
        ["https://{{ greeting }}.example.com"]
    );
    assert_eq!(main.key_value_stores, ["default"]);
    assert_eq!(main.sqlite_databases, ["default", "my_other"]);
    assert_eq!(main.ai_models, ["llama2-chat"]);
    let build = main.build.as_ref().expect("main has a build");
    assert_eq!(build.command, ["npm install", "npm run build"]);
    assert_eq!(build.workdir, Path::new("/app/web"));
    assert_eq!(build.watch, ["src/**/*.ts"]);
    assert_eq!(main.limits.response_timeout, Some(Duration::from_secs(10)));
    assert_eq!(main.limits.cpu_timeout, Some(Duration::from_millis(250)));
    assert_eq!(
        main.limits.background_timeout,
        Some(Duration::from_secs(120))
    );
    assert_eq!(main.limits.max_concurrency, Some(8));

    let dependency = |name: &str| main.dependencies[name].clone();
    assert_eq!(
        dependency("chatly:store/store@0.1.0"),
        Dependency {
            source: DependencySource::Component("store".to_owned()),
            export: None,
            inherit: Inherit::Only(vec!["sqlite_databases".to_owned()]),
        }
    );
    assert_eq!(
        dependency("a:b/c"),
        Dependency {
            source: DependencySource::Path("/elsewhere/c.wasm".into()),
            export: Some("x:y/z".to_owned()),
            inherit: Inherit::Nothing,
        }
    );
    assert_eq!(dependency("plain-name").inherit, Inherit::Everything);
    let remote = Download {
        url: "https://example.com/remote.wasm".to_owned(),
        sha256: "0123456789abcdef".repeat(4),
    };
    assert_eq!(
        dependency("far:away/lib").source,
        DependencySource::Url(remote.clone())
    );
    assert_eq!(manifest.components["remote"].source, Source::Url(remote));
    let whole = &manifest.components["whole"];
    assert!(whole.dependencies_inherit_configuration);
    assert_eq!(
        whole.dependencies["chatly:store/store@0.1.0"].inherit,
        Inherit::Everything
    );
}

#[test]
fn components_keep_the_order_of_the_file() {
    let manifest = parse_after_head("[component.z]\nsource = \"z\"\n[component.b]\nsource = \"b\"");
    let manifest = manifest.expect("is sound");
    let line = |id: &str| manifest.components[id].line;
    assert_eq!((line("a"), line("z"), line("b")), (5, 7, 9));
}

#[test]
fn a_file_that_is_no_manifest_is_refused() {
    for (name, text, want) in [
        (
            "nothing in it",
            "",
            "/app/spin.toml:1: spin_manifest_version: missing; add `spin_manifest_version = 2`",
        ),
        (
            "version 1",
            "\nspin_version = \"1\"",
            "/app/spin.toml:2: spin_version: is a manifest of version 1; write version 2 (`spin doctor` converts it)",
        ),
        (
            "version 3",
            "spin_manifest_version = 3",
            "/app/spin.toml:1: spin_manifest_version: must be 2; write `spin_manifest_version = 2`",
        ),
        (
            "version as text",
            "spin_manifest_version = \"2\"",
            "/app/spin.toml:1: spin_manifest_version: must be 2; write `spin_manifest_version = 2`",
        ),
        (
            "only a version",
            "spin_manifest_version = 2",
            "/app/spin.toml:1: application: missing; add `[application] with a name`\n\
             /app/spin.toml:1: trigger: missing; add `[[trigger.http]] with a route and a component`",
        ),
        (
            "not TOML",
            "spin_manifest_version = 2\n[application\n",
            "/app/spin.toml:2: not valid TOML: unclosed table, expected `]`",
        ),
        (
            "a key twice",
            "spin_manifest_version = 2\n[application]\nname = \"a\"\nname = \"b\"",
            "/app/spin.toml:4: not valid TOML: duplicate key",
        ),
    ] {
        assert_eq!(errors(parse(text)), want, "{name}");
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    let error = Manifest::load(Path::new("/nowhere/spin.toml")).expect_err("there is no such file");
    assert!(
        error
            .to_string()
            .starts_with("/nowhere/spin.toml: cannot be read: "),
        "{error}"
    );
}

#[test]
fn all_problems_are_reported_by_line() {
    let text = "[component.b]\nsourc = \"b\"\n[[trigger.http]]\nroute = 5";
    let head = "spin_manifest_version = 2\n[application]\nname = \"\"\n";
    assert_eq!(
        errors(parse(&format!("{head}{text}"))),
        "/app/spin.toml:3: application.name: is empty; write `name = \"my-app\"`\n\
         /app/spin.toml:4: component.b.source: missing; add `source = \"target/wasm32-wasip2/release/NAME.wasm\"`\n\
         /app/spin.toml:5: component.b.sourc: unknown key; did you mean \"source\"?\n\
         /app/spin.toml:6: trigger.http.component: missing; add `component = \"ID\"`\n\
         /app/spin.toml:7: trigger.http.route: must be a path or `{ private = true }`"
    );
}

/// Asserts the one error of each manifest, without the file's name.
#[track_caller]
fn assert_errors(cases: &[(&str, &str)]) {
    for (text, want) in cases {
        assert_eq!(
            errors(parse_after_head(text)),
            format!("{PATH}:{want}"),
            "{text}"
        );
    }
}

#[test]
fn tables_of_other_tools_are_theirs() {
    assert!(parse_after_head("[component.a.tool.lint]\nlevel = { any = 1 }").is_ok());
    let head = "spin_manifest_version = 2\ntrigger.http = []\n[application]\nname = \"app\"\n";
    assert!(
        parse(&format!(
            "{head}[application.tool.lint]\nlevel = {{ any = 1 }}"
        ))
        .is_ok()
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = parse(&text);
        let _ = parse_after_head(&text);
    }

    #[test]
    fn a_sound_manifest_with_one_changed_byte_does_not_make_it_panic(
        position in 0..include_str!("maximal.toml").len(),
        byte in proptest::num::u8::ANY,
    ) {
        let mut bytes = include_bytes!("maximal.toml").to_vec();
        bytes[position] = byte;
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }
}
