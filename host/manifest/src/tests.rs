//! Whole manifests: what they become, and the text of every error.

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
fn errors_in_the_application() {
    assert_errors(&[
        (
            "[tool]\nx = 1",
            "7: tool: unknown key; known here: application, component, spin_manifest_version, trigger, variables",
        ),
        (
            "[componant.b]\nsource = \"b\"",
            "7: componant: unknown key; did you mean \"component\"?",
        ),
    ]);
    let with_application = |text: &str| {
        let head = "spin_manifest_version = 2\ntrigger.http = []\n[application]\nname = \"app\"\n";
        errors(parse(&format!("{head}{text}")))
    };
    for (text, want) in [
        (
            "nam = \"x\"",
            "5: application.nam: unknown key; did you mean \"name\"?",
        ),
        (
            "version = 1",
            "5: application.version: must be a string, is an integer",
        ),
        (
            "authors = \"me\"",
            "5: application.authors: must be an array, is a string",
        ),
        (
            "authors = [\n  \"me\",\n  7 ]",
            "7: application.authors: must be a string, is an integer",
        ),
        (
            "targets = [\"spin-up:4\"]",
            "5: application.targets: not supported by this host: it checks no component against other environments; remove the key",
        ),
        (
            "[application.trigger.http]\nbase = \"/x\"",
            "5: application.trigger.http: not supported by this host: triggers have no settings for the whole application here; write the full path into each [[trigger.http]] route",
        ),
        (
            "[application.tool.chatly]\nshedule.sweep = \"5s\"",
            "6: application.tool.chatly.shedule: unknown key; did you mean \"schedule\"?",
        ),
        (
            "[application.tool.chatly.schedule]\nsweep = \"5\"",
            "6: application.tool.chatly.schedule.sweep: \"5\" is no duration; write a whole number above zero and its unit: \"250ms\", \"5s\", \"2m\" or \"1h\"",
        ),
        (
            "[application.tool.chatly.schedule]\nswep = \"5s\"",
            "6: application.tool.chatly.schedule.swep: unknown key; did you mean \"sweep\"?",
        ),
        (
            "[application.tool.chatly.local_secrets]\nkey = \"rsa\"\n[variables]\nkey = { default = \"\", secret = true }",
            "6: application.tool.chatly.local_secrets.key: \"rsa\" is no kind of secret; write \"token\", \"standard-webhooks\" or \"ed25519\"",
        ),
        (
            "[application.tool.chatly.local_secrets]\nkey = \"token\"\n[variables]\nkey = { default = \"\" }",
            "6: application.tool.chatly.local_secrets.key: the variable is not secret; add `secret = true` to it",
        ),
        (
            "[application.tool.chatly.local_secrets]\nkey = \"token\"",
            "6: application.tool.chatly.local_secrets.key: there is no such variable; declare it in [variables]",
        ),
        (
            "[application.tool.chatly.limits]\ncpu = \"5s\"",
            "6: application.tool.chatly.limits.cpu: unknown key; did you mean \"cpu_timeout\"?",
        ),
    ] {
        assert_eq!(with_application(text), format!("{PATH}:{want}"), "{text}");
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

#[test]
fn errors_in_variables() {
    assert_errors(&[
        (
            "[variables.x]\nrequired = true\ndefault = \"d\"",
            "7: variables.x: is required and has a default, so the default could never be used; remove one",
        ),
        (
            "[variables.x]\nsecret = true",
            "7: variables.x: has no value when nobody gives it one; add `required = true` or `default = \"…\"`",
        ),
        (
            "[variables.x]\ndefault = 5",
            "8: variables.x.default: must be a string, is an integer",
        ),
        (
            "[variables.x]\ndefault = \"\"\nsecrt = true",
            "9: variables.x.secrt: unknown key; did you mean \"secret\"?",
        ),
        (
            "[variables.x]\nrequired = \"yes\"\ndefault = \"\"",
            "8: variables.x.required: must be true or false, is a string",
        ),
        (
            "[variables.X]\nrequired = true",
            "7: variables.X: the variable name \"X\" must be lower case; write \"x\"",
        ),
        (
            "[variables.a-b]\nrequired = true",
            "7: variables.a-b: the variable name \"a-b\" must join its words with '_'; write \"a_b\"",
        ),
        (
            "[variables.\"a b\"]\nrequired = true",
            "7: variables.\"a b\": the variable name \"a b\" contains ' '; use letters, digits and '_'",
        ),
    ]);
    // `variables = 5` beside the head's table would be a TOML error, so this one has its own head.
    let text =
        "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\nvariables = 5";
    assert_eq!(
        errors(parse(text)),
        format!("{PATH}:4: variables: must be a table, is an integer")
    );
}

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
fn errors_in_triggers() {
    let one = |text: &str| {
        let head = "spin_manifest_version = 2\n\
                    application.name = \"app\"\n\
                    component.a.source = \"a.wasm\"\n\n";
        errors(parse(&format!("{head}{text}"))).replace(&format!("{PATH}:"), "")
    };
    for (text, want) in [
        (
            "[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"a\"",
            "5: trigger.redis: not supported by this host: it has no \"redis\" trigger; only [[trigger.http]]",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\nstatic_response = { body = \"x\" }",
            "8: trigger.http.static_response: stands beside `component`, and only one can answer; remove one",
        ),
        (
            "[[trigger.http]]\nroute = { private = true }\nstatic_response = { body = \"x\" }",
            "7: trigger.http.static_response: cannot be reached: a private route is called by the name of its component; write a path for `route`",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\nstatic_response = { status_code = 199, statuscode = 1, headers = { \"a b\" = \"\", c = \"\\u0000\" } }",
            "7: trigger.http.static_response.headers.\"a b\": \"a b\" is no header name; use letters, digits and '-'\n\
             7: trigger.http.static_response.headers.c: has a control character, which no header may have; remove it\n\
             7: trigger.http.static_response.status_code: must be from 200 to 999, is 199\n\
             7: trigger.http.static_response.statuscode: unknown key; did you mean \"status_code\"?",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\ncomponents = { x = \"a\" }",
            "8: trigger.http.components: not supported by this host: Spin's HTTP trigger does nothing with it either; remove the table",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\ndependencies.midleware = [{ component = \"a\" }]",
            "8: trigger.http.dependencies.midleware: unknown key; did you mean \"middleware\"?",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\ndependencies.middleware = [{ component = \"b\" }, { path = \"m\", export = \"x\" }, { package = \"x:y\", version = \"1\" }]",
            "8: trigger.http.dependencies.middleware: not supported by this host: it fetches nothing from a registry; write `{ component = \"ID\" }`, `{ path = \"file.wasm\" }` or `{ url = \"https://…\", digest = \"sha256:…\" }`\n\
             8: trigger.http.dependencies.middleware: there is no component \"b\"; add the table [component.b]\n\
             8: trigger.http.dependencies.middleware.export: unknown key; known here: component, digest, inherit_configuration, package, path, registry, url, version",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\nstatic_response = {}\ndependencies.middleware = []",
            "8: trigger.http.dependencies.middleware: stands before a static response, to which nothing is passed; remove it",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\nexecutor = { type = \"wagi\" }",
            "8: trigger.http.executor.type: not supported by this host: it has no \"wagi\" executor; remove the key",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"aa\"",
            "7: trigger.http.component: there is no component \"aa\"; did you mean \"a\"?",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"worker\"",
            "7: trigger.http.component: there is no component \"worker\"; add the table [component.worker]",
        ),
        (
            "[[trigger.http]]\ncomponent = \"a\"",
            "5: trigger.http.route: missing; add `route = \"/...\"`",
        ),
        (
            "[[trigger.http]]\nroute = \"x\"\ncomponent = \"a\"",
            "6: trigger.http.route: the route \"x\" must start with a slash; write \"/x\"",
        ),
        (
            "[[trigger.http]]\nroute = \"/.../x\"\ncomponent = \"a\"",
            "6: trigger.http.route: the route \"/.../x\" has \"...\" in the middle; it may only be the last segment",
        ),
        (
            "[[trigger.http]]\nroute = { private = false }\ncomponent = \"a\"",
            "6: trigger.http.route: must be a path or `{ private = true }`",
        ),
        (
            "[[trigger.http]]\nroute = \"/:x\"\ncomponent = \"a\"\n[[trigger.http]]\nroute = \"/:y\"\ncomponent = \"a\"",
            "8: trigger.http: the route \"/:y\" answers the same requests as the trigger in line 5; remove one",
        ),
        (
            "[[trigger.http]]\nroute.private = true\ncomponent = \"a\"\n[[trigger.http]]\nroute.private = true\ncomponent = \"a\"",
            "8: trigger.http: the private route of \"a\" answers the same requests as the trigger in line 5; remove one",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\nrout = \"/x\"",
            "8: trigger.http.rout: unknown key; did you mean \"route\"?",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = { sorce = \"b\" }",
            "7: trigger.http.component.sorce: unknown key; did you mean \"source\"?\n\
             7: trigger.http.component.source: missing; add `source = \"target/wasm32-wasip2/release/NAME.wasm\"`",
        ),
    ] {
        assert_eq!(one(text), want, "{text}");
    }
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

#[test]
fn triggers_have_the_ids_that_spin_gives_them() {
    let text = "[[trigger.http]]\nid = \"http-trigger1\"\nroute = \"/1\"\ncomponent = \"a\"\n\
        [[trigger.http]]\nroute = \"/2\"\ncomponent = \"a\"\n\
        [[trigger.http]]\nroute = \"/3\"\ncomponent = \"a\"\n\
        [[trigger.http]]\nroute = \"/4\"\ncomponent = { source = \"x\" }\n\
        [[trigger.http]]\nid = \"not kebab\"\nroute = \"/5\"\ncomponent = { source = \"x\" }\n\
        [[trigger.http]]\nid = \"odd one\"\nroute = \"/6\"\ncomponent = { source = \"x\" }\n";
    let head =
        "spin_manifest_version = 2\napplication.name = \"app\"\ncomponent.a.source = \"a\"\n";
    let manifest = parse(&format!("{head}{text}")).expect("is sound");
    let got: Vec<_> = manifest
        .triggers
        .iter()
        .map(|trigger| (trigger.id.as_str(), trigger.component().unwrap_or_default()))
        .collect();
    assert_eq!(
        got,
        [
            ("http-trigger1", "a"),
            ("a-http-trigger", "a"),
            ("http-trigger2", "a"),
            ("http-trigger3", "http-trigger3-component"),
            ("not kebab", "inline-component1"),
            ("odd one", "inline-component2"),
        ]
    );
}

#[test]
fn middleware_belongs_to_a_component_that_only_its_trigger_names() {
    let with = |routes: &str| {
        let head =
            "spin_manifest_version = 2\napplication.name = \"app\"\ncomponent.a.source = \"a\"\n";
        parse(&format!("{head}{routes}")).expect("is sound")
    };
    let first = "[[trigger.http]]\nid = \"one\"\nroute = \"/1\"\ncomponent = \"a\"\n\
                 dependencies.middleware = [{ path = \"m\" }]\n";
    let alone = with(first);
    assert_eq!(alone.triggers[0].component(), Some("a"));
    assert_eq!(alone.components["a"].middleware.len(), 1);

    let second = "[[trigger.http]]\nroute = \"/2\"\ncomponent = \"a\"\n";
    let shared = with(&format!("{first}{second}"));
    assert_eq!(shared.triggers[0].component(), Some("a-for-one"));
    assert_eq!(shared.triggers[1].component(), Some("a"));
    assert_eq!(shared.components["a"].middleware.len(), 0);
    assert_eq!(shared.components["a-for-one"].middleware.len(), 1);
}

#[test]
fn two_copies_and_a_component_never_share_an_id() {
    let with = |text: &str| {
        let head = "spin_manifest_version = 2\napplication.name = \"app\"\n\
                    component.a.source = \"a\"\ncomponent.a-for-b.source = \"b\"\n";
        parse(&format!("{head}{text}"))
    };
    let trigger = |id: &str, route: &str, component: &str| {
        format!(
            "[[trigger.http]]\nid = {id:?}\nroute = {route:?}\ncomponent = {component:?}\n\
             dependencies.middleware = [{{ path = \"m{}\" }}]\n",
            route.trim_start_matches('/')
        )
    };
    // `a` for `b-for-c`, and `a-for-b` for `c`.
    let manifest = with(
        &[
            trigger("b-for-c", "/1", "a"),
            trigger("c", "/2", "a-for-b"),
            trigger("x", "/3", "a"),
            trigger("x", "/4", "a"),
            trigger("y", "/5", "a-for-b"),
        ]
        .concat(),
    )
    .expect("is sound");
    let got: Vec<_> = manifest
        .triggers
        .iter()
        .map(|trigger| {
            let id = trigger.component().unwrap_or_default();
            (id, manifest.components[id].middleware[0].source.clone())
        })
        .collect();
    let path = |name: &str| DependencySource::Path(Path::new("/app").join(name));
    assert_eq!(
        got,
        [
            ("a-for-b-for-c", path("m1")),
            ("a-for-b-for-c-d1", path("m2")),
            ("a-for-x", path("m3")),
            ("a-for-x-d1", path("m4")),
            ("a-for-b-for-y", path("m5")),
        ]
    );
    let own = &manifest.components["a-for-b"];
    assert_eq!(own.source, Source::Path("/app/b".into()));

    let taken = [trigger("b", "/1", "a"), trigger("c", "/2", "a")].concat();
    assert_eq!(
        errors(with(&taken)),
        "/app/spin.toml:5: trigger.http: its middleware is for a copy of \"a\" with the id \
         \"a-for-b\", and there is [component.a-for-b] already; give the trigger an `id` of its \
         own, or rename that component"
    );
}

#[test]
fn a_triggers_id_can_be_part_of_a_file_name() {
    for (id, want) in [
        ("hook", None),
        ("odd one", None),
        ("Ünïcode.2", None),
        ("..", None),
        ("a/b", Some('/')),
        ("../../x", Some('/')),
        ("a\\b", Some('\\')),
        ("a\nb", Some('\n')),
    ] {
        let text = format!(
            "spin_manifest_version = 2\napplication.name = \"app\"\ncomponent.a.source = \"a\"\n\
             [[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\nid = {id:?}\n"
        );
        let want = want.map_or(String::new(), |odd| {
            format!(
                "/app/spin.toml:7: trigger.http.id: the trigger id {id:?} contains {odd:?}, which \
                 no file name may have; use letters, digits and '-'"
            )
        });
        let got = parse(&text).map_or_else(|error| error.to_string(), |_| String::new());
        assert_eq!(got, want);
    }
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
