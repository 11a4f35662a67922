use super::*;
use chatly_manifest::{Application, Variable};

fn manifest(variables: &[(&str, Variable)], templates: &[(&str, &str)]) -> Manifest {
    let own = |text: &&str| (*text).to_owned();
    let component = Component {
        id: "ingest".to_owned(),
        variables: templates
            .iter()
            .map(|(name, text)| (own(name), own(text)))
            .collect(),
        ..Component::default()
    };
    Manifest {
        path: "/app/spin.toml".into(),
        application: Application::default(),
        variables: variables
            .iter()
            .map(|(name, variable)| (own(name), variable.clone()))
            .collect(),
        triggers: vec![],
        components: [("ingest".to_owned(), component)].into(),
    }
}

fn required() -> Variable {
    Variable {
        required: true,
        secret: true,
        default: None,
    }
}

fn default(value: &str) -> Variable {
    Variable {
        default: Some(value.to_owned()),
        ..Variable::default()
    }
}

fn map(values: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::from(*value)))
        .collect()
}

#[test]
fn the_first_provider_that_has_a_value_wins() {
    let manifest = manifest(&[("a", default("default"))], &[("x", "{{ a }}")]);
    let overrides = map(&[("a", "override")]);
    let environment = map(&[("SPIN_VARIABLE_A", "environment")]);
    let generated = map(&[("a", "generated")]);
    let none = BTreeMap::new();
    for (overrides, environment, generated, want) in [
        (&overrides, &environment, &generated, "override"),
        (&none, &environment, &generated, "environment"),
        (&none, &none, &generated, "generated"),
        (&none, &none, &none, "default"),
        (&map(&[("a", "")]), &environment, &generated, ""),
        (&none, &map(&[("SPIN_VARIABLE_A", "")]), &generated, ""),
        (
            &none,
            &map(&[("SPIN_VARIABLE_B", "other")]),
            &none,
            "default",
        ),
    ] {
        let providers = Providers {
            overrides: overrides.clone(),
            environment: environment.clone(),
            generated: generated.clone(),
        };
        let resolver = Resolver::new(&manifest, &providers).unwrap();
        let grant = resolver.component(&manifest.components["ingest"]).unwrap();
        assert_eq!(grant.get("x").unwrap().expose(), want);
    }
}

#[test]
fn all_missing_variables_are_told_at_once() {
    let manifest = manifest(
        &[
            ("b_two", required()),
            ("a", required()),
            ("c", default("")),
            ("d", Variable::default()),
        ],
        &[],
    );
    let error = Resolver::new(&manifest, &Providers::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "these variables of spin.toml are required and have no value:\n  \
         a: set SPIN_VARIABLE_A=… or pass --variable a=…\n  \
         b_two: set SPIN_VARIABLE_B_TWO=… or pass --variable b_two=…\n  \
         d: set SPIN_VARIABLE_D=… or pass --variable d=…"
    );
}

#[test]
fn a_mistake_in_the_manifest_names_its_key_and_what_to_do() {
    let ok = [("a", default("1"))];
    for (variables, templates, want) in [
        (
            &ok[..],
            &[("x", "{{ b }}")][..],
            "[component.ingest.variables] x in spin.toml uses `{{ b }}`, which is not declared; add `b = { required = true }` under [variables]",
        ),
        (
            &ok,
            &[("x", "{{ a")],
            "[component.ingest.variables] x in spin.toml has `{{` without `}}`; close the expression",
        ),
        (
            &ok,
            &[("X", "1")],
            "[component.ingest.variables] in spin.toml has an invalid variable name: \"X\": invalid character 'X'. Variable names may contain only lower-case letters, numbers, and underscores.",
        ),
        (
            &[("a_", default("1"))],
            &[],
            "[variables] in spin.toml has an invalid variable name: \"a_\": must end with a lowercase ASCII letter or digit",
        ),
    ] {
        let error = Resolver::new(&manifest(variables, templates), &Providers::default());
        assert_eq!(error.unwrap_err().to_string(), want);
    }
}

#[test]
fn an_override_of_an_undeclared_variable_is_refused() {
    let providers = Providers {
        overrides: map(&[("typo", "1")]),
        ..Providers::default()
    };
    let error = Resolver::new(&manifest(&[], &[]), &providers).unwrap_err();
    assert_eq!(error, ResolverError::UnknownOverride("typo".to_owned()));
}

#[test]
fn values_are_never_printed() {
    let manifest = manifest(&[("key", required())], &[("x", "a-{{ key }}")]);
    let environment = [("SPIN_VARIABLE_KEY".into(), "hunter2".into())];
    let providers = Providers::default().with_environment(environment).unwrap();
    let resolver = Resolver::new(&manifest, &providers).unwrap();
    let grant = resolver.component(&manifest.components["ingest"]).unwrap();
    assert_eq!(grant.get("x").unwrap().expose(), "a-hunter2");
    let printed = format!("{providers:?} {resolver:?} {grant:?}");
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(printed.contains("[redacted]"));
    assert!(resolver.is_secret("key"));
}

#[test]
fn render_fills_in_application_variables() {
    let manifest = manifest(&[("host", default("example.com"))], &[]);
    let resolver = Resolver::new(&manifest, &Providers::default()).unwrap();
    assert_eq!(
        resolver.render("https://{{ host }}:{{host}}").unwrap(),
        "https://example.com:example.com"
    );
    assert!(resolver.render("{{ nobody }}").is_err());
    assert!(resolver.render("{{ host").is_err());
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let broken = || OsString::from_vec(vec![0xff]);
    let environment = [("SPIN_VARIABLE_A".into(), broken())];
    let error = Providers::default()
        .with_environment(environment)
        .unwrap_err();
    assert_eq!(
        error,
        ResolverError::NotUnicode("SPIN_VARIABLE_A".to_owned())
    );
    let foreign = [("PATH".into(), broken())];
    assert!(Providers::default().with_environment(foreign).is_ok());
}
