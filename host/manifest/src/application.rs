//! `[application]`, `[variables]` and the limits that both an application and a component may set.

use std::collections::BTreeMap;
use std::time::Duration;

use super::model::{Application, Limits, LocalSecret, Variable};
use super::names;
use super::reader::{Item, Table};

/// Most linear memory that one 32-bit instance can have, in MiB.
const MAX_MEMORY_MIB: u64 = 4096;

/// Reads `[application]`.
pub(super) fn read(table: &Table<'_, '_>) -> Application {
    let mut application = Application {
        name: table
            .required_string("name", "name = \"my-app\"")
            .unwrap_or_default(),
        version: table.string("version").unwrap_or_default(),
        description: table.string("description").unwrap_or_default(),
        authors: table.strings("authors"),
        ..Application::default()
    };
    table.unsupported(
        "targets",
        "it checks no component against other environments; remove the key",
    );
    if let Some(triggers) = table.table("trigger") {
        for (_, item) in triggers.entries() {
            item.problem(
                "not supported by this host: triggers have no settings for the whole \
                 application here; write the full path into each [[trigger.http]] route",
            );
        }
    }
    if let Some(chatly) = chatly_tool(table) {
        application.schedule = schedule(&chatly);
        application.local_secrets = local_secrets(&chatly);
        if let Some(limits) = chatly.table("limits") {
            application.limits = read_limits(&limits);
            limits.finish();
        }
        chatly.finish();
    }
    table.finish();
    application
}

/// `tool.chatly`; the tables of other tools are theirs.
pub(super) fn chatly_tool<'r, 'a>(parent: &Table<'r, 'a>) -> Option<Table<'r, 'a>> {
    parent.table("tool")?.table("chatly")
}

fn schedule(chatly: &Table<'_, '_>) -> BTreeMap<String, Duration> {
    let mut periods = BTreeMap::new();
    if let Some(schedule) = chatly.table("schedule") {
        if let Some(period) = schedule.get("sweep").and_then(|item| duration(&item)) {
            periods.insert("sweep".to_owned(), period);
        }
        schedule.finish();
    }
    periods
}

fn local_secrets(chatly: &Table<'_, '_>) -> BTreeMap<String, LocalSecret> {
    let Some(table) = chatly.table("local_secrets") else {
        return BTreeMap::new();
    };
    let kind = |item: &Item<'_, '_>| match item.string()?.as_str() {
        "token" => Some(LocalSecret::Token),
        "standard-webhooks" => Some(LocalSecret::StandardWebhooks),
        "ed25519" => Some(LocalSecret::Ed25519),
        other => {
            item.problem(format!(
                "{other:?} is no kind of secret; write \"token\", \"standard-webhooks\" or \"ed25519\""
            ));
            None
        }
    };
    let entries = table.entries();
    entries
        .into_iter()
        .filter_map(|(name, item)| Some((name.to_string(), kind(&item)?)))
        .collect()
}

/// Reads the limits in `table`; the caller finishes it.
pub(super) fn read_limits(table: &Table<'_, '_>) -> Limits {
    let timeout = |name| table.get(name).and_then(|item| duration(&item));
    Limits {
        response_timeout: timeout("response_timeout"),
        cpu_timeout: timeout("cpu_timeout"),
        background_timeout: timeout("background_timeout"),
        max_memory_mib: table
            .get("max_memory_mib")
            .and_then(|item| item.positive(MAX_MEMORY_MIB)),
        max_concurrency: table
            .get("max_concurrency")
            .and_then(|item| item.positive(u32::MAX.into()))
            .and_then(|number| u32::try_from(number).ok()),
    }
}

/// Local secrets are for variables that are secret.
pub(super) fn check_local_secrets(root: &Table<'_, '_>, variables: &BTreeMap<String, Variable>) {
    let application = root.table("application");
    let chatly = application.as_ref().and_then(chatly_tool);
    let Some(secrets) = chatly.and_then(|chatly| chatly.table("local_secrets")) else {
        return;
    };
    for (name, item) in secrets.entries() {
        match variables.get(name) {
            Some(variable) if variable.secret => {}
            Some(_) => item.problem("the variable is not secret; add `secret = true` to it"),
            None => item.problem("there is no such variable; declare it in [variables]"),
        }
    }
}

fn duration(item: &Item<'_, '_>) -> Option<Duration> {
    let text = item.string()?;
    names::duration(&text)
        .map_err(|refusal| item.problem(format!("{text:?} {refusal}")))
        .ok()
}

/// Reads `[variables]`.
pub(super) fn read_variables(root: &Table<'_, '_>) -> BTreeMap<String, Variable> {
    let entries = root
        .table("variables")
        .map(|table| table.entries())
        .unwrap_or_default();
    let mut variables = BTreeMap::new();
    for (name, item) in entries {
        if let Err(refusal) = names::lower_snake(name) {
            item.problem(format!("the variable name {name:?} {refusal}"));
        }
        // A variable that is wrong still exists, so that templates that name it are not reported.
        variables.insert(name.to_owned(), read_variable(&item).unwrap_or_default());
    }
    variables
}

fn read_variable(item: &Item<'_, '_>) -> Option<Variable> {
    let table = item.table()?;
    // Prose for readers of the file.
    table.string("description");
    let variable = Variable {
        required: table.boolean("required").unwrap_or_default(),
        default: table.string("default"),
        secret: table.boolean("secret").unwrap_or_default(),
    };
    let has_default = table.get("default").is_some();
    match (variable.required, has_default) {
        (true, true) => item.problem(
            "is required and has a default, so the default could never be used; remove one",
        ),
        (false, false) => item.problem(
            "has no value when nobody gives it one; add `required = true` or `default = \"…\"`",
        ),
        _ => {}
    }
    table.finish();
    Some(variable)
}
