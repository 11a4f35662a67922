//! Plugs dependencies into a component, as Spin does.
//!
//! 1. Each dependency name must match imports of the root ([`Name`]); one that matches none is
//!    refused, and so are two names of one WIT package.
//! 2. A dependency fills a matched import with its export of that name, or the one `export` says,
//!    whose type must fit.
//! 3. Before that, a dependency is fenced ([`crate::fence`]) from what it does not inherit.
//! 4. Imports that nobody fills stay imports, merged by name; the root's exports are the result's.
//! 5. Without dependencies the root's bytes pass through unchanged.
//! 6. A core module is made a component when it is read ([`parts`]).
//! 7. Middleware is fenced like a dependency and put before the whole ([`wrap`]).

mod error;
mod layers;
mod name;
mod parts;

use wac_graph::types::{Package, SubtypeChecker, WorldId};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

pub use error::Error;
pub use layers::{HANDLER, Layer, wrap};
pub use name::Name;
pub use parts::{layers, load, parts};

use crate::fence;
use crate::manifest::Inherit;

/// A component binary and what to call it.
#[derive(Debug, Clone)]
pub struct Part {
    /// Component id or file name; appears in messages.
    pub id: String,
    /// The binary.
    pub bytes: Vec<u8>,
}

/// One entry of a component's dependencies.
#[derive(Debug, Clone)]
pub struct Fill {
    /// The dependency name: which imports it fills.
    pub name: String,
    /// What fills them.
    pub part: Part,
    /// The export to use, when its name is not the import's.
    pub export: Option<String>,
    /// What it inherits.
    pub inherit: Inherit,
}

/// Plugs `fills` into `root`.
///
/// # Errors
/// See [`Error`]; nothing is composed in part.
pub fn compose(root: &Part, fills: &[Fill]) -> Result<Vec<u8>, Error> {
    if !fence::is_component(&root.bytes) {
        return Err(Error::NotAComponent {
            part: root.id.clone(),
        });
    }
    if fills.is_empty() {
        return Ok(root.bytes.clone());
    }
    check_packages(root, fills)?;
    let mut graph = CompositionGraph::new();
    // A name that no dependency can have, so that the root never counts as one of them.
    let (world, instance) = register(
        &mut graph,
        &root.id,
        &format!("component {}", root.id),
        root.bytes.clone(),
    )?;
    for fill in fills {
        plug(&mut graph, root, (world, instance), fill)?;
    }
    let whole = |reason: String| Error::Whole {
        root: root.id.clone(),
        reason,
    };
    let exports: Vec<String> = graph.types()[world].exports.keys().cloned().collect();
    for export in exports {
        let node = graph
            .alias_instance_export(instance, &export)
            .map_err(|error| whole(chain(&error)))?;
        graph
            .export(node, &export)
            .map_err(|error| whole(chain(&error)))?;
    }
    graph
        .encode(EncodeOptions::default())
        .map_err(|error| whole(chain(&error)))
}

/// Refuses two names of one package: Spin registers a dependency under its package.
fn check_packages(root: &Part, fills: &[Fill]) -> Result<(), Error> {
    for (at, fill) in fills.iter().enumerate() {
        let Some(package) = Name::parse(&fill.name).package() else {
            continue;
        };
        let twin = fills
            .iter()
            .take(at)
            .find(|other| Name::parse(&other.name).package() == Some(package));
        if let Some(first) = twin {
            return Err(Error::SamePackage {
                root: root.id.clone(),
                package: package.to_owned(),
                first: first.name.clone(),
                second: fill.name.clone(),
            });
        }
    }
    Ok(())
}

/// Fills every import of the root that the dependency's name stands for.
fn plug(
    graph: &mut CompositionGraph,
    root: &Part,
    (world, instance): (WorldId, NodeId),
    fill: &Fill,
) -> Result<(), Error> {
    let imports: Vec<String> = graph.types()[world].imports.keys().cloned().collect();
    let name = Name::parse(&fill.name);
    let matched: Vec<&String> = imports
        .iter()
        .filter(|import| name.matches(import))
        .collect();
    if matched.is_empty() {
        return Err(Error::Unmatched {
            root: root.id.clone(),
            dependency: fill.name.clone(),
            imports,
        });
    }
    let bytes = fenced(root, fill)?;
    let (dependency_world, dependency) = register(graph, &fill.part.id, &fill.name, bytes)?;
    for import in matched {
        let export = fill.export.as_ref().unwrap_or(import);
        check_type(
            graph,
            (dependency_world, export),
            (world, import),
            &fill.name,
        )?;
        let whole = |reason: String| Error::Whole {
            root: root.id.clone(),
            reason,
        };
        let node = graph
            .alias_instance_export(dependency, export)
            .map_err(|error| whole(chain(&error)))?;
        graph
            .set_instantiation_argument(instance, import, node)
            .map_err(|error| whole(chain(&error)))?;
    }
    Ok(())
}

fn fenced(root: &Part, fill: &Fill) -> Result<Vec<u8>, Error> {
    if !fence::is_component(&fill.part.bytes) {
        return Err(Error::NotAComponent {
            part: fill.part.id.clone(),
        });
    }
    fence::fence(&fill.part.bytes, &fill.inherit).map_err(|source| match source {
        fence::Error::Invalid(reason) => Error::Invalid {
            part: fill.part.id.clone(),
            reason,
        },
        source => Error::Fence {
            root: root.id.clone(),
            dependency: fill.name.clone(),
            source,
        },
    })
}

/// Checks that the dependency has the export and that it is a subtype of the import.
fn check_type(
    graph: &CompositionGraph,
    (from, export): (WorldId, &str),
    (to, import): (WorldId, &str),
    dependency: &str,
) -> Result<(), Error> {
    let types = graph.types();
    let missing = || Error::MissingExport {
        dependency: dependency.into(),
        export: export.into(),
        import: import.into(),
        exports: types[from].exports.keys().cloned().collect(),
    };
    let offered = types[from].exports.get(export).ok_or_else(missing)?;
    let wanted = types[to].imports.get(import).ok_or_else(missing)?;
    let mut cache = Default::default();
    SubtypeChecker::new(&mut cache)
        .is_subtype(*offered, types, *wanted, types)
        .map_err(|error| Error::Mismatch {
            dependency: dependency.into(),
            export: export.into(),
            import: import.into(),
            reason: format!("{error:#}"),
        })
}

/// Adds a component to the graph and instantiates it.
fn register(
    graph: &mut CompositionGraph,
    id: &str,
    name: &str,
    bytes: Vec<u8>,
) -> Result<(WorldId, NodeId), Error> {
    let invalid = |reason: String| Error::Invalid {
        part: id.into(),
        reason,
    };
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())
        .map_err(|error| invalid(format!("{error:#}")))?;
    let world = package.ty();
    let package = graph
        .register_package(package)
        .map_err(|error| invalid(chain(&error)))?;
    Ok((world, graph.instantiate(package)))
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
