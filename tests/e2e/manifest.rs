//! `spin.toml` is one that Spin takes too.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use harness::root;
use toml::{Table, Value};

/// Every key that Spin's manifest version 2 has in a component's table.
const COMPONENT_KEYS: [&str; 15] = [
    "source",
    "description",
    "variables",
    "environment",
    "files",
    "exclude_files",
    "allowed_outbound_hosts",
    "allowed_http_hosts",
    "key_value_stores",
    "sqlite_databases",
    "ai_models",
    "build",
    "tool",
    "dependencies",
    "dependencies_inherit_configuration",
];

fn manifest() -> Result<Table> {
    Ok(std::fs::read_to_string(root().join("spin.toml"))?.parse()?)
}

/// Makes every `source` independent of where the manifest lies.
pub fn absolute_sources(manifest: &mut Table) -> Result<()> {
    for (id, component) in manifest["component"].as_table_mut().context("components")? {
        let source = component
            .get("source")
            .and_then(Value::as_str)
            .with_context(|| id.clone())?;
        let source = root().canonicalize()?.join(source).display().to_string();
        component
            .as_table_mut()
            .context("table")?
            .insert("source".into(), source.into());
    }
    Ok(())
}

fn keys_are_known(table: &Value, known: &[&str], at: &str) {
    for key in table.as_table().expect(at).keys() {
        assert!(
            known.contains(&key.as_str()),
            "{at}.{key} is no field of Spin's manifest version 2"
        );
    }
}

#[test]
fn it_uses_no_field_that_spin_does_not_know() -> Result<()> {
    let manifest = Value::Table(manifest()?);
    keys_are_known(
        &manifest,
        &[
            "spin_manifest_version",
            "application",
            "variables",
            "trigger",
            "component",
        ],
        "manifest",
    );
    keys_are_known(
        &manifest["application"],
        &[
            "name",
            "version",
            "description",
            "authors",
            "trigger",
            "tool",
        ],
        "application",
    );
    for (name, variable) in manifest["variables"].as_table().context("variables")? {
        keys_are_known(
            variable,
            &["required", "default", "secret", "description"],
            name,
        );
    }
    keys_are_known(&manifest["trigger"], &["http"], "trigger");
    for trigger in manifest["trigger"]["http"].as_array().context("triggers")? {
        keys_are_known(
            trigger,
            &["id", "component", "route", "executor"],
            "trigger.http",
        );
        if trigger["route"].is_table() {
            keys_are_known(&trigger["route"], &["private"], "trigger.http.route");
        }
    }
    for (id, component) in manifest["component"].as_table().context("components")? {
        keys_are_known(component, &COMPONENT_KEYS, id);
        if let Some(build) = component.get("build") {
            keys_are_known(build, &["command", "workdir", "watch", "environment"], id);
        }
        for (name, dependency) in component
            .get("dependencies")
            .and_then(Value::as_table)
            .into_iter()
            .flatten()
        {
            keys_are_known(
                dependency,
                &[
                    "component",
                    "path",
                    "export",
                    "inherit_configuration",
                    "registry",
                    "version",
                    "package",
                    "url",
                    "digest",
                ],
                name,
            );
        }
    }
    Ok(())
}

#[test]
fn no_component_has_two_dependencies_of_one_package() -> Result<()> {
    for (id, component) in manifest()?["component"].as_table().context("components")? {
        let mut packages = BTreeMap::new();
        for name in component
            .get("dependencies")
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::keys)
        {
            let package = name.split('/').next().unwrap_or_default().to_owned();
            if let Some(other) = packages.insert(package, name) {
                panic!("{id}: Spin refuses {other} beside {name}");
            }
        }
    }
    Ok(())
}

#[test]
fn nothing_may_call_everything() -> Result<()> {
    for (id, component) in manifest()?["component"].as_table().context("components")? {
        for host in component
            .get("allowed_outbound_hosts")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            assert!(
                !host.as_str().context("host")?.starts_with("*://"),
                "{id}: {host}"
            );
        }
    }
    Ok(())
}
