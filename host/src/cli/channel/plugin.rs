//! One channel plugin, alone: no import but types, bounded time and memory.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store, StoreLimits, StoreLimitsBuilder, Trap};

use self::bindings::Channel;
use self::bindings::chatly::types::outbound::{Message, Request, Sender};
use self::bindings::chatly::types::types::{Delivery, Event, Reply};
use self::bindings::exports::chatly::channel::channel as wit;
use super::Outcome;
use super::documents::{Handshake, refusal};

/// The types and calls of the world `channel` in `wit/`.
pub(super) mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "channel" });
}

chatly_canonical::wit_conversions!(self::bindings::chatly::types::types);

/// A pure function over at most a few MiB takes milliseconds; what takes this long loops.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Linear memory: some eighty times the largest delivery.
const MEMORY_LIMIT_BYTES: usize = 256 << 20;

/// An instance of a plugin.
pub(super) struct Plugin {
    store: Store<StoreLimits>,
    channel: Channel,
}

impl Plugin {
    /// Compiles and instantiates the component in the file `path`.
    pub(super) fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| {
            format!(
                "{} cannot be read; run `chatly build` first",
                path.display()
            )
        })?;
        Self::new(&bytes, TIME_LIMIT).with_context(|| format!("{} cannot be run", path.display()))
    }

    fn new(bytes: &[u8], time_limit: Duration) -> Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, bytes)
            .map_err(|error| anyhow!("it is no WebAssembly component: {error:#}"))?;
        let limits = StoreLimitsBuilder::new()
            .memory_size(MEMORY_LIMIT_BYTES)
            .build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        store.set_epoch_deadline(1);
        // Ends with the process, which lives for one call.
        std::thread::spawn(move || {
            std::thread::sleep(time_limit);
            engine.increment_epoch();
        });
        let linker = Linker::new(store.engine());
        let instance = linker
            .instantiate(&mut store, &component)
            .map_err(explain)?;
        let channel = Channel::new(&mut store, &instance).map_err(explain)?;
        Ok(Self { store, channel })
    }

    fn exports(&mut self) -> (&mut Store<StoreLimits>, &wit::Guest) {
        (&mut self.store, self.channel.chatly_channel_channel())
    }

    pub(super) fn describe(&mut self) -> Result<wit::Description> {
        let (store, guest) = self.exports();
        guest.call_describe(store).map_err(explain)
    }

    pub(super) fn verify(
        &mut self,
        delivery: &Delivery,
        secrets: &[String],
        now: u64,
    ) -> Result<Outcome> {
        let (store, guest) = self.exports();
        let result = guest
            .call_verify(store, delivery, secrets, now)
            .map_err(explain)?;
        Ok(match result {
            Ok(()) => Outcome::Done,
            Err(reason) => Outcome::Refused(refusal(&reason)),
        })
    }

    pub(super) fn handshake(&mut self, document: &Handshake) -> Result<Option<Reply>> {
        let (store, guest) = self.exports();
        let Handshake { verification, .. } = document;
        let delivery = verification.delivery()?;
        let tokens = document.tokens();
        guest
            .call_handshake(
                store,
                &delivery,
                &tokens,
                &verification.secrets,
                verification.now(),
            )
            .map_err(explain)
    }

    pub(super) fn parse(
        &mut self,
        delivery: &Delivery,
        account: Option<&str>,
    ) -> Result<Vec<Event>> {
        let (store, guest) = self.exports();
        guest.call_parse(store, delivery, account).map_err(explain)
    }

    pub(super) fn render(
        &mut self,
        from: &Sender,
        message: &Message,
    ) -> Result<Result<Vec<Request>, wit::RenderError>> {
        let (store, guest) = self.exports();
        guest.call_render(store, from, message).map_err(explain)
    }

    pub(super) fn classify(&mut self, response: &wit::Response) -> Result<wit::Verdict> {
        let (store, guest) = self.exports();
        guest.call_classify(store, response).map_err(explain)
    }
}

/// Says what stopped a plugin, in words for who wrote it.
fn explain(error: wasmtime::Error) -> anyhow::Error {
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => {
            anyhow!(
                "the plugin was stopped: it ran longer than {} s",
                TIME_LIMIT.as_secs()
            )
        }
        Some(trap) => anyhow!("the plugin was stopped: {trap}"),
        None => anyhow!("it is no channel plugin that imports types only: {error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(component: &str, time_limit: Duration) -> String {
        let bytes = wat::parse_str(component).unwrap();
        match Plugin::new(&bytes, time_limit) {
            Ok(_) => panic!("must be refused"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_no_pure_plugin_is_refused() {
        for (name, component, want) in [
            (
                "a core module",
                "(module)",
                "it is no WebAssembly component: ",
            ),
            (
                "no exports",
                "(component)",
                "it is no channel plugin that imports types only: ",
            ),
            (
                "a capability",
                r#"(component (import "wasi:cli/environment@0.2.0" (instance
                     (export "get-environment" (func (result (list (tuple string string))))))))"#,
                "it is no channel plugin that imports types only: component imports instance `wasi:cli/environment@0.2.0`",
            ),
            (
                "a trap",
                "(component (core module $m (func $f unreachable) (start $f)) (core instance (instantiate $m)))",
                "the plugin was stopped: wasm trap: wasm `unreachable` instruction executed",
            ),
            (
                "more memory than allowed",
                "(component (core module $m (memory 4097)) (core instance (instantiate $m)))",
                "it is no channel plugin that imports types only: memory minimum size of 4097 pages exceeds memory limits",
            ),
        ] {
            let error = refused(component, TIME_LIMIT);
            assert!(error.starts_with(want), "{name}: {error}");
        }
    }

    #[test]
    fn a_plugin_that_loops_is_stopped() {
        let component = "(component (core module $m (func $f (loop br 0)) (start $f)) (core instance (instantiate $m)))";
        let error = refused(component, Duration::from_millis(1));
        assert_eq!(error, "the plugin was stopped: it ran longer than 10 s");
    }
}
