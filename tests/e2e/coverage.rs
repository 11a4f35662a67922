//! Nothing is left without a test.

use std::path::Path;

use anyhow::Result;
use harness::root;

fn folders(path: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join(path))? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

fn texts(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        // This module names everything by walking, which is no test.
        if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("coverage.rs")
        {
            text.push_str(&std::fs::read_to_string(path)?);
        }
    }
    Ok(text)
}

#[test]
fn every_guest_is_used_by_a_test() -> Result<()> {
    let tests = texts(&root().join("tests/e2e"))? + &texts(&root().join("host/tests/app"))?;
    for guest in folders("tests/guests")? {
        let used = [format!("guest(\"{guest}\")"), format!("\"guest-{guest}\"")];
        assert!(
            used.iter().any(|used| tests.contains(used)),
            "no test uses tests/guests/{guest}"
        );
    }
    Ok(())
}

/// A component is under test when the app under test runs it: it stands in `spin.toml`.
#[test]
fn every_component_is_in_the_app_under_test() -> Result<()> {
    let manifest: toml::Table = std::fs::read_to_string(root().join("spin.toml"))?.parse()?;
    let sources: Vec<_> = manifest["component"]
        .as_table()
        .into_iter()
        .flat_map(toml::Table::values)
        .filter_map(|component| component["source"].as_str())
        .collect();
    let slots = [
        "channels",
        "stores",
        "routers",
        "redactors",
        "baselines",
        "enrichers",
        "media",
        "middleware",
    ];
    for folder in folders("components")? {
        let names: Vec<_> = match slots.contains(&folder.as_str()) {
            true => {
                let slot = folder.strip_suffix('s').unwrap_or(&folder).to_owned();
                folders(&format!("components/{folder}"))?
                    .iter()
                    .map(|name| format!("{slot}_{}", name.replace('-', "_")))
                    .collect()
            }
            false => vec![folder.replace('-', "_")],
        };
        for name in names {
            let stem = format!("/{name}.wasm");
            assert!(
                sources.iter().any(|source| source.ends_with(&stem)),
                "{name} is not in spin.toml"
            );
        }
    }
    Ok(())
}
