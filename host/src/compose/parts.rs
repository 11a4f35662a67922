//! Reads what a manifest composes: a component and what fills its imports.

use std::path::Path;

use anyhow::Context as _;

use super::{Fill, Part, compose};
use crate::manifest::{DependencySource, Inherit, Manifest};

/// Reads component `id` of `manifest` and its dependencies, and composes them.
///
/// # Errors
/// When a file cannot be read or the parts do not fit; the message names component and file.
pub fn load(manifest: &Manifest, id: &str) -> anyhow::Result<Vec<u8>> {
    let (root, fills) = parts(manifest, id)?;
    Ok(compose(&root, &fills)?)
}

/// Reads component `id` of `manifest` and its dependencies.
///
/// # Errors
/// When there is no such component or a file cannot be read.
pub fn parts(manifest: &Manifest, id: &str) -> anyhow::Result<(Part, Vec<Fill>)> {
    let component = manifest
        .components
        .get(id)
        .with_context(|| format!("no component `{id}` in the manifest"))?;
    let root = read(id, &component.source)?;
    let mut fills = Vec::new();
    for (name, dependency) in &component.dependencies {
        let part = match &dependency.source {
            DependencySource::Component(other) => {
                let source = &manifest
                    .components
                    .get(other)
                    .with_context(|| {
                        format!("dependency `{name}` of component `{id}`: no component `{other}`")
                    })?
                    .source;
                read(other, source)?
            }
            DependencySource::Path(path) => read(&path.display().to_string(), path)?,
        };
        let inherit = if component.dependencies_inherit_configuration {
            Inherit::Everything
        } else {
            dependency.inherit.clone()
        };
        fills.push(Fill {
            name: name.clone(),
            part,
            export: dependency.export.clone(),
            inherit,
        });
    }
    Ok((root, fills))
}

fn read(id: &str, path: &Path) -> anyhow::Result<Part> {
    let bytes = std::fs::read(path).with_context(|| {
        format!(
            "cannot read component `{id}` from {} (is it built? run `chatly build`)",
            path.display()
        )
    })?;
    Ok(Part {
        id: id.into(),
        bytes,
    })
}
