//! Reads what a manifest composes: a component and what fills its imports.

use std::borrow::Cow;
use std::path::Path;

use anyhow::Context as _;

use super::{Fill, Layer, Part, compose, wrap};
use crate::manifest::{DependencySource, Inherit, Manifest, Source};

/// Reads component `id` of `manifest` and its dependencies, and composes them.
///
/// # Errors
/// When a file cannot be read or the parts do not fit; the message names component and file.
pub fn load(manifest: &Manifest, id: &str) -> anyhow::Result<Vec<u8>> {
    let (root, fills) = parts(manifest, id)?;
    let whole = Part {
        bytes: compose(&root, &fills)?,
        id: root.id,
    };
    Ok(wrap(whole, &layers(manifest, id)?)?)
}

/// Reads the middleware of component `id` of `manifest`, outermost first.
///
/// # Errors
/// When a file cannot be read.
pub fn layers(manifest: &Manifest, id: &str) -> anyhow::Result<Vec<Layer>> {
    let component = manifest
        .components
        .get(id)
        .with_context(|| format!("no component `{id}` in the manifest"))?;
    let layer = |middleware: &crate::manifest::Middleware| {
        let part = dependency(manifest, &middleware.source)
            .with_context(|| format!("middleware of component `{id}`"))?;
        Ok(Layer {
            part,
            inherit: middleware.inherit.clone(),
        })
    };
    component.middleware.iter().map(layer).collect()
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
    let root = read_source(id, &component.source)?;
    let mut fills = Vec::new();
    for (name, dependency) in &component.dependencies {
        let part = self::dependency(manifest, &dependency.source)
            .with_context(|| format!("dependency `{name}` of component `{id}`"))?;
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

/// Reads what fills an import or stands before a component.
fn dependency(manifest: &Manifest, source: &DependencySource) -> anyhow::Result<Part> {
    match source {
        DependencySource::Component(id) => {
            let component = manifest.components.get(id);
            let component = component.with_context(|| format!("no component `{id}`"))?;
            read_source(id, &component.source)
        }
        DependencySource::Path(path) => read(&path.display().to_string(), path),
        DependencySource::Url(download) => Err(not_downloaded(&download.url)),
    }
}

fn read_source(id: &str, source: &Source) -> anyhow::Result<Part> {
    match source {
        Source::Path(path) => read(id, path),
        Source::Url(download) => Err(not_downloaded(&download.url)),
    }
}

fn not_downloaded(url: &str) -> anyhow::Error {
    anyhow::anyhow!("{url} has not been downloaded; `chatly up` does that")
}

fn read(id: &str, path: &Path) -> anyhow::Result<Part> {
    let bytes = std::fs::read(path).with_context(|| {
        format!(
            "cannot read component `{id}` from {} (is it built? run `chatly build`)",
            path.display()
        )
    })?;
    let component = chatly_componentize::componentize(&bytes)
        .with_context(|| format!("component `{id}` ({})", path.display()))?;
    let bytes = match component {
        Cow::Borrowed(_) => bytes,
        Cow::Owned(component) => component,
    };
    Ok(Part {
        id: id.into(),
        bytes,
    })
}
