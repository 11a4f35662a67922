//! Where the standard output and error of components go.
//!
//! 1. With a log directory, each component appends to `<component>_stdout.txt` and
//!    `<component>_stderr.txt` in it, as on Spin.
//! 2. Unless the host is quiet, they also go to the host's own standard output and error.
//!
//! Writing blocks for as long as the disk or the terminal takes. A failed write is the host's
//! trouble: the guest does not see it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// What a guest may write at once.
const WRITE_BYTES: usize = 64 * 1024;

/// A log file that cannot be opened.
#[derive(Debug, Error)]
#[error("cannot open the log file {path}: {source}", path = path.display())]
pub struct Error {
    path: PathBuf,
    source: std::io::Error,
}

#[derive(Debug, Clone, Copy)]
enum Name {
    Stdout,
    Stderr,
}

/// One of the two streams of one component.
#[derive(Debug, Clone)]
pub struct Sink {
    name: Name,
    quiet: bool,
    file: Option<Arc<File>>,
}

/// Both streams of one component.
#[derive(Debug, Clone)]
pub struct Sinks {
    /// Standard output.
    pub stdout: Sink,
    /// Standard error.
    pub stderr: Sink,
}

impl Sinks {
    /// Opens the streams of `component`; `log_dir` must exist.
    pub fn open(component: &str, log_dir: Option<&Path>, quiet: bool) -> Result<Self, Error> {
        Ok(Self {
            stdout: Sink::open(Name::Stdout, component, log_dir, quiet)?,
            stderr: Sink::open(Name::Stderr, component, log_dir, quiet)?,
        })
    }
}

impl Sink {
    fn open(
        name: Name,
        component: &str,
        log_dir: Option<&Path>,
        quiet: bool,
    ) -> Result<Self, Error> {
        let suffix = match name {
            Name::Stdout => "stdout",
            Name::Stderr => "stderr",
        };
        let file = match log_dir.map(|dir| dir.join(format!("{component}_{suffix}.txt"))) {
            Some(path) => match OpenOptions::new().create(true).append(true).open(&path) {
                Ok(file) => Some(Arc::new(file)),
                Err(source) => return Err(Error { path, source }),
            },
            None => None,
        };
        Ok(Self { name, quiet, file })
    }

    fn put(&self, bytes: &[u8]) {
        if let Some(mut file) = self.file.as_deref() {
            _ = file.write_all(bytes);
        }
        if !self.quiet {
            _ = match self.name {
                Name::Stdout => std::io::stdout().lock().write_all(bytes),
                Name::Stderr => std::io::stderr().lock().write_all(bytes),
            };
        }
    }
}

impl IsTerminal for Sink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sink {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.put(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {}
}

impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.put(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_component_appends_to_its_own_two_files() {
        let dir = std::env::temp_dir().join(format!("chatly-stdio-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for text in ["one\n", "two\n"] {
            let sinks = Sinks::open("api", Some(&dir), true).unwrap();
            sinks.stdout.put(text.as_bytes());
            sinks.stderr.put(b"oops\n");
        }
        assert_eq!(
            std::fs::read_to_string(dir.join("api_stdout.txt")).unwrap(),
            "one\ntwo\n"
        );
        assert_eq!(
            std::fs::read_to_string(dir.join("api_stderr.txt")).unwrap(),
            "oops\noops\n"
        );
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_log_directory_that_is_not_there_is_named() {
        let error = Sinks::open("api", Some(Path::new("/nowhere/at/all")), true).unwrap_err();
        assert!(
            error.to_string().contains("/nowhere/at/all/api_stdout.txt"),
            "{error}"
        );
    }
}
