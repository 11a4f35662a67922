//! Reads what a manifest composes: a component and what fills its imports.

use std::borrow::Cow;
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::{Fill, Layer, Part, compose, wrap};
use crate::manifest::{DependencySource, Inherit, Manifest, Source};

/// SHA-256 of everything that a composition depends on.
pub type Digest = [u8; 32];

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

/// The digest of what [`load`] would read, by the SHA-256 that `sum` gives for the file of each
/// part: equal digests have equal compositions.
///
/// # Errors
/// When a component is missing, and whatever `sum` fails with.
pub fn digest(
    manifest: &Manifest,
    id: &str,
    sum: impl Fn(&str, &Path) -> anyhow::Result<Digest>,
) -> anyhow::Result<Digest> {
    let component = manifest
        .components
        .get(id)
        .with_context(|| format!("no component `{id}` in the manifest"))?;
    let everything = component.dependencies_inherit_configuration;
    let mut whole = Sha256::new();
    whole.update(sum(id, file(&component.source)?)?);
    let mut add = |entry: String, source: &DependencySource| {
        let (id, path) = dependency_file(manifest, source)
            .with_context(|| format!("a dependency of component `{id}`"))?;
        whole.update(entry.len().to_le_bytes());
        whole.update(entry);
        whole.update(sum(&id, path)?);
        anyhow::Ok(())
    };
    for (name, dependency) in &component.dependencies {
        let (export, inherit) = (&dependency.export, &dependency.inherit);
        let entry = format!("{:?}", ("dependency", name, export, inherit, everything));
        add(entry, &dependency.source)?;
    }
    for middleware in &component.middleware {
        let entry = format!("{:?}", ("middleware", &middleware.inherit));
        add(entry, &middleware.source)?;
    }
    Ok(whole.finalize().into())
}

/// What messages call a dependency, and its file.
fn dependency_file<'a>(
    manifest: &'a Manifest,
    source: &'a DependencySource,
) -> anyhow::Result<(String, &'a Path)> {
    match source {
        DependencySource::Component(id) => {
            let component = manifest.components.get(id);
            let component = component.with_context(|| format!("no component `{id}`"))?;
            Ok((id.clone(), file(&component.source)?))
        }
        DependencySource::Path(path) => Ok((path.display().to_string(), path)),
        DependencySource::Url(download) => Err(not_downloaded(&download.url)),
    }
}

fn file(source: &Source) -> anyhow::Result<&Path> {
    match source {
        Source::Path(path) => Ok(path),
        Source::Url(download) => Err(not_downloaded(&download.url)),
    }
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

/// The file of part `id`.
///
/// # Errors
/// When it cannot be read.
pub fn bytes(id: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| {
        format!(
            "cannot read component `{id}` from {} (is it built? run `chatly build`)",
            path.display()
        )
    })
}

fn read(id: &str, path: &Path) -> anyhow::Result<Part> {
    let bytes = bytes(id, path)?;
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
