//! What is refused in components, and what a build profile changes.

use super::*;

#[test]
fn errors_in_components() {
    assert_errors(&[
        (
            "[component.b_c]\nsource = \"b\"",
            "7: component.b_c: the component id \"b_c\" must join its words with '-'; write \"b-c\"",
        ),
        (
            "component.b = 5",
            "7: component.b: must be a table, is an integer",
        ),
        (
            "[component.b]\nsource = { url = \"https://x/y.wasm\", digest = \"sha256:0\" }",
            "8: component.b.source.digest: \"sha256:0\" is no digest; write \"sha256:\" and the 64 lower-case hexadecimal digits that `sha256sum` prints for the file",
        ),
        (
            "[component.b]\nsource = { url = \"file:///y.wasm\", digest = \"sha256:0\" }",
            "8: component.b.source.url: \"file:///y.wasm\" is no web address; begin it with \"https://\"",
        ),
        (
            "[component.b]\nsource = { url = \"https://x/y.wasm\", sha256 = \"0\" }",
            "8: component.b.source.digest: missing; add `digest = \"sha256:…\"`\n\
             /app/spin.toml:8: component.b.source.sha256: unknown key; known here: digest, url",
        ),
        (
            "[component.b]\nsource = { registry = \"r\", package = \"a:b\", version = \"1\" }",
            "8: component.b.source: not supported by this host: it fetches no component from a registry; name its file with `source = \"target/wasm32-wasip2/release/NAME.wasm\"`, or its URL with `{ url = \"https://…\", digest = \"sha256:…\" }`",
        ),
        (
            "[component.b]\nsource = \"\"",
            "8: component.b.source: is empty; write `source = \"target/wasm32-wasip2/release/NAME.wasm\"`",
        ),
        (
            "[component.b]\nsource = \"b\"\nallowed_http_hosts = []",
            "9: component.b.allowed_http_hosts: not supported by this host: it is Spin's old name for allowed_outbound_hosts; use that",
        ),
        (
            "[component.b]\nsource = \"b\"\ntargets = []",
            "9: component.b.targets: not supported by this host: it checks no component against other environments; remove the key",
        ),
        (
            "[component.b]\nsource = \"b\"\n[component.b.profile.debug]\nfiles = [\"d\"]\nbuild = { workdir = \"x\" }",
            "10: component.b.profile.debug.files: unknown key; known here: build, dependencies, environment, source\n\
             /app/spin.toml:11: component.b.profile.debug.build.command: missing; add `command = \"cargo build --release --target wasm32-wasip2 -p NAME\"`\n\
             /app/spin.toml:11: component.b.profile.debug.build.workdir: unknown key; known here: command",
        ),
        (
            "[component.b]\nsource = \"b\"\n[component.b.variables]\nx = \"{{ nam }}\"",
            "10: component.b.variables.x: names the variable \"nam\", which [variables] does not declare; did you mean \"name\"?",
        ),
        (
            "[component.b]\nsource = \"b\"\n[component.b.variables]\nx = \"{{ other }}\"",
            "10: component.b.variables.x: names the variable \"other\", which [variables] does not declare; add `other = { required = true }` there",
        ),
        (
            "[component.b]\nsource = \"b\"\n[component.b.variables]\nx = \"{{ name\"",
            "10: component.b.variables.x: the template \"{{ name\" opens \"{{\" and never closes it; write \"{{ name }}\"",
        ),
        (
            "[component.b]\nsource = \"b\"\n[component.b.variables]\nx-y = \"\"",
            "10: component.b.variables.x-y: the variable name \"x-y\" must join its words with '_'; write \"x_y\"",
        ),
        (
            "[component.b]\nsource = \"b\"\nallowed_outbound_hosts = [\n  \"https://{{ host }}\",\n]",
            "10: component.b.allowed_outbound_hosts: names the variable \"host\", which [variables] does not declare; add `host = { required = true }` there",
        ),
        (
            "[component.b]\nsource = \"b\"\nkey_value_stores = [\"a b\"]",
            "9: component.b.key_value_stores: the label \"a b\" contains ' '; use letters, digits and '-'",
        ),
        (
            "[component.b]\nsource = \"b\"\nsqlite_databases = \"default\"",
            "9: component.b.sqlite_databases: must be an array, is a string",
        ),
        (
            "[component.b]\nsource = \"b\"\nenvironment = { X = 1 }",
            "9: component.b.environment.X: must be a string, is an integer",
        ),
        (
            "[component.b]\nsource = \"b\"\nfiles = [{ source = \"x\", destination = \"/y/../..\" }]",
            "9: component.b.files: the destination \"/y/../..\" leaves the guest's root; remove the \"..\"",
        ),
        (
            "[component.b]\nsource = \"b\"\nfiles = [\"a/.\"]",
            "9: component.b.files: the pattern \"a/.\" names a folder; write a pattern that ends in \"**/*\", or `{ source = \"FOLDER\", destination = \"/\" }`",
        ),
        (
            "[component.b]\nsource = \"b\"\nfiles = [{ source = \"x\", dest = \"/\" }]",
            "9: component.b.files.dest: unknown key; did you mean \"destination\"?\n\
             /app/spin.toml:9: component.b.files.destination: missing; add `destination = \"/\"`",
        ),
        (
            "[component.b]\nsource = \"b\"\n[component.b.build]\nworkdir = \"x\"",
            "9: component.b.build.command: missing; add `command = \"cargo build --release --target wasm32-wasip2 -p NAME\"`",
        ),
        (
            "[component.b]\nsource = \"b\"\n[component.b.build]\ncommand = []",
            "10: component.b.build.command: is empty; write `command = \"cargo build --release --target wasm32-wasip2 -p NAME\"`",
        ),
        (
            "[component.b]\nsource = \"b\"\n[component.b.build]\ncomand = \"x\"\ncommand = \"y\"",
            "10: component.b.build.comand: unknown key; did you mean \"command\"?",
        ),
    ]);
}

#[test]
fn errors_in_limits() {
    assert_errors(&[
        (
            "[component.a.tool.chatly]\ncpu_timeout = \"0s\"",
            "8: component.a.tool.chatly.cpu_timeout: \"0s\" is no duration; write a whole number above zero and its unit: \"250ms\", \"5s\", \"2m\" or \"1h\"",
        ),
        (
            "[component.a.tool.chatly]\nresponse_timeout = 5",
            "8: component.a.tool.chatly.response_timeout: must be a string, is an integer",
        ),
        (
            "[component.a.tool.chatly]\nmax_memory_mib = 4097",
            "8: component.a.tool.chatly.max_memory_mib: must be from 1 to 4096, is 4097",
        ),
        (
            "[component.a.tool.chatly]\nmax_concurrency = 0",
            "8: component.a.tool.chatly.max_concurrency: must be from 1 to 4294967295, is 0",
        ),
        (
            "[component.a.tool.chatly]\nmax_concurrency = -1",
            "8: component.a.tool.chatly.max_concurrency: must be from 1 to 4294967295, is -1",
        ),
        (
            "[component.a.tool.chatly]\nmax_memory = 5",
            "8: component.a.tool.chatly.max_memory: unknown key; did you mean \"max_memory_mib\"?",
        ),
        (
            "[component.a.tool.chatly.limits]\nmax_memory_mib = 5",
            "7: component.a.tool.chatly.limits: unknown key; known here: background_timeout, cpu_timeout, max_concurrency, max_memory_mib, response_timeout",
        ),
    ]);
}

#[test]
fn errors_in_dependencies() {
    const FORMS: &str = "`{ component = \"ID\" }`, `{ path = \"file.wasm\" }` or `{ url = \"https://…\", digest = \"sha256:…\" }`";
    const DOWNLOAD: &str = "not supported by this host: it fetches nothing from a registry; write `{ component = \"ID\" }`, `{ path = \"file.wasm\" }` or `{ url = \"https://…\", digest = \"sha256:…\" }`";
    let one = |entry: &str| {
        let text = format!("[component.a.dependencies]\n{entry}");
        errors(parse_after_head(&text)).replace(&format!("{PATH}:"), "")
    };
    for (entry, want) in [
        (r#""x:y" = ">=0.1.0""#, format!("8: component.a.dependencies.\"x:y\": {DOWNLOAD}")),
        (r#""x:y" = { version = "1.0.0" }"#, format!("8: component.a.dependencies.\"x:y\": {DOWNLOAD}")),
        (
            r#""x:y" = { registry = "r.example", package = "x:y", version = "1.0.0" }"#,
            format!("8: component.a.dependencies.\"x:y\": {DOWNLOAD}"),
        ),
        (
            r#""x:y" = { url = "https://x", digest = "sha256:0" }"#,
            "8: component.a.dependencies.\"x:y\".digest: \"sha256:0\" is no digest; write \"sha256:\" and the 64 lower-case hexadecimal digits that `sha256sum` prints for the file".to_owned(),
        ),
        (
            r#""x:y/z" = { componnent = "b" }"#,
            format!("8: component.a.dependencies.\"x:y/z\": names nothing that fills it; write {FORMS}\n\
             8: component.a.dependencies.\"x:y/z\".componnent: unknown key; did you mean \"component\"?"),
        ),
        (
            r#""x:y/z" = { component = "b", path = "b.wasm" }"#,
            format!("8: component.a.dependencies.\"x:y/z\": names more than one of component, path and url; write {FORMS}"),
        ),
        (
            r#""x:y/z" = { component = "b" }"#,
            "8: component.a.dependencies.\"x:y/z\": there is no component \"b\"; add the table [component.b]".to_owned(),
        ),
        (
            r#""x:y/z@0.1" = { path = "b.wasm" }"#,
            "8: component.a.dependencies.\"x:y/z@0.1\": the dependency name \"x:y/z@0.1\" has the version \"0.1\"; write all three numbers, like 0.1.0".to_owned(),
        ),
        (
            r#""x/z" = { path = "b.wasm" }"#,
            "8: component.a.dependencies.\"x/z\": the dependency name \"x/z\" has no namespace; write \"namespace:package/interface@version\"".to_owned(),
        ),
        (
            r#""x:y" = { path = "b.wasm", export = "q:r/s" }"#,
            "8: component.a.dependencies.\"x:y\": `export` cannot fill the whole package \"x:y\"; name one interface, like \"x:y/INTERFACE\"".to_owned(),
        ),
        (
            r#""x:y/z" = { path = "b.wasm", inherit_configuration = ["sqlite"] }"#,
            "8: component.a.dependencies.\"x:y/z\".inherit_configuration: nothing called \"sqlite\" can be inherited; did you mean \"sqlite_databases\"? (known: ai_models, allowed_outbound_hosts, environment, files, key_value_stores, sqlite_databases, variables)".to_owned(),
        ),
        (
            r#""x:y/z" = { path = "b.wasm", inherit_configuration = "all" }"#,
            "8: component.a.dependencies.\"x:y/z\".inherit_configuration: must be true, false or a list of ai_models, allowed_outbound_hosts, environment, files, key_value_stores, sqlite_databases, variables".to_owned(),
        ),
        (
            "\"x:y/z\" = { path = \"b.wasm\" }\n\"x:y/w@0.2.0\" = { path = \"c.wasm\" }",
            "9: component.a.dependencies.\"x:y/w@0.2.0\": \"x:y/z\" and \"x:y/w@0.2.0\" come from one WIT package, of which a component can have one dependency; move one of the interfaces to a package of its own".to_owned(),
        ),
    ] {
        assert_eq!(one(entry), want, "{entry}");
    }
    assert_errors(&[
        (
            "[component.b]\nsource = \"b\"\ndependencies_inherit_configuration = true\n\
             dependencies.\"x:y/z\" = { path = \"c.wasm\", inherit_configuration = false }",
            "9: component.b.dependencies_inherit_configuration: stands beside `inherit_configuration` of the dependency \"x:y/z\"; keep one of the two",
        ),
        (
            "[component.b]\nsource = \"b\"\ndependencies.\"x:y/z\" = { component = \"c\" }\n\
             [component.c]\nsource = \"c\"\nvariables.x = \"\"\nfiles = [\"f\"]\nenvironment = { E = \"\" }\n\
             key_value_stores = [\"default\"]\nsqlite_databases = [\"default\"]\nai_models = [\"m\"]\n\
             allowed_outbound_hosts = [\"https://x\"]\ndependencies.d = { path = \"d\" }",
            "9: component.b.dependencies.\"x:y/z\": the component \"c\" cannot fill an import of \"b\", because it has ai_models, allowed_outbound_hosts, dependencies, environment, files, key_value_stores, sqlite_databases, variables of its own; remove them there, and let it inherit from \"b\"",
        ),
    ]);
}

#[test]
fn a_build_profile_takes_the_place_of_what_it_names() {
    let text = "spin_manifest_version = 2\n\
        application.name = \"app\"\n\
        trigger.http = []\n\
        [component.plain]\nsource = \"plain\"\n\
        [component.a]\nsource = \"release\"\nenvironment = { A = \"1\", B = \"2\" }\n\
        build = { command = \"make\", workdir = \"w\" }\n\
        [component.a.dependencies]\n\"x:y/z\" = { path = \"one\" }\n\
        [component.a.profile.debug]\nsource = \"debug\"\nenvironment = { B = \"3\" }\n\
        build.command = [\"make debug\"]\n\
        dependencies = { \"x:y/z\" = { path = \"two\" }, \"v:w\" = { path = \"three\" } }\n\
        [component.a.profile.built]\nsource = \"built\"\n\
        [component.b]\nsource = \"b\"\nprofile.built.build.command = \"make b\"\n";
    let read = |profile| Manifest::parse_with(text, Path::new(PATH), profile);
    for (profile, source, environment, command, dependencies) in [
        (None, "release", ["1", "2"], "make", vec!["/app/one"]),
        (
            Some("debug"),
            "debug",
            ["1", "3"],
            "make debug",
            vec!["/app/three", "/app/two"],
        ),
        (Some("built"), "built", ["1", "2"], "make", vec!["/app/one"]),
    ] {
        let manifest = read(profile).expect("is sound");
        let a = &manifest.components["a"];
        let path = Path::new("/app").join(source);
        assert_eq!(a.source, Source::Path(path), "{profile:?}");
        assert_eq!(
            [&*a.environment["A"], &*a.environment["B"]],
            environment,
            "{profile:?}"
        );
        let build = a.build.as_ref().expect("a has a build");
        assert_eq!(build.command, [command], "{profile:?}");
        assert_eq!(build.workdir, Path::new("/app/w"), "{profile:?}");
        let from = |dependency: &Dependency| match &dependency.source {
            DependencySource::Path(path) => path.display().to_string(),
            other => format!("{other:?}"),
        };
        let paths: Vec<_> = a.dependencies.values().map(from).collect();
        assert_eq!(paths, dependencies, "{profile:?}");
        let plain = &manifest.components["plain"];
        assert_eq!(plain.source, Source::Path("/app/plain".into()));
        let b = manifest.components["b"].build.as_ref();
        assert_eq!(b.is_some(), profile == Some("built"), "{profile:?}");
    }
    assert_eq!(
        errors(read(Some("deubg"))),
        "/app/spin.toml:1: no component has the build profile \"deubg\" (known: built, debug)"
    );
}
