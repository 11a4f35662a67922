//! Puts middleware before a component, as Spin does.
//!
//! 1. The outermost gets each request first, and passes on what it will by its import of
//!    [`HANDLER`], which the next one's export fills; the component is the last.
//! 2. Each is fenced ([`crate::fence`]) from what it does not inherit, but for that import.
//! 3. The result exports the outermost's handler and nothing else.

use wac_graph::types::WorldId;
use wac_graph::{CompositionGraph, EncodeOptions};

use super::{Error, Part, chain, register};
use crate::fence;
use crate::manifest::Inherit;

/// What middleware imports and exports, and what the component before which it stands exports:
/// the one version that Spin 4.1 composes.
pub const HANDLER: &str = "wasi:http/handler@0.3.0";

/// One middleware.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its binary.
    pub part: Part,
    /// What it inherits.
    pub inherit: Inherit,
}

/// Puts `layers`, outermost first, before `root`.
///
/// # Errors
/// See [`Error`]; nothing is composed in part.
pub fn wrap(root: Part, layers: &[Layer]) -> Result<Vec<u8>, Error> {
    if layers.is_empty() {
        return Ok(root.bytes);
    }
    let whole = |reason: String| Error::Whole {
        root: root.id.clone(),
        reason,
    };
    let mut graph = CompositionGraph::new();
    let name = format!("component {}", root.id);
    let (world, instance) = register(&mut graph, &root.id, &name, root.bytes.clone())?;
    let exports = |graph: &CompositionGraph, world: WorldId, part: &str| {
        if graph.types()[world].exports.contains_key(HANDLER) {
            return Ok(());
        }
        Err(Error::NoHandler {
            part: part.to_owned(),
            direction: "export",
        })
    };
    exports(&graph, world, &root.id)?;
    let mut next = graph
        .alias_instance_export(instance, HANDLER)
        .map_err(|error| whole(chain(&error)))?;
    for (index, layer) in layers.iter().enumerate().rev() {
        let part = &layer.part;
        let bytes = fence::fence_but(&part.bytes, &layer.inherit, HANDLER).map_err(|source| {
            Error::FenceLayer {
                root: root.id.clone(),
                part: part.id.clone(),
                source,
            }
        })?;
        let (world, instance) =
            register(&mut graph, &part.id, &format!("middleware {index}"), bytes)?;
        if !graph.types()[world].imports.contains_key(HANDLER) {
            return Err(Error::NoHandler {
                part: part.id.clone(),
                direction: "import",
            });
        }
        exports(&graph, world, &part.id)?;
        graph
            .set_instantiation_argument(instance, HANDLER, next)
            .map_err(|error| whole(chain(&error)))?;
        next = graph
            .alias_instance_export(instance, HANDLER)
            .map_err(|error| whole(chain(&error)))?;
    }
    graph
        .export(next, HANDLER)
        .map_err(|error| whole(chain(&error)))?;
    graph
        .encode(EncodeOptions::default())
        .map_err(|error| whole(chain(&error)))
}
