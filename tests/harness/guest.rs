//! A host that runs guests under a manifest of the test's own.
//!
//! Each guest is a component; `/<id>` and what is below it lead to it. Most guests take a JSON list
//! of calls and answer with a list of results, see [`GuestApp::calls`].

use std::ops::Deref;
use std::path::{Path, PathBuf};

use anyhow::Result;
use http::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Options, TestApp};

/// A host that is about to start.
pub struct Setup {
    folder: TempDir,
    manifest: String,
    options: Options,
}

impl Setup {
    /// Without components.
    ///
    /// # Errors
    /// When there is no folder for the manifest.
    pub fn new() -> Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            manifest: "spin_manifest_version = 2\n[application]\nname = \"guests\"\n".to_owned(),
            options: Options::default(),
        })
    }

    /// The manifest's folder, for files that it names.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `source` as the component `id`, with these lines in its table.
    #[must_use]
    pub fn component(mut self, id: &str, source: &Path, lines: &str) -> Self {
        self.manifest += &format!(
            "[[trigger.http]]\nroute = \"/{id}/...\"\ncomponent = \"{id}\"\n\
             [component.{id}]\nsource = {source:?}\n{lines}\n"
        );
        self
    }

    /// Whole tables of the manifest beside the components'.
    #[must_use]
    pub fn tables(mut self, text: &str) -> Self {
        self.manifest += text;
        self
    }

    /// A runtime config of this text, beside the manifest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn runtime_config(self, text: &str) -> Result<Self> {
        let path = self.folder().join("runtime-config.toml");
        std::fs::write(&path, text)?;
        Ok(self.arguments(&["--runtime-config-file", &path.display().to_string()]))
    }

    /// More arguments of `up`.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        let more = arguments.iter().map(|one| (*one).to_owned());
        self.options.arguments.extend(more);
        self
    }

    /// More environment variables of the host.
    #[must_use]
    pub fn environment<'a>(mut self, more: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let more = more
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.options.environment.extend(more);
        self
    }

    /// A state folder to start on.
    #[must_use]
    pub fn state(mut self, state: TempDir) -> Self {
        self.options.state = Some(state);
        self
    }

    /// Starts the host and waits until it listens.
    ///
    /// # Errors
    /// When it does not come to listen.
    pub async fn start(mut self) -> Result<GuestApp> {
        let path = self.folder().join("spin.toml");
        std::fs::write(&path, &self.manifest)?;
        self.options.manifest = path;
        let app = TestApp::start_with(self.options).await?;
        let folder = self.folder;
        Ok(GuestApp { app, folder })
    }
}

/// A running host with guests.
pub struct GuestApp {
    app: TestApp,
    folder: TempDir,
}

impl GuestApp {
    /// One guest twice: as `granted`, with these lines in its table, and as `bare`, without any.
    ///
    /// # Errors
    /// As [`Setup::start`].
    pub async fn start(source: PathBuf, grants: &str) -> Result<Self> {
        Setup::new()?
            .component("granted", &source, grants)
            .component("bare", &source, "")
            .start()
            .await
    }

    /// The manifest's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has the guest at `path` make these calls; what each of them gave.
    ///
    /// # Errors
    /// When there is no answer, or one that is no JSON.
    pub async fn calls(&self, path: &str, calls: Value) -> Result<Value> {
        let calls = calls.to_string();
        let answer = self.app.request(Method::POST, path, &[], calls).await?;
        answer.json()
    }

    /// The text that the guest at `path` answers a GET with, whatever its status.
    ///
    /// # Errors
    /// When there is no answer, or one that is no text.
    pub async fn text(&self, path: &str) -> Result<String> {
        let answer = self.app.request(Method::GET, path, &[], "").await?;
        Ok(String::from_utf8(answer.body.to_vec())?)
    }

    /// See [`TestApp::kill`].
    ///
    /// # Errors
    /// As there.
    pub fn kill(self) -> Result<TempDir> {
        self.app.kill()
    }

    /// See [`TestApp::stop`].
    ///
    /// # Errors
    /// As there.
    pub fn stop(self) -> Result<(String, TempDir)> {
        self.app.stop()
    }
}

impl Deref for GuestApp {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}
