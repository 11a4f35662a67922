//! The servers that are measured, and how each is started for a task.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::server::{BOUND, Server};
use super::{Arguments, install};

/// One task, which several servers do.
pub(super) struct Task {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) connections: usize,
    /// Whether each request carries a message of its own.
    pub(super) unique: bool,
    pub(super) servers: Vec<(&'static str, Start)>,
}

/// Starts a server; the folder is fresh.
pub(super) type Start = Box<dyn Fn(&Path) -> Result<Server>>;

/// The programs of all servers.
pub(super) struct Programs {
    chatly: PathBuf,
    against: Option<PathBuf>,
    bench: PathBuf,
    deno: Option<PathBuf>,
    wasmtime: Option<PathBuf>,
    spin: Option<PathBuf>,
    /// `benches/peers`.
    sources: PathBuf,
    /// `target/peers`.
    peers: PathBuf,
    /// The component that verifies.
    component: PathBuf,
}

impl Programs {
    /// Builds ours unless told not to, and installs theirs; prints what cannot be had.
    pub(super) fn find(arguments: &Arguments) -> Result<Self> {
        let bench = std::env::current_exe()?;
        let target = bench.ancestors().nth(2).context("target/debug")?.to_owned();
        let peers = target.join("peers");
        let sources = harness::root().join("benches/peers").canonicalize()?;
        std::fs::create_dir_all(&peers)?;
        let chatly = bench.with_file_name("chatly");
        if !arguments.no_build {
            build(harness::chatly(), &sources)?;
        }
        let found = |name: &str, path: Result<PathBuf>| match path {
            Ok(path) => {
                println!("{name}: {}", install::version(&path).unwrap_or_default());
                Some(path)
            }
            Err(error) => {
                println!("{name}: cannot be had here: {error:#}");
                None
            }
        };
        let spin = arguments.spin.clone();
        Ok(Programs {
            bench,
            against: arguments.against.clone(),
            deno: found("deno", install::deno(&peers)),
            wasmtime: found("wasmtime serve", install::wasmtime(&peers)),
            spin: found("spin", spin.context("SPIN names no binary")),
            component: target.join("wasm32-wasip2/release/bench_verify.wasm"),
            chatly,
            sources,
            peers,
        })
    }

    pub(super) fn verify(&self) -> Task {
        let manifest = "verify.toml";
        let mut servers = vec![
            ("chatly", self.ours(&self.chatly, manifest, "warn")),
            (
                "chatly with its request log",
                self.ours(&self.chatly, manifest, "info"),
            ),
            ("native hyper", self.native()),
        ];
        if let Some(against) = &self.against {
            servers.push(("chatly, other build", self.ours(against, manifest, "warn")));
        }
        if let Some(deno) = &self.deno {
            let source = text(&self.sources.join("verify.js"));
            servers.push((
                "deno",
                start(text(deno), move |_, address| {
                    vec![
                        "run".into(),
                        "--allow-net".into(),
                        source.clone(),
                        port(address),
                    ]
                }),
            ));
        }
        if let Some(wasmtime) = &self.wasmtime {
            let component = text(&self.component);
            servers.push((
                "wasmtime serve",
                start(text(wasmtime), move |_, address| {
                    let options = ["serve", "-Scli,p3", "-Wcomponent-model-async", "--addr"];
                    let options = options.map(str::to_owned).into_iter();
                    options
                        .chain([address.to_string(), component.clone()])
                        .collect()
                }),
            ));
        }
        if let Some(spin) = &self.spin {
            let manifest = text(&self.sources.join("verify.toml"));
            servers.push((
                "spin",
                start(text(spin), move |_, address| {
                    let listen = address.to_string();
                    ["up", "--quiet", "--from", &manifest, "--listen", &listen]
                        .map(str::to_owned)
                        .into()
                }),
            ));
        }
        Task {
            name: "verify only",
            path: "/verify",
            connections: 16,
            unique: false,
            servers,
        }
    }

    pub(super) fn durable(&self) -> Task {
        let manifest = "ingest.toml";
        let mut servers = vec![("chatly", self.ours(&self.chatly, manifest, "warn"))];
        if let Some(against) = &self.against {
            servers.push(("chatly, other build", self.ours(against, manifest, "warn")));
        }
        if let Some(deno) = &self.deno {
            for (name, mode) in [
                ("deno, a commit per request", "each"),
                ("deno, grouped commits", "group"),
            ] {
                let source = text(&self.sources.join("durable.js"));
                servers.push((
                    name,
                    start(text(deno), move |folder, address| {
                        let file = text(&folder.join("inbox.db"));
                        let options = ["run", "-A", &source, &port(address), &file, mode];
                        options.map(str::to_owned).into()
                    }),
                ));
            }
        }
        Task {
            name: "durable",
            path: "/webhooks/whatsapp",
            connections: 64,
            unique: true,
            servers,
        }
    }

    /// This host on a state folder of its own, with the compiled components of the last start.
    fn ours(&self, chatly: &Path, manifest: &str, log: &'static str) -> Start {
        let (chatly, manifest) = (text(chatly), text(&self.sources.join(manifest)));
        let cache = self.peers.join("cache");
        Box::new(move |folder| {
            std::fs::create_dir_all(&cache)?;
            std::os::unix::fs::symlink(&cache, folder.join("cache"))?;
            let program = ["env".to_owned(), format!("RUST_LOG={log}"), chatly.clone()];
            Server::start(&folder.join("log"), BOUND, |address| {
                let (listen, folder) = (address.to_string(), text(folder));
                let up = ["up", "--no-build", "--from", &manifest, "--listen", &listen];
                let up = up.into_iter().chain(["--state-dir", &folder]);
                program.into_iter().chain(up.map(str::to_owned)).collect()
            })
        })
    }

    fn native(&self) -> Start {
        start(text(&self.bench), |_, address| {
            vec!["native".into(), "--listen".into(), address.to_string()]
        })
    }
}

/// Builds the components of the benches.
fn build(chatly: &Path, sources: &Path) -> Result<()> {
    for manifest in ["verify.toml", "ingest.toml"] {
        let built = std::process::Command::new(chatly)
            .args(["build", "--from"])
            .arg(sources.join(manifest))
            .status()?;
        ensure!(built.success(), "{manifest} is not built");
    }
    Ok(())
}

/// Starts `program` with the arguments that `make` gives.
fn start(
    program: String,
    make: impl Fn(&Path, std::net::SocketAddr) -> Vec<String> + 'static,
) -> Start {
    Box::new(move |folder| {
        Server::start(&folder.join("log"), BOUND, |address| {
            [vec![program.clone()], make(folder, address)].concat()
        })
    })
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn port(address: std::net::SocketAddr) -> String {
    address.port().to_string()
}
