//! What one part of a manifest must know of the others while it is read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::model::{Component, Variable};
use super::names;
use super::reader::{Item, Reader, listed};

/// The manifest's folder, the declared variables, and the components named so far.
pub(super) struct Scope<'s> {
    /// Where relative paths start.
    pub(super) folder: &'s Path,
    /// The build profile that was asked for.
    pub(super) profile: Option<&'s str>,
    /// Every profile that some component has.
    pub(super) profiles: RefCell<BTreeSet<String>>,
    variables: &'s BTreeMap<String, Variable>,
    references: RefCell<Vec<Reference>>,
}

/// A dependency that is a component of this manifest; checked once all components are read.
pub(super) struct Reference {
    pub(super) line: usize,
    pub(super) key: String,
    /// The component whose import is filled.
    pub(super) owner: String,
    /// The component that fills it.
    pub(super) target: String,
}

impl<'s> Scope<'s> {
    pub(super) fn new(
        folder: &'s Path,
        profile: Option<&'s str>,
        variables: &'s BTreeMap<String, Variable>,
    ) -> Self {
        Self {
            folder,
            profile,
            profiles: RefCell::default(),
            variables,
            references: RefCell::default(),
        }
    }

    pub(super) fn refer(&self, reference: Reference) {
        self.references.borrow_mut().push(reference);
    }

    /// Reports names in `template` that `[variables]` does not declare.
    pub(super) fn check_template(&self, item: &Item<'_, '_>, template: &str) {
        let names = match names::template_names(template) {
            Ok(names) => names,
            Err(refusal) => return item.problem(format!("the template {template:?} {refusal}")),
        };
        for name in names {
            if self.variables.contains_key(name) {
                continue;
            }
            item.problem(match names::nearest(name, self.variables.keys().map(String::as_str)) {
                Some(near) => format!(
                    "names the variable {name:?}, which [variables] does not declare; did you mean {near:?}?"
                ),
                None => format!(
                    "names the variable {name:?}, which [variables] does not declare; \
                     add `{name} = {{ required = true }}` there"
                ),
            });
        }
    }

    /// Reports a profile that was asked for and that no component has: a mistyped name.
    pub(super) fn check_profile(&self, reader: &Reader<'_>) {
        let profiles = self.profiles.borrow();
        let Some(profile) = self.profile.filter(|name| !profiles.contains(*name)) else {
            return;
        };
        let known: Vec<&str> = profiles.iter().map(String::as_str).collect();
        let known = match known.as_slice() {
            [] => "it has none".to_owned(),
            known => format!("known: {}", listed(known)),
        };
        let message = format!("no component has the build profile {profile:?} ({known})");
        reader.report(1, "", message);
    }

    /// Checks every component that fills an import: it exists, and has nothing of its own.
    pub(super) fn check_references(
        &self,
        reader: &Reader<'_>,
        components: &BTreeMap<String, Component>,
    ) {
        for reference in self.references.borrow().iter() {
            let Some(target) = components.get(&reference.target) else {
                reader.report(
                    reference.line,
                    &reference.key,
                    no_such_component(&reference.target, components),
                );
                continue;
            };
            let own = own_configuration(target);
            if !own.is_empty() {
                reader.report(
                    reference.line,
                    &reference.key,
                    format!(
                        "the component {:?} cannot fill an import of {:?}, because it has {} of its \
                         own; remove them there, and let it inherit from {:?}",
                        target.id,
                        reference.owner,
                        listed(&own),
                        reference.owner
                    ),
                );
            }
        }
    }
}

/// The error text for a component id that no table has.
pub(super) fn no_such_component(id: &str, components: &BTreeMap<String, Component>) -> String {
    match names::nearest(id, components.keys().map(String::as_str)) {
        Some(near) => format!("there is no component {id:?}; did you mean {near:?}?"),
        None => format!("there is no component {id:?}; add the table [component.{id}]"),
    }
}

/// What a component may not have when it fills an import (as in Spin: it would not apply).
fn own_configuration(component: &Component) -> Vec<&'static str> {
    [
        ("ai_models", component.ai_models.is_empty()),
        (
            "allowed_outbound_hosts",
            component.allowed_outbound_hosts.is_empty(),
        ),
        ("dependencies", component.dependencies.is_empty()),
        ("environment", component.environment.is_empty()),
        ("files", component.files.is_empty()),
        ("key_value_stores", component.key_value_stores.is_empty()),
        ("sqlite_databases", component.sqlite_databases.is_empty()),
        ("variables", component.variables.is_empty()),
    ]
    .into_iter()
    .filter_map(|(name, is_empty)| (!is_empty).then_some(name))
    .collect()
}
