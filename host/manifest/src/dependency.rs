//! `[component.<id>.dependencies]`: what fills the imports of a component.
//!
//! 1. A dependency is a component of this manifest, a file, or a download with its digest.
//!    Registries are refused: this host asks none.
//! 2. No two dependencies of one component come from one WIT package: Spin's composer registers
//!    each under its package's name, whatever the version, and refuses the second.
//! 3. Who inherits is said once: for all of them or for each, never both.

use std::collections::BTreeMap;

use super::component::{absolute, download};
use super::model::{Component, Dependency, DependencySource, INHERITABLE, Inherit, Middleware};
use super::names::{self, DependencyName};
use super::reader::{Item, Table, listed};
use super::scope::{Reference, Scope};

/// The entries of one `dependencies` table, each with its name and what it says.
pub(super) struct Entries<'r, 'a>(Vec<(&'r str, Item<'r, 'a>, Option<Dependency>)>);

impl<'r, 'a> Entries<'r, 'a> {
    /// Reads `dependencies` in `table`, which belongs to the component `owner`.
    pub(super) fn read(table: &Table<'r, 'a>, owner: &str, scope: &Scope<'_>) -> Self {
        let entries = table
            .table("dependencies")
            .map(|table| table.entries())
            .unwrap_or_default();
        let read = |(name, item): (&'r str, Item<'r, 'a>)| {
            let parsed = names::dependency(name)
                .map_err(|refusal| item.problem(format!("the dependency name {name:?} {refusal}")))
                .ok();
            let one = One {
                item: &item,
                owner,
                named: Some((name, parsed.as_ref())),
            };
            let dependency = one.read(scope);
            (name, item, dependency)
        };
        Self(entries.into_iter().map(read).collect())
    }

    /// Adds those of a profile; an entry of the same name gives way.
    pub(super) fn extend(&mut self, profile: Self) {
        let replaced = |name: &str| profile.0.iter().any(|(other, ..)| *other == name);
        self.0.retain(|(name, ..)| !replaced(name));
        self.0.extend(profile.0);
    }

    /// Checks what can be said of all of them together, and gives them to `component`.
    pub(super) fn finish(self, table: &Table<'_, '_>, component: &mut Component) {
        let whole = table.get("dependencies_inherit_configuration");
        component.dependencies_inherit_configuration =
            whole.as_ref().and_then(Item::boolean).unwrap_or_default();
        let mut packages: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, item, dependency) in self.0 {
            if let (Some(whole), true) = (&whole, has_own_inheritance(&item)) {
                whole.problem(format!(
                    "stands beside `inherit_configuration` of the dependency {name:?}; keep one of the two"
                ));
            }
            let package = names::dependency(name).ok().map(|parsed| parsed.package);
            if let Some(first) = package.and_then(|package| packages.insert(package, name)) {
                item.problem(format!(
                    "{first:?} and {name:?} come from one WIT package, of which a component can have \
                     one dependency; move one of the interfaces to a package of its own"
                ));
            }
            if let Some(mut dependency) = dependency {
                if component.dependencies_inherit_configuration {
                    dependency.inherit = Inherit::Everything;
                }
                component.dependencies.insert(name.to_owned(), dependency);
            }
        }
    }
}

/// Reads one entry of `dependencies.middleware`, of the trigger that `owner` names.
pub(super) fn read_middleware(
    item: &Item<'_, '_>,
    owner: &str,
    scope: &Scope<'_>,
) -> Option<Middleware> {
    let one = One {
        item,
        owner,
        named: None,
    };
    let dependency = one.read(scope)?;
    Some(Middleware {
        source: dependency.source,
        inherit: dependency.inherit,
    })
}

fn has_own_inheritance(item: &Item<'_, '_>) -> bool {
    item.is_table()
        && item
            .table()
            .is_some_and(|table| table.has("inherit_configuration"))
}

/// One entry of `dependencies`, or of `middleware` when it has no name.
struct One<'s, 'r, 'a> {
    item: &'s Item<'r, 'a>,
    owner: &'s str,
    named: Option<(&'s str, Option<&'s DependencyName<'s>>)>,
}

const EXAMPLE: &str = "{ component = \"ID\" }`, `{ path = \"file.wasm\" }` or \
                       `{ url = \"https://…\", digest = \"sha256:…\" }";

impl One<'_, '_, '_> {
    fn read(&self, scope: &Scope<'_>) -> Option<Dependency> {
        if self.item.as_str().is_some() {
            self.refuse_registry();
            return None;
        }
        let table = self.item.table()?;
        let export = self.named.and_then(|_| table.string("export"));
        let inherit = table
            .get("inherit_configuration")
            .and_then(|item| inherit(&item));
        let component = table.string("component");
        let path = table.string("path");
        let is_registry = ["version", "registry", "package"]
            .map(|key| table.get(key).is_some())
            .contains(&true);
        let is_download = ["url", "digest"]
            .map(|key| table.get(key).is_some())
            .contains(&true);
        if is_registry {
            self.refuse_registry();
            return None;
        }
        table.finish();
        self.check_export(export.as_deref());
        let source = match (component, path, is_download) {
            (Some(id), None, false) => {
                scope.refer(Reference {
                    line: self.item.line,
                    key: self.item.key.clone(),
                    owner: self.owner.to_owned(),
                    target: id.clone(),
                });
                DependencySource::Component(id)
            }
            (None, Some(path), false) => DependencySource::Path(absolute(scope.folder, &path)),
            (None, None, true) => DependencySource::Url(download(&table)?),
            (None, None, false) => {
                self.item
                    .problem(format!("names nothing that fills it; write `{EXAMPLE}`"));
                return None;
            }
            _ => {
                self.item.problem(format!(
                    "names more than one of component, path and url; write `{EXAMPLE}`"
                ));
                return None;
            }
        };
        Some(Dependency {
            source,
            export,
            inherit: inherit.unwrap_or_default(),
        })
    }

    fn refuse_registry(&self) {
        self.item.problem(format!(
            "not supported by this host: it fetches nothing from a registry; write `{EXAMPLE}`"
        ));
    }

    /// A whole package is filled by what it is named, so there is no export to choose.
    fn check_export(&self, export: Option<&str>) {
        let Some((name, Some(parsed))) = self.named else {
            return;
        };
        let is_whole_package = !parsed.plain && parsed.interface.is_none();
        if is_whole_package && export.is_some() {
            self.item.problem(format!(
                "`export` cannot fill the whole package {name:?}; name one interface, like \"{}/INTERFACE\"",
                parsed.package
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
