//! `[[trigger.http]]`: what answers which path.
//!
//! 1. A trigger without an id gets the one that Spin would give it: it names a component that is
//!    written out inside the trigger, and the copy of rule 3.
//! 2. A trigger is answered by a component or by `static_response`, never both.
//! 3. Middleware belongs to the component that the trigger names. When other triggers name that
//!    component too, the trigger gets a copy of it, `<component>-for-<trigger>`, as on Spin; with
//!    `-d1`, `-d2` … where an earlier copy has that id. A component of the manifest never makes way.
//! 4. A trigger's id may be any text, as on Spin, but for what no file name can have: the copy's
//!    output goes to a file by that name.

use std::collections::{BTreeMap, BTreeSet};

use super::component;
use super::dependency::read_middleware;
use super::model::{Answer, Component, HttpTrigger, Middleware, Route, StaticResponse};
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
    let tables: Vec<_> = elements
        .iter()
        .filter_map(|item| Some((item, item.table()?)))
        .collect();
    let ids = ids(&tables);
    let mut triggers = Vec::new();
    let mut middleware = Vec::new();
    for (_, table) in &tables {
        check_id(table);
    }
    for ((item, table), id) in tables.iter().zip(ids) {
        let mut one = One {
            id,
            table,
            components,
        };
        let before = one.middleware(scope);
        if let Some(trigger) = one.read(scope) {
            refuse_second(&trigger, item, &mut lines);
            triggers.push(trigger);
            middleware.push((*item, before));
        }
    }
    place(middleware, &mut triggers, components);
    triggers
}

/// The id of each trigger: its own, else one made of its component's, else a numbered one.
fn ids(tables: &[(&Item<'_, '_>, Table<'_, '_>)]) -> Vec<String> {
    let written = |table: &Table<'_, '_>| {
        let id = table.string("id")?;
        (!id.is_empty()).then_some(id)
    };
    let own: Vec<_> = tables.iter().map(|(_, table)| written(table)).collect();
    let mut taken: BTreeSet<String> = own.iter().flatten().cloned().collect();
    let mut give = |own: Option<String>, table: &Table<'_, '_>| {
        if let Some(id) = own {
            return id;
        }
        let component = table.get("component");
        let natural = component
            .as_ref()
            .and_then(Item::as_str)
            .map(|id| format!("{id}-http-trigger"));
        let numbered = (1_usize..).map(|number| format!("http-trigger{number}"));
        let id = natural
            .into_iter()
            .chain(numbered)
            .find(|id| !taken.contains(id))
            .unwrap_or_default();
        taken.insert(id.clone());
        id
    };
    own.into_iter()
        .zip(tables)
        .map(|(own, (_, table))| give(own, table))
        .collect()
}

/// Reports an id that would lead to another folder, or tear a line of the log.
fn check_id(table: &Table<'_, '_>) {
    let Some(item) = table.get("id") else { return };
    let id = item.as_str().unwrap_or_default();
    let is_odd = |c: &char| matches!(c, '/' | '\\') || c.is_control();
    if let Some(odd) = id.chars().find(is_odd) {
        item.problem(format!(
            "the trigger id {id:?} contains {odd:?}, which no file name may have; use letters, \
             digits and '-'"
        ));
    }
}

/// Gives each trigger's middleware to its component, or to a copy of it.
fn place(
    middleware: Vec<(&Item<'_, '_>, Vec<Middleware>)>,
    triggers: &mut [HttpTrigger],
    components: &mut BTreeMap<String, Component>,
) {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for id in triggers.iter().filter_map(HttpTrigger::component) {
        *uses.entry(id.to_owned()).or_default() += 1;
    }
    let mut copies = BTreeSet::new();
    for (trigger, (item, middleware)) in triggers.iter_mut().zip(middleware) {
        let Answer::Component(id) = &mut trigger.answer else {
            continue;
        };
        if middleware.is_empty() {
            continue;
        }
        if uses.get(id).is_some_and(|uses| *uses > 1) {
            let Some(mut copy) = components.get(id).cloned() else {
                continue;
            };
            copy.id = copy_id(id, &trigger.id, &copies);
            if components.contains_key(&copy.id) {
                item.problem(format!(
                    "its middleware is for a copy of {id:?} with the id {:?}, and there is \
                     [component.{}] already; give the trigger an `id` of its own, or rename that \
                     component",
                    copy.id, copy.id
                ));
                continue;
            }
            copies.insert(copy.id.clone());
            id.clone_from(&copy.id);
            components.insert(copy.id.clone(), copy);
        }
        if let Some(component) = components.get_mut(id) {
            component.middleware = middleware;
        }
    }
}

/// The id of the copy of `component` for `trigger`, other than those of `copies`.
fn copy_id(component: &str, trigger: &str, copies: &BTreeSet<String>) -> String {
    let natural = format!("{component}-for-{trigger}");
    let numbered = (1_usize..).map(|number| format!("{natural}-d{number}"));
    std::iter::once(natural.clone())
        .chain(numbered)
        .find(|id| !copies.contains(id))
        .unwrap_or(natural)
}

/// Reports a trigger that would answer what an earlier one answers.
fn refuse_second(trigger: &HttpTrigger, item: &Item<'_, '_>, lines: &mut BTreeMap<String, usize>) {
    let component = trigger.component().unwrap_or_default();
    let (shape, said) = match &trigger.route {
        Route::Path(path) => (
            names::route_shape(path).unwrap_or_else(|_| path.clone()),
            format!("the route {path:?}"),
        ),
        Route::Private => (
            format!("private {component}"),
            format!("the private route of {component:?}"),
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
    id: String,
    table: &'s Table<'r, 'a>,
    components: &'s mut BTreeMap<String, Component>,
}

impl One<'_, '_, '_> {
    fn read(&mut self, scope: &Scope<'_>) -> Option<HttpTrigger> {
        self.table.get("id");
        let route = self.route();
        self.executor();
        self.table.unsupported(
            "components",
            "Spin's HTTP trigger does nothing with it either; remove the table",
        );
        let fixed = self.table.get("static_response");
        let answer = match (self.table.get("component"), &fixed) {
            (Some(item), None) => self.component(&item, scope).map(Answer::Component),
            (None, Some(item)) => static_response(item).map(Answer::Static),
            (Some(_), Some(item)) => {
                item.problem("stands beside `component`, and only one can answer; remove one");
                None
            }
            (None, None) => {
                self.table.missing("component", "component = \"ID\"");
                None
            }
        };
        if let (Some(item), Some(Route::Private)) = (&fixed, &route) {
            item.problem(
                "cannot be reached: a private route is called by the name of its component; \
                 write a path for `route`",
            );
        }
        self.table.finish();
        Some(HttpTrigger {
            id: self.id.clone(),
            route: route?,
            answer: answer?,
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

    /// What gets the requests before the component does, outermost first.
    fn middleware(&self, scope: &Scope<'_>) -> Vec<Middleware> {
        let Some(table) = self.table.table("dependencies") else {
            return Vec::new();
        };
        let list = table.get("middleware");
        table.finish();
        let Some(list) = list else { return Vec::new() };
        if self.table.has("static_response") {
            list.problem("stands before a static response, to which nothing is passed; remove it");
        }
        list.elements()
            .iter()
            .filter_map(|item| read_middleware(item, &self.id, scope))
            .collect()
    }

    fn component(&mut self, item: &Item<'_, '_>, scope: &Scope<'_>) -> Option<String> {
        if item.is_table() {
            let id = self.inline_id();
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
    fn inline_id(&self) -> String {
        let natural = format!("{}-component", self.id);
        let is_free = |id: &String| !self.components.contains_key(id);
        if names::kebab(&natural).is_ok() && is_free(&natural) {
            return natural;
        }
        (1_usize..)
            .map(|number| format!("inline-component{number}"))
            .find(is_free)
            .unwrap_or(natural)
    }
}

/// Reads `static_response`.
fn static_response(item: &Item<'_, '_>) -> Option<StaticResponse> {
    /// The statuses that can end an exchange: three digits, and none of those that only announce
    /// another response (RFC 9110, section 15.2).
    const STATUSES: (u64, u64) = (200, 999);
    const OK: u16 = 200;
    let table = item.table()?;
    let status = table
        .get("status_code")
        .and_then(|item| item.within(STATUSES.0, STATUSES.1))
        .and_then(|number| u16::try_from(number).ok());
    let mut headers = Vec::new();
    for (name, item, value) in table.string_map("headers") {
        if !names::is_header_name(name) {
            item.problem(format!(
                "{name:?} is no header name; use letters, digits and '-'"
            ));
        }
        if !names::is_header_value(&value) {
            item.problem("has a control character, which no header may have; remove it");
        }
        headers.push((name.to_owned(), value));
    }
    let body = table.string("body").unwrap_or_default();
    table.finish();
    Some(StaticResponse {
        status_code: status.unwrap_or(OK),
        headers,
        body,
    })
}
