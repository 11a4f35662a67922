//! A plugin in a box: no import but types, bounded time, memory and, where asked for, instructions.

use std::time::Duration;

use chatly_canonical::{Convert, Event};
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{Delivery, Description, Refusal, RenderError, Reply, Response, Verdict};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, ResourceLimiter, Store, Trap};

use crate::bindings::Channel;
use crate::bindings::exports::chatly::channel::channel as wit;

/// A pure function over at most a few MiB takes milliseconds; what takes this long loops. It is
/// counted in ticks, so that a busy machine's thread cannot make it shorter.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How often time is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Linear memory: some eighty times the largest delivery.
const MEMORY_LIMIT_BYTES: usize = 256 << 20;

/// Why a plugin gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are something else.
    #[error("it is no WebAssembly component: {0}")]
    NotComponent(String),
    /// It wants what no plugin gets, or does not export what a plugin does.
    #[error("it is no channel plugin that imports types only: {0}")]
    NotChannel(String),
    /// It looped, or was about to.
    #[error("the plugin was stopped: it ran longer than {0} s")]
    Time(u64),
    /// The same, counted in instructions, which no busy machine changes.
    #[error("the plugin was stopped: one call took more than {0} million instructions")]
    Instructions(u64),
    /// It wanted more memory than it gets.
    #[error("the plugin was stopped: it wanted more than {0} MiB of memory")]
    Memory(usize),
    /// It gave up.
    #[error("the plugin was stopped: {0}")]
    Trap(String),
}

/// What a plugin's calls give.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Refuses memory above the limit, and remembers that.
#[derive(Debug, Default)]
struct Memory {
    was_refused: bool,
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let is_allowed = desired <= MEMORY_LIMIT_BYTES;
        self.was_refused |= !is_allowed;
        Ok(is_allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 1 << 20)
    }
}

struct Instance {
    store: Store<Memory>,
    channel: Channel,
}

/// A compiled plugin. One instance serves all calls; after a trap the next call gets a new one.
pub struct Plugin {
    engine: Engine,
    component: Component,
    instance: Option<Instance>,
    time_limit: Duration,
    /// Instructions of one call: so many, and so many more a byte of its input.
    instructions: Option<(u64, u64)>,
}

impl Plugin {
    /// Compiles a component. Each call may take ten seconds and 256 MiB.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        Self::with(bytes, TIME_LIMIT, None)
    }

    /// The same, where each call may also take so many instructions, and so many more a byte of its
    /// input: what decides is the plugin, not how busy the machine is.
    pub fn counted(bytes: &[u8], base: u64, per_byte: u64) -> Result<Self> {
        // Time stays as the fence for what instructions do not count, as copying memory.
        Self::with(bytes, TIME_LIMIT * 6, Some((base, per_byte)))
    }

    fn with(bytes: &[u8], time_limit: Duration, instructions: Option<(u64, u64)>) -> Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        config.consume_fuel(instructions.is_some());
        let wrong = |error: wasmtime::Error| Error::NotComponent(format!("{error:#}"));
        let engine = Engine::new(&config).map_err(wrong)?;
        let component = Component::new(&engine, bytes).map_err(wrong)?;
        tick(&engine);
        Ok(Plugin {
            engine,
            component,
            instance: None,
            time_limit,
            instructions,
        })
    }

    /// What it imports besides types, by name.
    pub fn imports(&self) -> Vec<String> {
        let engine = &self.engine;
        let ty = self.component.component_type();
        let is_types = |item: &ComponentItem| match item {
            ComponentItem::Type(_) => true,
            ComponentItem::ComponentInstance(instance) => instance
                .exports(engine)
                .all(|(_, item)| matches!(item.ty, ComponentItem::Type(_))),
            _ => false,
        };
        ty.imports(engine)
            .filter(|(_, item)| !is_types(&item.ty))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// Makes the next call start with a new instance.
    pub fn forget(&mut self) {
        self.instance = None;
    }

    fn instantiate(&self) -> Result<Instance> {
        let mut store = Store::new(&self.engine, Memory::default());
        store.limiter(|memory| memory);
        self.grant(&mut store, 0)?;
        let linker = Linker::<Memory>::new(&self.engine);
        let instance = linker
            .instantiate(&mut store, &self.component)
            .map_err(|error| self.explain_start(&error, &store))?;
        let channel = Channel::new(&mut store, &instance)
            .map_err(|error| self.explain_start(&error, &store))?;
        Ok(Instance { store, channel })
    }

    fn explain_start(&self, error: &wasmtime::Error, store: &Store<Memory>) -> Error {
        if error.is::<Trap>() || store.data().was_refused {
            self.explain(error, store, 0)
        } else {
            Error::NotChannel(format!("{error:#}"))
        }
    }

    /// Winds up time and instructions for one call.
    fn grant(&self, store: &mut Store<Memory>, input_bytes: usize) -> Result<()> {
        // One more, because the first tick may come at once.
        let ticks = self.time_limit.as_millis().div_ceil(TICK.as_millis()) + 1;
        store.set_epoch_deadline(u64::try_from(ticks).unwrap_or(u64::MAX));
        match self.budget(input_bytes) {
            Some(budget) => store
                .set_fuel(budget)
                .map_err(|error| Error::Trap(error.to_string())),
            None => Ok(()),
        }
    }

    fn budget(&self, input_bytes: usize) -> Option<u64> {
        let (base, per_byte) = self.instructions?;
        Some(base.saturating_add(per_byte.saturating_mul(input_bytes as u64)))
    }

    /// Says what stopped a plugin, in words for who wrote it.
    fn explain(&self, error: &wasmtime::Error, store: &Store<Memory>, input_bytes: usize) -> Error {
        if store.data().was_refused {
            return Error::Memory(MEMORY_LIMIT_BYTES >> 20);
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => Error::Time(self.time_limit.as_secs()),
            Some(Trap::OutOfFuel) => {
                Error::Instructions(self.budget(input_bytes).unwrap_or_default() / 1_000_000)
            }
            Some(trap) => Error::Trap(trap.to_string()),
            None => Error::Trap(format!("{error:#}")),
        }
    }

    fn call<T>(
        &mut self,
        input_bytes: usize,
        run: impl FnOnce(&mut Store<Memory>, &wit::Guest) -> wasmtime::Result<T>,
    ) -> Result<T> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.instantiate()?,
        };
        self.grant(&mut instance.store, input_bytes)?;
        let Instance { store, channel } = &mut instance;
        match run(store, channel.chatly_channel_channel()) {
            Ok(answer) => {
                self.instance = Some(instance);
                Ok(answer)
            }
            Err(error) => Err(self.explain(&error, &instance.store, input_bytes)),
        }
    }

    /// The platform's facts.
    pub fn describe(&mut self) -> Result<Description> {
        self.call(0, |store, guest| guest.call_describe(store))
            .map(Convert::convert)
    }

    /// Whether a delivery is genuine. `now` in Unix seconds.
    pub fn verify(
        &mut self,
        delivery: &Delivery,
        secrets: &[String],
        now: u64,
    ) -> Result<Result<(), Refusal>> {
        let size = size(delivery);
        let delivery = delivery.clone().convert();
        self.call(size, |store, guest| {
            guest.call_verify(store, &delivery, secrets, now)
        })
        .map(|verdict| verdict.map_err(Convert::convert))
    }

    /// The answer to a delivery that only checks the webhook.
    pub fn handshake(
        &mut self,
        delivery: &Delivery,
        verify_tokens: &[String],
        secrets: &[String],
        now: u64,
    ) -> Result<Option<Reply>> {
        let size = size(delivery);
        let delivery = delivery.clone().convert();
        self.call(size, |store, guest| {
            guest.call_handshake(store, &delivery, verify_tokens, secrets, now)
        })
        .map(Convert::convert)
    }

    /// The events of a delivery.
    pub fn parse(&mut self, delivery: &Delivery, account: Option<&str>) -> Result<Vec<Event>> {
        let size = size(delivery);
        let delivery = delivery.clone().convert();
        self.call(size, |store, guest| {
            guest.call_parse(store, &delivery, account)
        })
        .map(Convert::convert)
    }

    /// What a stored delivery is answered with.
    pub fn acknowledge(&mut self, delivery: &Delivery) -> Result<Reply> {
        let size = size(delivery);
        let delivery = delivery.clone().convert();
        self.call(size, |store, guest| {
            guest.call_acknowledge(store, &delivery)
        })
        .map(Convert::convert)
    }

    /// The requests that send a message.
    pub fn render(
        &mut self,
        from: &Sender,
        message: &Message,
    ) -> Result<Result<Vec<Request>, RenderError>> {
        let size = format!("{message:?}").len();
        let (from, message) = (from.clone().convert(), message.clone().convert());
        self.call(size, |store, guest| {
            guest.call_render(store, &from, &message)
        })
        .map(|requests| requests.map(Convert::convert).map_err(Convert::convert))
    }

    /// What a platform's answer to a send means.
    pub fn classify(&mut self, response: &Response) -> Result<Verdict> {
        let size = response.body.len();
        let response = response.clone().convert();
        self.call(size, |store, guest| guest.call_classify(store, &response))
            .map(Convert::convert)
    }
}

fn size(delivery: &Delivery) -> usize {
    let headers = delivery
        .headers
        .iter()
        .map(|header| header.name.len() + header.value.len());
    delivery.body.len() + delivery.url.len() + headers.sum::<usize>()
}

/// Lets time pass for an engine, until it is gone.
fn tick(engine: &Engine) {
    let engine = engine.weak();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else {
                return;
            };
            engine.increment_epoch();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(component: &str, time_limit: Duration, instructions: Option<(u64, u64)>) -> String {
        let bytes = wat::parse_str(component).unwrap();
        let described =
            Plugin::with(&bytes, time_limit, instructions).and_then(|mut plugin| plugin.describe());
        described.unwrap_err().to_string()
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
                "the plugin was stopped: it wanted more than 256 MiB of memory",
            ),
        ] {
            let error = stopped(component, TIME_LIMIT, None);
            assert!(error.starts_with(want), "{name}: {error}");
        }
    }

    #[test]
    fn imports_are_named_but_for_types() {
        let bytes = wat::parse_str(
            r#"(component
                (import "a:b/types" (instance (type (record (field "c" u8))) (export "d" (type (eq 0)))))
                (import "wasi:cli/environment@0.2.0" (instance (export "get" (func)))))"#,
        )
        .unwrap();
        let plugin = Plugin::new(&bytes).unwrap();
        assert_eq!(plugin.imports(), ["wasi:cli/environment@0.2.0"]);
    }

    #[test]
    fn a_plugin_that_loops_is_stopped() {
        let component = "(component (core module $m (func $f (loop br 0)) (start $f)) (core instance (instantiate $m)))";
        for (time_limit, instructions, want) in [
            (Duration::from_millis(1), None, "it ran longer than 0 s"),
            (
                TIME_LIMIT,
                Some((3_000_000, 1)),
                "one call took more than 3 million instructions",
            ),
        ] {
            let error = stopped(component, time_limit, instructions);
            assert_eq!(error, format!("the plugin was stopped: {want}"));
        }
    }
}
