//! Keeps a dependency from what its parent was granted, unless it inherits that.
//!
//! 1. [`policy`] judges each import of a dependency under its `inherit_configuration`.
//! 2. [`fence`] renames the imports to be fenced, in the binary and before composition, by putting
//!    [`PREFIX`] before their namespace. So they stay imports of their own in the composed
//!    component, apart from the parent's.
//! 3. [`link`] answers them with Spin's refusals. Error values, no traps: code that copes with
//!    "access denied" on Spin copes here.
//! 4. An import that is neither known nor inherited refuses the start. Nothing is let through
//!    because nobody thought of it.
//!
//! It does not limit what the parent itself is granted; that is each capability's `Grant`.
//! `docs/decisions/0002-fence-by-renaming.md` has the reason for renaming.

mod link;
pub mod policy;
mod refusal;
mod rename;

use wac_graph::types::{ItemKind, Package, Types};

pub use link::{Denied, link};
pub use policy::{Import, Verdict, judge};
pub use rename::is_component;

use crate::manifest::Inherit;

/// What a fenced import's name begins with. `-` keeps it a valid namespace.
pub const PREFIX: &str = "fenced-";

/// Why a dependency cannot be fenced.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The binary could not be read or rewritten.
    #[error(transparent)]
    Rename(#[from] rename::Error),
    /// The binary is not valid.
    #[error("invalid component: {0}")]
    Invalid(String),
    /// The dependency imports what this host cannot fence.
    #[error(
        "it imports {import}, which can be neither granted nor fenced; \
         only `inherit_configuration = true` lets it through"
    )]
    Unknown {
        /// Full name of the import.
        import: String,
    },
}

/// The outermost imports of a component binary, in order.
///
/// # Errors
/// When the bytes are no valid component.
pub fn imports(bytes: &[u8]) -> Result<Vec<Import>, Error> {
    if !is_component(bytes) {
        return Err(rename::Error::NotAComponent.into());
    }
    let mut types = Types::default();
    let package = Package::from_bytes("component", None, bytes, &mut types)
        .map_err(|error| Error::Invalid(format!("{error:#}")))?;
    let imports = types[package.ty()]
        .imports
        .iter()
        .map(|(name, kind)| Import {
            name: name.clone(),
            types_only: match kind {
                ItemKind::Type(_) => true,
                ItemKind::Instance(id) => types[*id]
                    .exports
                    .values()
                    .all(|export| matches!(export, ItemKind::Type(_))),
                _ => false,
            },
        });
    Ok(imports.collect())
}

/// `bytes` of a dependency, with every import renamed that is neither harmless nor in `inherit`.
///
/// # Errors
/// When the bytes are no valid component or import something unknown.
pub fn fence(bytes: &[u8], inherit: &Inherit) -> Result<Vec<u8>, Error> {
    fence_but(bytes, inherit, "")
}

/// The same, but for the import called `filled`, which another component fills.
///
/// # Errors
/// As [`fence`].
pub fn fence_but(bytes: &[u8], inherit: &Inherit, filled: &str) -> Result<Vec<u8>, Error> {
    let mut fenced = Vec::new();
    for import in imports(bytes)? {
        if import.name == filled {
            continue;
        }
        match judge(&import, inherit) {
            Verdict::TypesOnly | Verdict::Harmless | Verdict::Granted => {}
            Verdict::Fenced => fenced.push(import.name),
            Verdict::Unknown => {
                return Err(Error::Unknown {
                    import: import.name,
                });
            }
        }
    }
    if fenced.is_empty() {
        return Ok(bytes.to_vec());
    }
    Ok(rename::prefix_imports(bytes, PREFIX, |name| {
        fenced.iter().any(|known| known == name)
    })?)
}

#[cfg(test)]
mod tests;
