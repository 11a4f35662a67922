//! The wasmtime engine that every component of an application shares.
//!
//! 1. Component model with WASI 0.3 async on; everything else as wasmtime ships it.
//! 2. Epoch interruption is on and [`Ticker`] moves the epoch every [`EPOCH_TICK`], so a deadline
//!    of `n` ticks stops a loop after about `n` × 10 ms. A store without a deadline traps at once:
//!    whoever makes a store sets one.
//! 3. Instances are allocated on demand. Components are many and live instances few (a WASI 0.3
//!    instance serves many requests), so a pool would reserve memory for instances that never come
//!    and refuse the one too many. Copy-on-write images keep the start cheap; the memory limit of
//!    one instance is the store's business.
//!
//! It does not cache compiled code; [`crate::cache`] does.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use wasmtime::{Config, Engine, OptLevel};

/// Time between two increments of the epoch: the grain of every CPU limit. 10 ms is well below the
/// shortest useful limit and costs one atomic addition a hundred times a second.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Builds the engine. Its epoch stands still until a [`Ticker`] moves it.
///
/// # Errors
/// When this machine cannot run compiled WebAssembly.
pub fn build() -> anyhow::Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(true)
        .memory_init_cow(true);
    Engine::new(&config)
        .map_err(anyhow::Error::from)
        .context("cannot set up the WebAssembly engine")
}

/// Number of ticks that make up `limit`, rounded up, and at least one.
#[must_use]
pub fn ticks(limit: Duration) -> u64 {
    let ticks = limit.as_nanos().div_ceil(EPOCH_TICK.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX).max(1)
}

/// Moves an engine's epoch every [`EPOCH_TICK`] on a thread of its own, until dropped.
#[derive(Debug)]
pub struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts ticking.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(engine: &Engine) -> anyhow::Result<Self> {
        let engine = engine.weak();
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::Builder::new()
            .name("epoch".into())
            .spawn(move || {
                while stopped.recv_timeout(EPOCH_TICK) == Err(RecvTimeoutError::Timeout) {
                    match engine.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => break,
                    }
                }
            })
            .context("cannot start the epoch thread")?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread only sleeps and adds; it has no way to fail.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::{Instance, Module, Store};

    #[test]
    fn a_limit_is_rounded_up_to_whole_ticks() {
        for (limit, want) in [(0, 1), (1, 1), (10, 1), (11, 2), (100, 10)] {
            assert_eq!(ticks(Duration::from_millis(limit)), want, "{limit} ms");
        }
    }

    #[test]
    fn a_loop_is_stopped_when_its_ticks_are_used_up() {
        let engine = build().unwrap();
        let _ticker = Ticker::start(&engine).unwrap();
        let spin = wat::parse_str(r#"(module (func (export "spin") (loop br 0)))"#).unwrap();
        let module = Module::new(&engine, spin).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(2);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let spin = instance
            .get_typed_func::<(), ()>(&mut store, "spin")
            .unwrap();
        let stopped = spin.call(&mut store, ()).unwrap_err();
        assert_eq!(stopped.downcast_ref(), Some(&wasmtime::Trap::Interrupt));
    }
}
