//! What is refused in triggers, and which ids they get.

use super::*;

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
