//! Applies what a runtime config decides about variables and key-value stores.
//!
//! 1. A variable's value comes from `--variable`, else from the first provider of the runtime
//!    config that has it, else from `SPIN_VARIABLE_<NAME>` in the environment, else from the same
//!    name in a file `.env` of the working directory.
//! 2. A file that a provider names must be there; `.env` may be missing.
//! 3. All values are decided at the start.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::Context as _;

use crate::manifest::Manifest;
use crate::manifest::runtime_config::{RuntimeConfig, VariableProvider};

/// The file whose `SPIN_VARIABLE_*` count when nothing else does: Spin's name.
const DOTENV: &str = ".env";
/// Spin's prefix of the environment variables that give variables a value.
const PREFIX: &str = "SPIN_VARIABLE";

/// One place where values come from, opened.
enum Opened<'c> {
    Static(&'c BTreeMap<String, crate::manifest::runtime_config::Secret>),
    Env {
        prefix: &'c str,
        file: HashMap<String, String>,
    },
}

/// The values that providers give to the variables of `manifest`. `environment` reads one variable
/// of the process; `folder` is the working directory.
///
/// # Errors
/// When a file of a provider cannot be read.
pub fn variables(
    config: &RuntimeConfig,
    manifest: &Manifest,
    environment: impl Fn(&str) -> Option<String>,
    folder: &Path,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut opened = Vec::new();
    for provider in &config.variable_providers {
        opened.push(match provider {
            VariableProvider::Static(values) => Opened::Static(values),
            VariableProvider::Env {
                prefix,
                dotenv_path,
            } => Opened::Env {
                prefix,
                file: match dotenv_path {
                    None => HashMap::new(),
                    Some(path) => read_dotenv(path)
                        .with_context(|| format!("dotenv_path {}", path.display()))?,
                },
            },
        });
    }
    let usual = folder.join(DOTENV);
    if usual.is_file() {
        let file = read_dotenv(&usual).with_context(|| usual.display().to_string())?;
        opened.push(Opened::Env {
            prefix: PREFIX,
            file,
        });
    }
    let mut values = BTreeMap::new();
    for name in manifest.variables.keys() {
        let get = |one: &Opened<'_>| match one {
            Opened::Static(values) => values.get(name).map(|value| value.expose().to_owned()),
            Opened::Env { prefix, file } => {
                let name = format!("{prefix}_{}", name.to_ascii_uppercase());
                environment(&name).or_else(|| file.get(&name).cloned())
            }
        };
        if let Some(value) = opened.iter().find_map(get) {
            values.insert(name.clone(), value);
        }
    }
    Ok(values)
}

fn read_dotenv(path: &Path) -> anyhow::Result<HashMap<String, String>> {
    // The parser's own error would quote the line, and with it a secret.
    let malformed = |_| anyhow::anyhow!("has a line that is not NAME=VALUE");
    dotenvy::from_path_iter(path)
        .map_err(|error| anyhow::anyhow!("cannot be read: {error}"))?
        .collect::<Result<_, _>>()
        .map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(names: &[&str]) -> Manifest {
        let mut text =
            "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\n".to_owned();
        for name in names {
            text += &format!("variables.{name}.required = true\n");
        }
        Manifest::parse(&text, Path::new("/app/spin.toml")).unwrap()
    }

    #[test]
    fn the_first_provider_that_has_a_variable_gives_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        write("app.env", "APP_C='from file'\nAPP_B=never\n# words\n").unwrap();
        write(
            ".env",
            "SPIN_VARIABLE_D=dotenv\nSPIN_VARIABLE_E=never\nF=never\n",
        )
        .unwrap();
        let config = "[[variables_provider]]\ntype = \"static\"\nvalues = { a = \"static\" }\n\
                      [[variables_provider]]\ntype = \"env\"\nprefix = \"APP\"\ndotenv_path = \"app.env\"\n";
        let config =
            RuntimeConfig::parse(config, Path::new("/etc/rc.toml"), folder.path()).unwrap();
        let environment = |name: &str| {
            let value = match name {
                "APP_A" => "never",
                "APP_B" => "environment",
                "SPIN_VARIABLE_E" => "spin",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let manifest = manifest(&["a", "b", "c", "d", "e", "f"]);
        let got = variables(&config, &manifest, environment, folder.path()).unwrap();
        let got: Vec<_> = got.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            got,
            [
                ("a", "static"),
                ("b", "environment"),
                ("c", "from file"),
                ("d", "dotenv"),
                ("e", "spin"),
            ]
        );
    }

    #[test]
    fn a_file_that_a_provider_names_must_be_there_and_sound() {
        let folder = tempfile::tempdir().unwrap();
        let config = |path: &str| {
            let text = format!("[[variables_provider]]\ntype = \"env\"\ndotenv_path = {path:?}\n");
            RuntimeConfig::parse(&text, Path::new("/etc/rc.toml"), folder.path()).unwrap()
        };
        std::fs::write(folder.path().join("odd.env"), "S3CRET without a sign").unwrap();
        for (path, want) in [
            ("none.env", "none.env: cannot be read: "),
            ("odd.env", "odd.env: has a line that is not NAME=VALUE"),
        ] {
            let none = |_: &str| None;
            let error = variables(&config(path), &manifest(&["a"]), none, folder.path());
            let text = format!("{:#}", error.unwrap_err());
            assert!(text.contains(want) && !text.contains("S3CRET"), "{text}");
        }
    }
}
