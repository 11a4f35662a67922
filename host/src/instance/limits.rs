//! What one instance may use, and the allocator's gate for its memory.
//!
//! A limit of the component wins over one of the application, which wins over the default.

use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::manifest;

/// Time from a request to the head of its response. Platforms give a webhook 5 to 30 s.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);
/// CPU time without yielding. Verify and parse of the largest delivery take under 50 ms.
pub const CPU_TIMEOUT: Duration = Duration::from_secs(1);
/// Work after the last response: a worker drains and sleeps, at most 30 s at a time.
pub const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(600);
/// Linear memory of one instance, all composed components together.
pub const MAX_MEMORY_MIB: u64 = 256;
/// Requests at once in one instance, until their response heads.
pub const MAX_CONCURRENCY: u32 = 128;
/// Elements of all tables of one instance: far above what compilers emit, 16 MiB of host memory at
/// most.
const MAX_TABLE_ELEMENTS: usize = 1 << 20;

/// The limits of one component, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time from a request to the head of its response.
    pub response_timeout: Duration,
    /// CPU time without yielding to the host.
    pub cpu_timeout: Duration,
    /// How long work may go on after the last response.
    pub background_timeout: Duration,
    /// Linear memory of one instance, in bytes.
    pub max_memory: usize,
    /// Requests at once in one instance.
    pub max_concurrency: usize,
}

impl Limits {
    /// Resolves a component's limits against the application's.
    pub fn resolve(component: &manifest::Limits, application: &manifest::Limits) -> Self {
        let mib = component
            .max_memory_mib
            .or(application.max_memory_mib)
            .unwrap_or(MAX_MEMORY_MIB);
        let at_once = component
            .max_concurrency
            .or(application.max_concurrency)
            .unwrap_or(MAX_CONCURRENCY);
        let pick = |own: Option<Duration>, shared: Option<Duration>, default| {
            own.or(shared).unwrap_or(default)
        };
        Self {
            response_timeout: pick(
                component.response_timeout,
                application.response_timeout,
                RESPONSE_TIMEOUT,
            ),
            cpu_timeout: pick(component.cpu_timeout, application.cpu_timeout, CPU_TIMEOUT),
            background_timeout: pick(
                component.background_timeout,
                application.background_timeout,
                BACKGROUND_TIMEOUT,
            ),
            max_memory: usize::try_from(mib.saturating_mul(1 << 20)).unwrap_or(usize::MAX),
            max_concurrency: usize::try_from(at_once.max(1)).unwrap_or(usize::MAX),
        }
    }
}

impl Limits {
    /// The same limits, with at most `bytes` of memory: `max_instance_memory` of the runtime config.
    #[must_use]
    pub fn within_memory(mut self, bytes: Option<u64>) -> Self {
        let most = bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        self.max_memory = self.max_memory.min(most.unwrap_or(usize::MAX));
        self
    }
}

/// Counts the linear memory and the tables of all the components in one instance together.
#[derive(Debug)]
pub struct MemoryGate {
    limit: usize,
    used: usize,
    elements: usize,
    refused: bool,
}

impl MemoryGate {
    /// A gate for `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            elements: 0,
            refused: false,
        }
    }

    /// Whether the guest was ever refused memory: explains the trap that usually follows.
    pub fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for MemoryGate {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.used.saturating_add(desired.saturating_sub(current));
        if total > self.limit {
            self.refused = true;
            return Ok(false);
        }
        self.used = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self
            .elements
            .saturating_add(desired.saturating_sub(current));
        if total > MAX_TABLE_ELEMENTS {
            self.refused = true;
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_wins_over_the_application_over_the_default() {
        let set = |memory, cpu_secs: Option<u64>| manifest::Limits {
            max_memory_mib: memory,
            cpu_timeout: cpu_secs.map(Duration::from_secs),
            ..manifest::Limits::default()
        };
        for (name, component, application, memory_mib, cpu_secs) in [
            ("defaults", set(None, None), set(None, None), 256, 1),
            (
                "application",
                set(None, None),
                set(Some(64), Some(3)),
                64,
                3,
            ),
            (
                "component",
                set(Some(32), Some(2)),
                set(Some(64), Some(3)),
                32,
                2,
            ),
            (
                "each by itself",
                set(Some(32), None),
                set(None, Some(3)),
                32,
                3,
            ),
        ] {
            let got = Limits::resolve(&component, &application);
            assert_eq!(got.max_memory, memory_mib << 20, "{name}");
            assert_eq!(got.cpu_timeout, Duration::from_secs(cpu_secs), "{name}");
            assert_eq!(got.response_timeout, RESPONSE_TIMEOUT, "{name}");
        }
    }

    #[test]
    fn memory_is_counted_over_all_memories_of_the_instance() {
        let mut gate = MemoryGate::new(100);
        assert!(gate.memory_growing(0, 60, None).unwrap());
        assert!(gate.memory_growing(0, 40, None).unwrap());
        assert!(!gate.refused());
        assert!(!gate.memory_growing(60, 61, None).unwrap());
        assert!(gate.refused());
        assert!(gate.memory_growing(40, 40, None).unwrap());
    }

    #[test]
    fn elements_are_counted_over_all_tables_of_the_instance() {
        let mut gate = MemoryGate::new(0);
        assert!(gate.table_growing(0, MAX_TABLE_ELEMENTS - 1, None).unwrap());
        assert!(gate.table_growing(0, 1, None).unwrap());
        assert!(!gate.refused());
        assert!(!gate.table_growing(1, 2, None).unwrap());
        assert!(gate.refused());
    }
}
