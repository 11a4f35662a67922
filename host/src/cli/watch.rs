//! `up --watch`: what a change leads to.
//!
//! 1. Changed sources: the build commands of their components run. A build that fails is told, and
//!    what ran goes on.
//! 2. A changed manifest is read again; one that is wrong is told, and what ran goes on.
//! 3. Then everything is loaded beside what runs, and takes over at once; requests that have begun
//!    are finished by what they began with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use anyhow::{Context, Result};
use tokio::runtime::Handle;
use tracing::{error, info};

use super::manifest_file::ManifestFile;
use crate::app::Reloader;
use crate::manifest::Manifest;
use crate::watch::{Change, Watch};
use crate::{builder, download};

/// How to make again what `up` made.
pub(super) struct Remake {
    /// Which manifest.
    pub from: ManifestFile,
    /// Its build profile.
    pub profile: Option<String>,
    /// Components that run; empty for all.
    pub only: Vec<String>,
    /// Run no build commands: artifacts come from elsewhere.
    pub no_build: bool,
    /// The state dir, which keeps what was downloaded.
    pub state_root: PathBuf,
}

/// A thread that watches, until this is dropped.
pub(super) struct Watcher(Arc<AtomicBool>);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl Remake {
    /// Watches what `manifest` names. To be called within the runtime that serves.
    pub(super) fn start(self, manifest: Manifest, reloader: Reloader) -> Result<Watcher> {
        let path = self.from.find()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let (seen, runtime) = (stopped.clone(), Handle::current());
        let work = move || {
            let _entered = runtime.enter();
            self.run(&path, manifest, reloader, &seen);
        };
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(work)
            .context("no thread to watch with")?;
        Ok(Watcher(stopped))
    }

    fn run(self, path: &Path, manifest: Manifest, mut reloader: Reloader, stopped: &AtomicBool) {
        let mut manifest = manifest;
        let mut watch = Watch::new(&manifest, path);
        let mut seen = watch.look();
        while let Some(now) = watch.wait(&seen, || stopped.load(Relaxed)) {
            let change = seen.change(&now);
            seen = now;
            let started = Instant::now();
            if change.manifest {
                match self.from.load_with(self.profile.as_deref()) {
                    Ok(read) => manifest = read,
                    Err(error) => {
                        error!(
                            error = format!("{error:#}"),
                            "the changed manifest is wrong; what ran goes on"
                        );
                        continue;
                    }
                }
                watch = Watch::new(&manifest, path);
                seen = watch.look();
            }
            let made = self.remake(&change, &mut manifest, &mut reloader);
            seen = seen.built(&watch.look());
            let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            match made {
                Ok(()) => info!(elapsed_ms, "what changed is in place"),
                Err(error) => error!(
                    error = format!("{error:#}"),
                    "a change cannot be put in place; what ran goes on"
                ),
            }
        }
    }

    fn remake(
        &self,
        change: &Change,
        manifest: &mut Manifest,
        reloader: &mut Reloader,
    ) -> Result<()> {
        if !self.no_build {
            if change.manifest {
                builder::build(manifest, &self.only)?;
            } else if !change.sources.is_empty() {
                builder::build(manifest, &change.sources)?;
            }
        }
        download::fetch_all(manifest, &self.state_root)?;
        reloader.reload(manifest)
    }
}
