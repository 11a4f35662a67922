//! `[[trigger.http]]`: which component answers which path.

use std::collections::BTreeMap;

use super::component;
use super::model::{Component, HttpTrigger, Route};
use super::names;
use super::reader::{Item, Table};
use super::scope::{Scope, no_such_component};

/// Reads every trigger. A component written out inside its trigger joins `components`.
pub(super) fn read_all(
    root: &Table<'_, '_>,
    components: &mut BTreeMap<String, Component>,
    scope: &Scope<'_>,
) -> Vec<HttpTrigger> {
    let Some(kinds) = root.table("trigger") else {
        root.missing("trigger", "[[trigger.http]] with a route and a component");
        return Vec::new();
    };
    let http = kinds.get("http");
    for (kind, item) in kinds.entries() {
        if kind != "http" {
            item.problem(format!(
                "not supported by this host: it has no {kind:?} trigger; only [[trigger.http]]"
            ));
        }
    }
    let mut lines = BTreeMap::new();
    let elements = http.map(|item| item.elements()).unwrap_or_default();
    let mut triggers = Vec::new();
    for (index, item) in elements.iter().enumerate() {
        let Some(table) = item.table() else { continue };
        let mut one = One {
            number: index + 1,
            table: &table,
            components,
        };
        if let Some(trigger) = one.read(scope) {
            refuse_second(&trigger, item, &mut lines);
            triggers.push(trigger);
        }
    }
    triggers
}

/// Reports a trigger that would answer what an earlier one answers.
fn refuse_second(trigger: &HttpTrigger, item: &Item<'_, '_>, lines: &mut BTreeMap<String, usize>) {
    let (shape, said) = match &trigger.route {
        Route::Path(path) => (
            names::route_shape(path).unwrap_or_else(|_| path.clone()),
            format!("the route {path:?}"),
        ),
        Route::Private => (
            format!("private {}", trigger.component),
            format!("the private route of {:?}", trigger.component),
        ),
    };
    if let Some(first) = lines.get(&shape) {
        item.problem(format!(
            "{said} answers the same requests as the trigger in line {first}; remove one"
        ));
    } else {
        lines.insert(shape, item.line);
    }
}

/// One `[[trigger.http]]`.
struct One<'s, 'r, 'a> {
    /// Its place among the triggers, from 1.
    number: usize,
    table: &'s Table<'r, 'a>,
    components: &'s mut BTreeMap<String, Component>,
}

impl One<'_, '_, '_> {
    fn read(&mut self, scope: &Scope<'_>) -> Option<HttpTrigger> {
        let id = self.table.string("id");
        let route = self.route();
        self.executor();
        self.table.unsupported(
            "static_response",
            "every route is answered by a component; write `component = \"ID\"`",
        );
        self.table.unsupported(
            "components",
            "an HTTP trigger has one component here; remove the table",
        );
        self.table.unsupported(
            "dependencies",
            "it puts no middleware before a component; remove the table",
        );
        let component = match self.table.get("component") {
            Some(item) => self.component(&item, id, scope),
            None if self.table.has("static_response") => None,
            None => {
                self.table.missing("component", "component = \"ID\"");
                None
            }
        };
        self.table.finish();
        Some(HttpTrigger {
            route: route?,
            component: component?,
        })
    }

    fn route(&self) -> Option<Route> {
        let Some(item) = self.table.get("route") else {
            self.table.missing("route", "route = \"/...\"");
            return None;
        };
        if item.is_table() {
            let table = item.table()?;
            let private = table.boolean("private");
            table.finish();
            if private != Some(true) {
                item.problem("must be a path or `{ private = true }`");
                return None;
            }
            return Some(Route::Private);
        }
        let Some(path) = item.as_str() else {
            item.problem("must be a path or `{ private = true }`");
            return None;
        };
        if let Err(refusal) = names::route_shape(path) {
            item.problem(format!("the route {path:?} {refusal}"));
            return None;
        }
        Some(Route::Path(path.to_owned()))
    }

    /// Only the executor that is the default anyway.
    fn executor(&self) {
        let Some(table) = self.table.table("executor") else {
            return;
        };
        let kind = table.get("type");
        let name = kind.as_ref().and_then(Item::string);
        match (name.as_deref(), &kind) {
            (Some("http" | "spin"), _) => table.finish(),
            (Some(other), Some(kind)) => kind.problem(format!(
                "not supported by this host: it has no {other:?} executor; remove the key"
            )),
            (None, None) => table.missing("type", "type = \"http\""),
            _ => {}
        }
    }

    fn component(
        &mut self,
        item: &Item<'_, '_>,
        id: Option<String>,
        scope: &Scope<'_>,
    ) -> Option<String> {
        if item.is_table() {
            let id = self.inline_id(id);
            let component = component::read(&id, item, scope)?;
            self.components.insert(id.clone(), component);
            return Some(id);
        }
        let id = item.string()?;
        if self.components.contains_key(&id) {
            return Some(id);
        }
        item.problem(no_such_component(&id, self.components));
        None
    }

    /// The id that Spin gives a component written out inside its trigger.
    fn inline_id(&self, trigger: Option<String>) -> String {
        let trigger = trigger.unwrap_or_else(|| format!("http-trigger{}", self.number));
        let natural = format!("{trigger}-component");
        let is_free = |id: &String| !self.components.contains_key(id);
        if names::kebab(&natural).is_ok() && is_free(&natural) {
            return natural;
        }
        (self.number..)
            .map(|number| format!("inline-component{number}"))
            .find(is_free)
            .unwrap_or(natural)
    }
}
