//! `[component.<id>]`, and a component written out inside its trigger.
//!
//! A build profile (`[component.<id>.profile.<name>]`) is checked whether it is asked for or not.
//! Of the one that is, source and build command take the place of the component's; environment
//! and dependencies are added, by name.

use std::path::{Component as Step, Path, PathBuf};

use super::application::{chatly_tool, read_limits};
use super::dependency;
use super::model::{Build, Component, Download, FileMount, Source};
use super::names;
use super::reader::{Item, Table};
use super::scope::Scope;

/// Reads the component in `item`.
pub(super) fn read(id: &str, item: &Item<'_, '_>, scope: &Scope<'_>) -> Option<Component> {
    if let Err(refusal) = names::kebab(id) {
        item.problem(format!("the component id {id:?} {refusal}"));
    }
    let table = item.table()?;
    let mut component = Component {
        id: id.to_owned(),
        line: table.line(),
        source: source(&table, scope).unwrap_or_default(),
        description: table.string("description").unwrap_or_default(),
        files: files(&table),
        exclude_files: table.strings("exclude_files"),
        allowed_outbound_hosts: hosts(&table, scope),
        key_value_stores: labels(&table, "key_value_stores"),
        sqlite_databases: labels(&table, "sqlite_databases"),
        ai_models: table.strings("ai_models"),
        build: table
            .table("build")
            .and_then(|build| read_build(&build, scope)),
        ..Component::default()
    };
    for (name, item, template) in table.string_map("variables") {
        if let Err(refusal) = names::lower_snake(name) {
            item.problem(format!("the variable name {name:?} {refusal}"));
        }
        scope.check_template(&item, &template);
        component.variables.insert(name.to_owned(), template);
    }
    for (name, _, value) in table.string_map("environment") {
        component.environment.insert(name.to_owned(), value);
    }
    let mut dependencies = dependency::Entries::read(&table, id, scope);
    if let Some(profiles) = table.table("profile") {
        for (name, item) in profiles.entries() {
            scope.profiles.borrow_mut().insert(name.to_owned());
            let Some(profile) = Profile::read(&item, id, scope) else {
                continue;
            };
            if scope.profile == Some(name) {
                profile.apply(&mut component, &mut dependencies, scope);
            }
        }
    }
    dependencies.finish(&table, &mut component);
    if let Some(chatly) = chatly_tool(&table) {
        component.limits = read_limits(&chatly);
        chatly.finish();
    }
    refuse_foreign_fields(&table);
    table.finish();
    Some(component)
}

fn refuse_foreign_fields(table: &Table<'_, '_>) {
    table.unsupported(
        "allowed_http_hosts",
        "it is Spin's old name for allowed_outbound_hosts; use that",
    );
    table.unsupported(
        "targets",
        "it checks no component against other environments; remove the key",
    );
}

/// One `[component.<id>.profile.<name>]`.
struct Profile<'r, 'a> {
    source: Option<Source>,
    environment: Vec<(String, String)>,
    dependencies: dependency::Entries<'r, 'a>,
    command: Option<Vec<String>>,
}

impl<'r, 'a> Profile<'r, 'a> {
    fn read(item: &Item<'r, 'a>, owner: &str, scope: &Scope<'_>) -> Option<Self> {
        let table = item.table()?;
        let profile = Self {
            source: table.get("source").and_then(|item| source_of(&item, scope)),
            environment: table
                .string_map("environment")
                .into_iter()
                .map(|(name, _, value)| (name.to_owned(), value))
                .collect(),
            dependencies: dependency::Entries::read(&table, owner, scope),
            command: table.table("build").and_then(|build| {
                let command = command(&build);
                build.finish();
                command
            }),
        };
        table.finish();
        Some(profile)
    }

    fn apply(
        self,
        component: &mut Component,
        dependencies: &mut dependency::Entries<'r, 'a>,
        scope: &Scope<'_>,
    ) {
        if let Some(source) = self.source {
            component.source = source;
        }
        component.environment.extend(self.environment);
        dependencies.extend(self.dependencies);
        if let Some(command) = self.command {
            let none = || Build {
                command: Vec::new(),
                workdir: scope.folder.to_owned(),
                watch: Vec::new(),
            };
            component.build.get_or_insert_with(none).command = command;
        }
    }
}

const SOURCE: &str = "source = \"target/wasm32-wasip2/release/NAME.wasm\"";

fn source(table: &Table<'_, '_>, scope: &Scope<'_>) -> Option<Source> {
    let Some(item) = table.get("source") else {
        table.missing("source", SOURCE);
        return None;
    };
    source_of(&item, scope)
}

fn source_of(item: &Item<'_, '_>, scope: &Scope<'_>) -> Option<Source> {
    if item.is_table() {
        let table = item.table()?;
        if ["registry", "package", "version"]
            .iter()
            .any(|key| table.has(key))
        {
            item.problem(format!(
                "not supported by this host: it fetches no component from a registry; name its \
                 file with `{SOURCE}`, or its URL with `{DOWNLOAD}`"
            ));
            return None;
        }
        let download = download(&table);
        table.finish();
        return download.map(Source::Url);
    }
    let path = item.string()?;
    if path.is_empty() {
        item.problem(format!("is empty; write `{SOURCE}`"));
        return None;
    }
    Some(Source::Path(absolute(scope.folder, &path)))
}

const DOWNLOAD: &str = "{ url = \"https://…\", digest = \"sha256:…\" }";

/// `url` and `digest` of `table`.
pub(super) fn download(table: &Table<'_, '_>) -> Option<Download> {
    const DIGEST_CHARS: usize = 64;
    let url = table.required_string("url", "url = \"https://…\"");
    let digest = table.required_string("digest", "digest = \"sha256:…\"");
    let (url, digest) = (url?, digest?);
    let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    if let Some(item) = table.get("url").filter(|_| !is_web(&url)) {
        item.problem(format!(
            "{url:?} is no web address; begin it with \"https://\""
        ));
        return None;
    }
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let sha256 = digest
        .strip_prefix("sha256:")
        .filter(|hex| hex.len() == DIGEST_CHARS && hex.chars().all(is_hex));
    let Some(sha256) = sha256 else {
        if let Some(item) = table.get("digest") {
            item.problem(format!(
                "{digest:?} is no digest; write \"sha256:\" and the {DIGEST_CHARS} lower-case \
                 hexadecimal digits that `sha256sum` prints for the file"
            ));
        }
        return None;
    };
    Some(Download {
        url,
        sha256: sha256.to_owned(),
    })
}

/// `path` seen from `folder`, without `.` steps. `..` stays: the folder before it may be a link.
pub(super) fn absolute(folder: &Path, path: &str) -> PathBuf {
    folder
        .join(path)
        .components()
        .filter(|step| !matches!(step, Step::CurDir))
        .collect()
}

fn hosts(table: &Table<'_, '_>, scope: &Scope<'_>) -> Vec<String> {
    let Some(list) = table.get("allowed_outbound_hosts") else {
        return Vec::new();
    };
    let mut hosts = Vec::new();
    for element in list.elements() {
        let Some(host) = element.string() else {
            continue;
        };
        scope.check_template(&element, &host);
        hosts.push(host);
    }
    hosts
}

fn labels(table: &Table<'_, '_>, key: &'static str) -> Vec<String> {
    let Some(list) = table.get(key) else {
        return Vec::new();
    };
    let mut labels = Vec::new();
    for element in list.elements() {
        let Some(label) = element.string() else {
            continue;
        };
        if let Err(refusal) = names::label(&label) {
            element.problem(format!("the label {label:?} {refusal}"));
        }
        labels.push(label);
    }
    labels
}

fn files(table: &Table<'_, '_>) -> Vec<FileMount> {
    let Some(list) = table.get("files") else {
        return Vec::new();
    };
    list.elements().iter().filter_map(read_file).collect()
}

fn read_file(item: &Item<'_, '_>) -> Option<FileMount> {
    if !item.is_table() {
        let pattern = item.string()?;
        if matches!(pattern.as_str(), "." | "..")
            || pattern.ends_with("/.")
            || pattern.ends_with("/..")
        {
            item.problem(format!(
                "the pattern {pattern:?} names a folder; write a pattern that ends in \"**/*\", or \
                 `{{ source = \"FOLDER\", destination = \"/\" }}`"
            ));
        }
        return Some(FileMount::Pattern(pattern));
    }
    let table = item.table()?;
    let source = table.required_string("source", "source = \"assets\"");
    let destination = table.required_string("destination", "destination = \"/\"");
    table.finish();
    let (source, destination) = (source?, destination?);
    let leaves = |path: &str| path.split('/').any(|step| step == "..");
    if leaves(&destination) {
        item.problem(format!(
            "the destination {destination:?} leaves the guest's root; remove the \"..\""
        ));
    }
    Some(FileMount::Placement {
        source: source.into(),
        destination,
    })
}

const COMMAND: &str = "command = \"cargo build --release --target wasm32-wasip2 -p NAME\"";

fn read_build(table: &Table<'_, '_>, scope: &Scope<'_>) -> Option<Build> {
    let workdir = match table.string("workdir") {
        Some(workdir) => absolute(scope.folder, &workdir),
        None => scope.folder.to_owned(),
    };
    let watch = table.strings("watch");
    let command = command(table);
    table.finish();
    Some(Build {
        command: command?,
        workdir,
        watch,
    })
}

/// `command`: one or several.
fn command(table: &Table<'_, '_>) -> Option<Vec<String>> {
    let Some(item) = table.get("command") else {
        table.missing("command", COMMAND);
        return None;
    };
    let command = if item.is_array() {
        item.strings()
    } else {
        vec![item.string()?]
    };
    if command.is_empty() || command.iter().any(|line| line.trim().is_empty()) {
        item.problem(format!("is empty; write `{COMMAND}`"));
    }
    Some(command)
}
