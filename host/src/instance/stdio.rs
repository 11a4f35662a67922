//! Where the standard output and error of components go.
//!
//! 1. With a log directory, each component appends to `<component>_stdout.txt` and
//!    `<component>_stderr.txt` in it, as on Spin.
//! 2. Unless the host is quiet, they also go to the host's own standard output and error, each line
//!    with the time and its component, since all components share them.
//! 3. Lines go out whole: guests print them in pieces, and several instances print at once. What an
//!    instance has not ended with a line break goes out when it ends, or at [`LINE_BYTES`].
//!
//! Writing blocks for as long as the disk or the terminal takes. A failed write is the host's
//! trouble: the guest does not see it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tokio::io::AsyncWrite;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// What a guest may write at once.
const WRITE_BYTES: usize = 64 * 1024;
/// The longest start of a line that is kept until its end comes; a guest chooses how long lines are.
const LINE_BYTES: usize = 16 * 1024;

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
    component: Arc<str>,
    name: Name,
    quiet: bool,
    file: Option<Arc<File>>,
}

/// A [`Sink`] as one instance writes to it.
#[derive(Debug, Clone)]
pub struct Stream(Arc<Line>);

#[derive(Debug)]
struct Line {
    sink: Sink,
    /// What was printed since the last line break.
    begun: Mutex<Vec<u8>>,
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
        Ok(Self {
            component: component.into(),
            name,
            quiet,
            file,
        })
    }

    /// The stream of a new instance.
    pub fn stream(&self) -> Stream {
        Stream(Arc::new(Line {
            sink: self.clone(),
            begun: Mutex::default(),
        }))
    }

    fn put(&self, lines: &[u8]) {
        if let Some(mut file) = self.file.as_deref() {
            _ = file.write_all(lines);
        }
        if !self.quiet {
            let lines = labelled(&self.component, lines);
            _ = match self.name {
                Name::Stdout => std::io::stdout().lock().write_all(&lines),
                Name::Stderr => std::io::stderr().lock().write_all(&lines),
            };
        }
    }
}

/// `lines`, each with the time and the component before it and a line break after it.
fn labelled(component: &str, lines: &[u8]) -> Vec<u8> {
    let mut label = String::new();
    // A time that cannot be written is left out.
    _ = SystemTime.format_time(&mut Writer::new(&mut label));
    label.push_str(" [");
    label.push_str(component);
    label.push_str("] ");
    let mut labelled = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        labelled.extend_from_slice(label.as_bytes());
        labelled.extend_from_slice(line);
    }
    if !labelled.ends_with(b"\n") {
        labelled.push(b'\n');
    }
    labelled
}

impl Stream {
    fn put(&self, bytes: &[u8]) {
        let mut begun = self.0.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.extend_from_slice(bytes);
        let last = begun.iter().rposition(|byte| *byte == b'\n');
        let whole = match last {
            Some(last) => last + 1,
            None if begun.len() > LINE_BYTES => begun.len(),
            None => return,
        };
        let rest = begun.split_off(whole);
        self.0.sink.put(&std::mem::replace(&mut *begun, rest));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let begun = self.begun.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !begun.is_empty() {
            self.sink.put(begun);
        }
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Stream {
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
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

impl OutputStream for Stream {
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
            sinks.stdout.stream().put(text.as_bytes());
            sinks.stderr.stream().put(b"oops\n");
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
    fn lines_go_out_whole() {
        let dir = tempfile::tempdir().unwrap();
        let sinks = Sinks::open("api", Some(dir.path()), true).unwrap();
        let printed = || std::fs::read_to_string(dir.path().join("api_stderr.txt")).unwrap();
        let (one, two) = (sinks.stderr.stream(), sinks.stderr.stream());
        one.put(b"one: ");
        two.clone().put(b"two: ");
        assert_eq!(printed(), "");
        one.put(b"a\nb\nc");
        assert_eq!(printed(), "one: a\nb\n");
        two.put(b"d\n");
        drop(one);
        assert_eq!(printed(), "one: a\nb\ntwo: d\nc");
        two.put(&[b'x'; LINE_BYTES]);
        assert_eq!(printed().len(), 21, "as long as a line may be");
        two.put(b"x");
        assert_eq!(printed().len(), 21 + LINE_BYTES + 1, "too long to wait for");
    }

    #[test]
    fn on_the_terminal_each_line_says_whose_it_is() {
        let text = String::from_utf8(labelled("api", b"one\ntwo")).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let [one, two] = lines.as_slice() else {
            panic!("{text}");
        };
        assert!(
            one.starts_with("20") && one.ends_with("Z [api] one"),
            "{one}"
        );
        assert!(two.ends_with(" [api] two") && text.ends_with('\n'), "{two}");
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
