//! What every channel plugin promises, tried on one of them.
//!
//! 1. One [`Check`] a promise, each with a reason when it is broken. A plugin that imports more than
//!    types is not even started.
//! 2. Nothing is random: the same plugin and cases give the same report anywhere. A call is bounded by
//!    instructions, not by time, so a busy machine fails nobody.
//! 3. Golden deliveries are those of the channels that come with the program, signed by the simulator,
//!    or a folder of somebody's own: see [`Cases`].

mod bodies;
mod cases;
mod description;
mod hostile;
mod mutations;
mod siblings;

use std::fmt;

use serde_json::{Value, json};

pub use self::cases::Cases;
use self::cases::Golden;
use crate::plugin::{Error, Plugin};

/// Instructions of one call: some ten times of what our channels take for their worst input.
const BASE_INSTRUCTIONS: u64 = 100_000_000;
/// The same, a byte of input.
const INSTRUCTIONS_PER_BYTE: u64 = 5_000;

/// One promise, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The promise, as `refuses a changed body`.
    pub name: &'static str,
    /// What was tried, or why it is broken.
    pub outcome: Result<String, String>,
}

/// All checks of one plugin, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Those that could be made.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether no promise was broken.
    pub fn is_passed(&self) -> bool {
        self.checks.iter().all(|check| check.outcome.is_ok())
    }

    /// `{"passed","checks":[{"name","ok","detail" or "reason"}]}`.
    pub fn to_json(&self) -> Value {
        let check = |check: &Check| match &check.outcome {
            Ok(detail) => json!({ "name": check.name, "ok": true, "detail": detail }),
            Err(reason) => json!({ "name": check.name, "ok": false, "reason": reason }),
        };
        let checks: Vec<_> = self.checks.iter().map(check).collect();
        json!({ "passed": self.is_passed(), "checks": checks })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, outcome } in &self.checks {
            match outcome {
                Ok(detail) => writeln!(f, "ok {name} ({detail})")?,
                Err(reason) => writeln!(f, "FAILED {name}: {reason}")?,
            }
        }
        Ok(())
    }
}

/// What a check gives: what was tried, or why the promise is broken.
type Outcome = Result<String, String>;

/// A plugin under check, and its golden deliveries.
struct Subject {
    plugin: Plugin,
    golden: Vec<Golden>,
}

/// Holds a component against every promise.
pub fn run(bytes: &[u8], cases: &Cases) -> Report {
    let mut checks = Vec::new();
    let mut record = |name, outcome: Outcome| {
        let is_ok = outcome.is_ok();
        checks.push(Check { name, outcome });
        is_ok
    };
    let plugin = Plugin::counted(bytes, BASE_INSTRUCTIONS, INSTRUCTIONS_PER_BYTE);
    let pure = plugin.map_err(|error| error.to_string()).and_then(pure);
    let (mut plugin, outcome) = match pure {
        Ok(plugin) => (Some(plugin), Ok("types only".to_owned())),
        Err(reason) => (None, Err(reason)),
    };
    record("imports nothing but types", outcome);
    let described = plugin.as_mut().map(description::check);
    let golden = match described {
        Some(Ok(description)) => {
            record(
                "describes itself soundly",
                Ok(format!(
                    "{}, {} kinds",
                    description.name,
                    description.kinds.len()
                )),
            );
            cases.golden(&description.name)
        }
        Some(Err(reason)) => {
            record("describes itself soundly", Err(reason));
            return Report { checks };
        }
        None => return Report { checks },
    };
    let golden = match golden {
        Ok(golden) => golden,
        Err(reason) => {
            record("accepts what is genuine", Err(reason));
            return Report { checks };
        }
    };
    if let Some(plugin) = plugin {
        let mut subject = Subject { plugin, golden };
        for (name, check) in CHECKS {
            record(name, check(&mut subject));
        }
    }
    Report { checks }
}

/// Tries one promise.
type Try = fn(&mut Subject) -> Outcome;

/// What is tried after a plugin's start, in order.
const CHECKS: [(&str, Try); 12] = [
    ("accepts what is genuine", mutations::accepts),
    ("refuses a delivery without its proof", mutations::missing),
    ("refuses a proof that is cut or changed", mutations::proofs),
    ("refuses a changed body", mutations::bodies),
    ("refuses blank and other secrets", mutations::secrets),
    ("refuses a stale time", mutations::times),
    ("gives the golden events", siblings::golden),
    ("never drops a sibling", siblings::batches),
    ("is deterministic", siblings::twice),
    ("bears hostile bodies", hostile::bodies),
    ("bears hostile answers", hostile::answers),
    ("bears hostile messages", hostile::messages),
];

fn pure(plugin: Plugin) -> Result<Plugin, String> {
    let imports = plugin.imports();
    match imports.as_slice() {
        [] => Ok(plugin),
        imports => Err(format!("it imports {}", imports.join(", "))),
    }
}

/// A plugin's failure during `what`.
fn failed(what: &str) -> impl Fn(Error) -> String {
    let what = what.to_owned();
    move |error| format!("{what}: {error}")
}
