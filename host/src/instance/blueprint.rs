//! Everything needed to make instances of one component.

use std::sync::Arc;

use wasmtime::component::{InstancePre, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{FsPerms, WasiCtx};
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::handler::{Proxy, ProxyPre};
use wasmtime_wasi_http::{p2, p3};

use super::Data;
use super::cpu::{self, CpuClock};
use super::limits::{Limits, MemoryGate};
use super::stdio::Sinks;
use crate::capabilities::{self, Grants, Shared, States};
use crate::files::Mount;
use crate::http::outgoing::Outgoing;

/// Ticks of the engine's epoch after which a computing guest is looked at.
const TICKS: u64 = 1;

/// What the manifest and the command line give one component.
#[derive(Clone)]
pub struct Settings {
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Folders that it may read.
    pub files: Vec<Mount>,
    /// Standard output and error.
    pub sinks: Sinks,
    /// What it may use.
    pub grants: Grants,
    /// What the application's components share.
    pub shared: Shared,
    /// Outgoing HTTP.
    pub outgoing: Outgoing,
}

/// Makes instances of one component.
pub struct Blueprint {
    /// The component's id.
    pub id: Arc<str>,
    /// Its limits.
    pub limits: Limits,
    pre: ProxyPre<Data>,
    engine: Engine,
    settings: Settings,
}

/// An instance, not yet running.
pub(super) struct Made {
    pub store: Store<Data>,
    pub proxy: Proxy,
    pub clock: Arc<CpuClock>,
}

/// A linker with everything that every component may import: what is not granted answers with an
/// error value.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<Data>> {
    let mut linker = Linker::<Data>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    capabilities::link(&mut linker)?;
    Ok(linker)
}

impl Blueprint {
    /// A blueprint of a linked component.
    ///
    /// # Errors
    /// When it exports neither `wasi:http/handler@0.3.0` nor `wasi:http/incoming-handler@0.2`.
    pub fn new(
        id: &str,
        pre: InstancePre<Data>,
        limits: Limits,
        settings: Settings,
    ) -> wasmtime::Result<Self> {
        let engine = pre.engine().clone();
        let pre = match p3::bindings::ServicePre::new(pre.clone()) {
            Ok(pre) => ProxyPre::P3(pre),
            Err(error) => match p2::bindings::ProxyPre::new(pre) {
                Ok(pre) => ProxyPre::P2(pre),
                // What is missing for 0.3 is the useful message.
                Err(_) => return Err(error),
            },
        };
        Ok(Self {
            id: id.into(),
            limits,
            pre,
            engine,
            settings,
        })
    }

    /// Whether each request gets an instance of its own. So it is with WASI 0.2, here as on Spin: its
    /// handler is one call that blocks, and what it leaves behind was never seen by another request.
    pub(super) fn serves_once(&self) -> bool {
        matches!(self.pre, ProxyPre::P2(_))
    }

    /// Makes an instance.
    pub(super) async fn make(&self) -> wasmtime::Result<Made> {
        let clock = Arc::new(CpuClock::default());
        let mut store = Store::new(&self.engine, self.data()?);
        store.limiter(|data| &mut data.memory);
        store.set_epoch_deadline(TICKS);
        store.epoch_deadline_callback({
            let (clock, limit) = (clock.clone(), self.limits.cpu_timeout);
            move |_| clock.tick(limit)
        });
        let proxy = cpu::metered(&clock, self.pre.instantiate_async(&mut store)).await?;
        clock.yielded();
        Ok(Made {
            store,
            proxy,
            clock,
        })
    }

    fn data(&self) -> wasmtime::Result<Data> {
        let settings = &self.settings;
        Ok(Data {
            wasi: self.wasi()?,
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            outgoing: settings.outgoing.clone(),
            capabilities: States::new(&settings.grants, &settings.shared),
            memory: MemoryGate::new(self.limits.max_memory),
        })
    }

    /// The files of the manifest, to be read only; no arguments; and only the sockets that `allowed_outbound_hosts` names.
    fn wasi(&self) -> wasmtime::Result<WasiCtx> {
        let Settings {
            environment,
            files,
            sinks,
            grants,
            ..
        } = &self.settings;
        let hosts = grants.hosts.clone();
        let may_resolve = hosts.allows_lookup();
        let mut wasi = WasiCtx::builder();
        for Mount { host, guest } in files {
            wasi.preopened_dir(host, guest, FsPerms::ReadOnly)?;
        }
        wasi.envs(environment)
            .stdout(sinks.stdout.stream())
            .stderr(sinks.stderr.stream())
            .allow_tcp(true)
            .allow_udp(true)
            .allow_ip_name_lookup(may_resolve)
            .socket_addr_check(move |address, purpose| {
                let allowed = hosts.allows_socket(address, purpose);
                Box::pin(std::future::ready(allowed))
            });
        Ok(wasi.build())
    }
}
