//! Decides the value of every variable.
//!
//! 1. The first of these that has a value: an override (`--variable`), the environment
//!    (`SPIN_VARIABLE_<NAME>`), a generated local secret, the `default` of the manifest.
//! 2. An empty value is a value.
//! 3. All variables without a value are told in one error.
//! 4. Errors name variables, never values.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::name::{self, InvalidName, environment_name};
use super::template::{self, Part};
use super::{Grant, Secret};
use chatly_manifest::{Component, Manifest};

/// Where values come from, beside the manifest's defaults.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    /// From the command line, by variable name.
    pub overrides: BTreeMap<String, Secret>,
    /// The process's environment, by environment name. Only `SPIN_VARIABLE_*` is looked at.
    pub environment: BTreeMap<String, Secret>,
    /// Local secrets that the host made up, by variable name.
    pub generated: BTreeMap<String, Secret>,
}

impl Providers {
    /// Takes the environment of this process.
    ///
    /// # Errors
    ///
    /// [`ResolverError::NotUnicode`] for a `SPIN_VARIABLE_*` that is not UTF-8.
    pub fn with_process_environment(self) -> Result<Self, ResolverError> {
        self.with_environment(std::env::vars_os())
    }

    /// Takes `environment`.
    ///
    /// # Errors
    ///
    /// [`ResolverError::NotUnicode`] for a `SPIN_VARIABLE_*` that is not UTF-8.
    pub fn with_environment(
        mut self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ResolverError> {
        for (name, value) in environment {
            let Some(name) = name
                .to_str()
                .filter(|name| name.starts_with("SPIN_VARIABLE_"))
            else {
                continue;
            };
            let value = value.into_string();
            let value = value.map_err(|_| ResolverError::NotUnicode(name.to_owned()))?;
            self.environment.insert(name.to_owned(), value.into());
        }
        Ok(self)
    }

    fn get(&self, name: &str) -> Option<&Secret> {
        self.overrides
            .get(name)
            .or_else(|| self.environment.get(&environment_name(name)))
            .or_else(|| self.generated.get(name))
    }
}

/// Why values cannot be decided. Each says which line to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolverError {
    /// Variables that nobody gives a value.
    #[error("{0}")]
    Missing(Missing),
    /// A name in `[variables]` or `[component.*.variables]` that is none.
    #[error("{key} in spin.toml has an invalid variable name: {invalid}")]
    Name {
        /// The table.
        key: String,
        /// The rule that is broken.
        invalid: InvalidName,
    },
    /// A `{{` without its `}}`.
    #[error("{key} in spin.toml has `{{{{` without `}}}}`; close the expression")]
    Unmatched {
        /// The key that holds the template.
        key: String,
    },
    /// A template that names a variable which the manifest does not declare.
    #[error(
        "{key} in spin.toml uses `{{{{ {name} }}}}`, which is not declared; add `{name} = {{ required = true }}` under [variables]"
    )]
    Unknown {
        /// The key that holds the template.
        key: String,
        /// The variable.
        name: String,
    },
    /// An override of a variable that the manifest does not declare.
    #[error("--variable {0}=… sets a variable that spin.toml does not declare under [variables]")]
    UnknownOverride(String),
    /// A value in the environment that is not UTF-8.
    #[error("the environment variable {0} is not valid UTF-8")]
    NotUnicode(String),
}

/// Variables that have no value, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub Vec<String>);

impl std::fmt::Display for Missing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("these variables of spin.toml are required and have no value:")?;
        for name in &self.0 {
            let environment = environment_name(name);
            write!(
                formatter,
                "\n  {name}: set {environment}=… or pass --variable {name}=…"
            )?;
        }
        Ok(())
    }
}

/// Every application variable with its value.
#[derive(Debug, Clone, Default)]
pub struct Resolver {
    values: BTreeMap<String, Secret>,
    secrets: BTreeSet<String>,
}

impl Resolver {
    /// Decides the value of every variable of `manifest`, and checks the templates of its
    /// components' variables.
    ///
    /// # Errors
    ///
    /// [`ResolverError`]; all missing variables are in one.
    pub fn new(manifest: &Manifest, providers: &Providers) -> Result<Self, ResolverError> {
        let mut resolver = Self::default();
        let mut missing = Vec::new();
        for (name, variable) in &manifest.variables {
            check_name(name, || "[variables]".to_owned())?;
            let default = || variable.default.as_deref().map(Secret::from);
            match providers.get(name).cloned().or_else(default) {
                Some(value) => drop(resolver.values.insert(name.clone(), value)),
                None => missing.push(name.clone()),
            }
            if variable.secret {
                resolver.secrets.insert(name.clone());
            }
        }
        let undeclared = |name: &&String| !manifest.variables.contains_key(*name);
        if let Some(name) = providers.overrides.keys().find(undeclared) {
            return Err(ResolverError::UnknownOverride(name.clone()));
        }
        if !missing.is_empty() {
            return Err(ResolverError::Missing(Missing(missing)));
        }
        for component in manifest.components.values() {
            resolver.component(component)?;
        }
        Ok(resolver)
    }

    /// The variables of one component, rendered.
    ///
    /// # Errors
    ///
    /// [`ResolverError`] for a bad name or template; none for a component of the manifest
    /// that the resolver was made from.
    pub fn component(&self, component: &Component) -> Result<Grant, ResolverError> {
        let table = || format!("[component.{}.variables]", component.id);
        let mut values = BTreeMap::new();
        for (name, template) in &component.variables {
            check_name(name, table)?;
            let value = self.render_at(template, || format!("{} {name}", table()))?;
            values.insert(name.clone(), value.into());
        }
        Ok(Grant {
            component: component.id.clone(),
            values,
        })
    }

    /// Fills in a template.
    ///
    /// # Errors
    ///
    /// [`ResolverError::Unmatched`] and [`ResolverError::Unknown`], naming the template.
    pub fn render(&self, template: &str) -> Result<String, ResolverError> {
        self.render_at(template, || format!("{template:?}"))
    }

    /// The same, with the key that holds the template for the error.
    ///
    /// # Errors
    ///
    /// As [`Resolver::render`], naming the key.
    pub fn render_at(
        &self,
        template: &str,
        key: impl Fn() -> String,
    ) -> Result<String, ResolverError> {
        let parts = template::parse(template);
        let parts = parts.map_err(|_| ResolverError::Unmatched { key: key() })?;
        let mut rendered = String::new();
        for part in parts {
            rendered.push_str(match part {
                Part::Text(text) => text,
                Part::Variable(name) => match self.values.get(name) {
                    Some(value) => value.expose(),
                    None => {
                        let name = name.to_owned();
                        return Err(ResolverError::Unknown { key: key(), name });
                    }
                },
            });
        }
        Ok(rendered)
    }

    /// The value of one application variable.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.values.get(name)
    }

    /// Whether the manifest declares `name` with `secret = true`.
    pub fn is_secret(&self, name: &str) -> bool {
        self.secrets.contains(name)
    }
}

fn check_name(name: &str, key: impl Fn() -> String) -> Result<(), ResolverError> {
    name::check(name).map_err(|invalid| ResolverError::Name {
        key: key(),
        invalid,
    })
}

#[cfg(test)]
mod tests;
