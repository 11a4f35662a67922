//! `[component.<id>.dependencies]`: what fills the imports of a component.
//!
//! 1. A dependency is a component of this manifest or a file. Registries and URLs are refused:
//!    this host downloads nothing.
//! 2. No two dependencies of one component come from one WIT package: Spin's composer registers
//!    each under its package's name, whatever the version, and refuses the second.
//! 3. Who inherits is said once: for all of them or for each, never both.

use std::collections::BTreeMap;

use super::component::absolute;
use super::model::{Component, Dependency, DependencySource, INHERITABLE, Inherit};
use super::names::{self, DependencyName};
use super::reader::{Item, Table, listed};
use super::scope::{Reference, Scope};

/// Reads `dependencies` and `dependencies_inherit_configuration` of the component in `table`.
pub(super) fn read_all(table: &Table<'_, '_>, component: &mut Component, scope: &Scope<'_>) {
    let whole = table.get("dependencies_inherit_configuration");
    component.dependencies_inherit_configuration =
        whole.as_ref().and_then(Item::boolean).unwrap_or_default();
    let entries = table
        .table("dependencies")
        .map(|table| table.entries())
        .unwrap_or_default();
    let mut packages: BTreeMap<String, &str> = BTreeMap::new();
    for (name, item) in entries {
        if let (Some(whole), true) = (&whole, has_own_inheritance(&item)) {
            whole.problem(format!(
                "stands beside `inherit_configuration` of the dependency {name:?}; keep one of the two"
            ));
        }
        let parsed = names::dependency(name)
            .map_err(|refusal| item.problem(format!("the dependency name {name:?} {refusal}")))
            .ok();
        if let Some(first) = parsed
            .as_ref()
            .and_then(|parsed| packages.insert(parsed.package.to_owned(), name))
        {
            item.problem(format!(
                "{first:?} and {name:?} come from one WIT package, of which a component can have \
                 one dependency; move one of the interfaces to a package of its own"
            ));
        }
        let reader = One {
            name,
            item: &item,
            parsed: parsed.as_ref(),
            owner: &component.id,
        };
        if let Some(mut dependency) = reader.read(scope) {
            if component.dependencies_inherit_configuration {
                dependency.inherit = Inherit::Everything;
            }
            component.dependencies.insert(name.to_owned(), dependency);
        }
    }
}

fn has_own_inheritance(item: &Item<'_, '_>) -> bool {
    item.is_table()
        && item
            .table()
            .is_some_and(|table| table.has("inherit_configuration"))
}

/// One entry of `dependencies`.
struct One<'s, 'r, 'a> {
    name: &'s str,
    item: &'s Item<'r, 'a>,
    parsed: Option<&'s DependencyName<'s>>,
    owner: &'s str,
}

const EXAMPLE: &str = "{ component = \"ID\" }` or `{ path = \"file.wasm\" }";

impl One<'_, '_, '_> {
    fn read(&self, scope: &Scope<'_>) -> Option<Dependency> {
        if self.item.as_str().is_some() {
            self.refuse_download();
            return None;
        }
        let table = self.item.table()?;
        let export = table.string("export");
        let inherit = table
            .get("inherit_configuration")
            .and_then(|item| inherit(&item));
        let component = table.string("component");
        let path = table.string("path");
        let is_foreign = ["version", "registry", "package", "url", "digest"]
            .map(|key| table.get(key).is_some())
            .contains(&true);
        table.finish();
        if is_foreign {
            self.refuse_download();
            return None;
        }
        self.check_export(export.as_deref());
        let source = match (component, path) {
            (Some(id), None) => {
                scope.refer(Reference {
                    line: self.item.line,
                    key: self.item.key.clone(),
                    owner: self.owner.to_owned(),
                    target: id.clone(),
                });
                DependencySource::Component(id)
            }
            (None, Some(path)) => DependencySource::Path(absolute(scope.folder, &path)),
            (Some(_), Some(_)) => {
                self.item.problem(format!(
                    "names both a component and a path; write `{EXAMPLE}`"
                ));
                return None;
            }
            (None, None) => {
                self.item
                    .problem(format!("names nothing that fills it; write `{EXAMPLE}`"));
                return None;
            }
        };
        Some(Dependency {
            source,
            export,
            inherit: inherit.unwrap_or_default(),
        })
    }

    fn refuse_download(&self) {
        self.item.problem(format!(
            "not supported by this host: it downloads no dependency, neither from a registry nor \
             from a URL; fetch the component and write `{EXAMPLE}`"
        ));
    }

    /// A whole package is filled by what it is named, so there is no export to choose.
    fn check_export(&self, export: Option<&str>) {
        let is_whole_package = self
            .parsed
            .is_some_and(|parsed| !parsed.plain && parsed.interface.is_none());
        if is_whole_package && export.is_some() {
            self.item.problem(format!(
                "`export` cannot fill the whole package {:?}; name one interface, like \"{}/INTERFACE\"",
                self.name,
                self.parsed.map_or("", |parsed| parsed.package)
            ));
        }
    }
}

fn inherit(item: &Item<'_, '_>) -> Option<Inherit> {
    if let Some(everything) = item.as_bool() {
        return Some(if everything {
            Inherit::Everything
        } else {
            Inherit::Nothing
        });
    }
    if !item.is_array() {
        item.problem(format!(
            "must be true, false or a list of {}",
            listed(&INHERITABLE)
        ));
        return None;
    }
    let mut keys = Vec::new();
    for element in item.elements() {
        let Some(key) = element.string() else {
            continue;
        };
        if !INHERITABLE.contains(&key.as_str()) {
            let near = names::nearest(&key, INHERITABLE)
                .map(|near| format!("; did you mean {near:?}?"))
                .unwrap_or_default();
            element.problem(format!(
                "nothing called {key:?} can be inherited{near} (known: {})",
                listed(&INHERITABLE)
            ));
        }
        keys.push(key);
    }
    Some(Inherit::Only(keys))
}
