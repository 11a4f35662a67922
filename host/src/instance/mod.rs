//! Instances of components: what one of them holds, what it may use, and what runs it.
//!
//! 1. [`Blueprint`] makes instances of one component, each with a store of its own.
//! 2. [`Pool`] gives requests to instances; several requests share one instance.
//! 3. [`Limits`] bound an instance; one that goes over a limit, or traps, ends with everything in
//!    it, and the next request gets a fresh one.
//!
//! Which component answers a request, and what it may call, is decided in [`crate::http`].

mod activity;
mod blueprint;
mod cpu;
mod limits;
mod pool;
mod stdio;
mod worker;

pub use activity::{Activity, Overdue};
pub use blueprint::{Blueprint, Settings, linker};
pub use cpu::{CpuClock, Exceeded};
pub use limits::{
    BACKGROUND_TIMEOUT, CPU_TIMEOUT, Limits, MAX_CONCURRENCY, MAX_MEMORY_MIB, MemoryGate,
    RESPONSE_TIMEOUT,
};
pub use pool::{Failure, Pool, Stop, max_instances};
pub use stdio::{Error as StdioError, Sink, Sinks};
pub use worker::IDLE_TIMEOUT;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capabilities::States;
use crate::http::outgoing::Outgoing;

/// What the store of one instance holds.
pub struct Data {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    outgoing: Outgoing,
    /// What its capabilities keep.
    pub(crate) capabilities: States,
    memory: MemoryGate,
}

impl WasiView for Data {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Data {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
