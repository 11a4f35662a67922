//! Why a composition is refused, in words that name the parts and the line to change.

use crate::fence;

/// Why a component could not be composed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part is a core module or no WebAssembly.
    #[error("`{part}` is not a component: core modules are not accepted as they are")]
    NotAComponent {
        /// Id of the part.
        part: String,
    },
    /// A part is not valid.
    #[error("`{part}` is not a valid component: {reason}")]
    Invalid {
        /// Id of the part.
        part: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A dependency name stands for no import.
    #[error(
        "dependency `{dependency}` does not match any import of component `{root}`; it imports {}",
        list(.imports)
    )]
    Unmatched {
        /// Id of the root.
        root: String,
        /// The dependency name.
        dependency: String,
        /// What the root does import.
        imports: Vec<String>,
    },
    /// Two dependency names are of one WIT package.
    #[error(
        "dependencies `{first}` and `{second}` of component `{root}` are of one WIT package, `{package}`; it can be filled only once"
    )]
    SamePackage {
        /// Id of the root.
        root: String,
        /// The package.
        package: String,
        /// One name.
        first: String,
        /// The other.
        second: String,
    },
    /// A dependency lacks the export that an import needs.
    #[error("dependency `{dependency}` does not export `{export}` to fill import `{import}`; it exports {}", list(.exports))]
    MissingExport {
        /// The dependency name.
        dependency: String,
        /// The export looked for.
        export: String,
        /// The import to be filled.
        import: String,
        /// What it does export.
        exports: Vec<String>,
    },
    /// An export's type does not fit its import.
    #[error(
        "dependency `{dependency}` exports `{export}`, which does not fit import `{import}`: {reason}"
    )]
    Mismatch {
        /// The dependency name.
        dependency: String,
        /// The export.
        export: String,
        /// The import.
        import: String,
        /// Where the types differ.
        reason: String,
    },
    /// A dependency cannot be fenced.
    #[error("dependency `{dependency}` of component `{root}` is refused: {source}")]
    Fence {
        /// Id of the root.
        root: String,
        /// The dependency name.
        dependency: String,
        /// Why.
        source: fence::Error,
    },
    /// Middleware cannot be fenced.
    #[error("middleware `{part}` of component `{root}` is refused: {source}")]
    FenceLayer {
        /// Id of the root.
        root: String,
        /// Id of the middleware.
        part: String,
        /// Why.
        source: fence::Error,
    },
    /// Middleware that passes nothing on, or a component that cannot stand behind it.
    #[error(
        "`{part}` does not {direction} `{}`, which every middleware imports and exports, and the component behind it exports",
        super::HANDLER
    )]
    NoHandler {
        /// Id of the part.
        part: String,
        /// `import` or `export`.
        direction: &'static str,
    },
    /// The parts fit, but the whole does not.
    #[error("cannot compose component `{root}`: {reason}")]
    Whole {
        /// Id of the root.
        root: String,
        /// What wac says.
        reason: String,
    },
}

fn list(names: &[String]) -> String {
    match names {
        [] => "nothing".into(),
        names => format!("`{}`", names.join("`, `")),
    }
}
