//! `[[variables_provider]]`, or `[[config_provider]]` by its older name.

use super::super::names;
use super::super::reader::{Item, Table};
use super::{Scope, VariableProvider};

/// The prefix of an `env` provider that has none of its own.
const DEFAULT_PREFIX: &str = "SPIN_VARIABLE";

pub(super) fn read(root: &Table<'_, '_>, scope: &Scope<'_>) -> Vec<VariableProvider> {
    let (new, old) = (root.get("variables_provider"), root.get("config_provider"));
    if let (Some(_), Some(old)) = (&new, &old) {
        old.problem(
            "stands beside `variables_provider`, of which it is the older name; use that for all",
        );
    }
    let Some(list) = new.or(old) else {
        return Vec::new();
    };
    let elements = list.elements();
    elements
        .iter()
        .filter_map(|item| provider(item, scope))
        .collect()
}

fn provider(item: &Item<'_, '_>, scope: &Scope<'_>) -> Option<VariableProvider> {
    let table = item.table()?;
    let kind = table.required_string("type", "type = \"env\"")?;
    let provider = match kind.as_str() {
        "static" => {
            let mut values = std::collections::BTreeMap::new();
            if !table.has("values") {
                table.missing("values", "values = { name = \"value\" }");
            }
            for (name, item, value) in table.string_map("values") {
                if let Err(refusal) = names::lower_snake(name) {
                    item.problem(format!("the variable name {name:?} {refusal}"));
                }
                values.insert(name.to_owned(), value.into());
            }
            VariableProvider::Static(values)
        }
        "env" => VariableProvider::Env {
            prefix: table
                .string("prefix")
                .unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
            dotenv_path: table
                .string("dotenv_path")
                .map(|path| scope.working_directory.join(path)),
        },
        "vault" | "azure_key_vault" => {
            table.get("type")?.problem(format!(
                "not supported by this host: it asks no {kind:?}; write \"env\" or \"static\", and \
                 give the values to the process that starts it"
            ));
            return None;
        }
        _ => {
            table.get("type")?.problem(format!(
                "{kind:?} is no kind of provider; write \"env\" or \"static\""
            ));
            return None;
        }
    };
    table.finish();
    Some(provider)
}
