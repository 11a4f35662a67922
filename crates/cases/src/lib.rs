//! Golden cases of channels, and what must hold for each of them in every disguise.
//!
//! 1. A case is a file `tests/cases/<channel>/<name>.json`: a body as the platform's documentation
//!    shows it, and the canonical events that it means. `BLESS=1` rewrites the events; read the
//!    difference before committing it.
//! 2. [`Suite::run`] checks that each case gives its events, twice; that each kind that the channel
//!    describes has a case; and that the events stay the same in a batch with strangers, with
//!    timestamps in another type or unit, and with fields that nobody knows; form bodies with such
//!    fields and in reverse order.
//!
//! 3. [`Genuine`] checks a signature scheme: what is genuine is accepted, and nothing else.
//! 4. [`hostile()`] checks what becomes of bodies that no platform sends, [`multiplied()`] of those whose
//!    events would be far larger than they are.
//!
//! 5. [`Caller`] sends what a channel renders to its simulated platform; [`answers`] is what must hold
//!    for what it makes of the answers; [`content`] has what is sent.
//!
//! For tests only.
#![deny(missing_docs)]

pub mod answers;
mod caller;
mod case;
pub mod content;
mod disguise;
mod genuine;
mod hostile;
mod multiplied;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use chatly_channel::{Channel, Delivery};
use serde_json::Value;

pub use caller::{Caller, post};
pub use case::{Case, load};
use disguise::{comparable, forms, retyped, with_unknown_fields};
pub use genuine::Genuine;
pub use hostile::hostile;
pub use multiplied::multiplied;

/// How many items a batch has at least.
const BATCH: usize = 100;

/// What the suite must know of a channel besides its plugin.
pub struct Suite {
    /// Folder below `tests/cases`, the channel's name.
    pub channel: &'static str,
    /// Puts the items of several bodies into one, in order; none where the platform sends one item
    /// a delivery.
    pub join: Option<fn(&[Value]) -> Value>,
    /// A body with an item of an unknown kind and one with a malformed item, where items can be
    /// siblings. Each must give exactly one `unknown` event or one of an unsupported message.
    pub strangers: Vec<Value>,
    /// Names of members that hold timestamps.
    pub timestamps: &'static [&'static str],
}

/// The folder of all cases.
pub fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "cases"]
        .iter()
        .collect()
}

impl Suite {
    /// Runs everything; the error names case and disguise.
    pub fn run<C: Channel>(&self) -> Result<()> {
        let mut cases = load(&folder().join(self.channel))?;
        if std::env::var_os("BLESS").is_some() {
            cases = cases
                .into_iter()
                .map(Case::bless::<C>)
                .collect::<Result<_>>()?;
        }
        ensure!(!cases.is_empty(), "{} has no cases", self.channel);
        for case in &cases {
            let name = &case.name;
            case.check::<C>()
                .with_context(|| format!("case {name}, as it is"))?;
            for (disguise, body) in self.disguises(case) {
                let events = parse::<C>(case, body.clone().into_bytes());
                ensure!(
                    comparable(&events) == comparable(&case.events),
                    "case {name}, {disguise}: {body}\ngives {}\nnot {}",
                    lines(&events),
                    lines(&case.events)
                );
            }
        }
        self.check_kinds::<C>(&cases)?;
        self.check_batch::<C>(&cases)
    }

    /// The body of a case in other words that mean the same.
    fn disguises(&self, case: &Case) -> Vec<(&'static str, String)> {
        if let Some(form) = case.form() {
            return forms(form).into();
        }
        let Some(body) = case.body() else {
            return Vec::new();
        };
        let unknown = ("unknown fields", with_unknown_fields(&body));
        retyped(&body, self.timestamps)
            .into_iter()
            .chain([unknown])
            .map(|(name, body)| (name, body.to_string()))
            .collect()
    }

    /// Each kind of `describe` has a case.
    fn check_kinds<C: Channel>(&self, cases: &[Case]) -> Result<()> {
        let shown: BTreeSet<&str> = cases
            .iter()
            .flat_map(|case| &case.events)
            .filter_map(|event| event.get("kind")?.as_str())
            .collect();
        let described = C::describe().kinds;
        for kind in &described {
            ensure!(
                shown.contains(kind.as_str()),
                "no case shows the kind {kind}"
            );
        }
        for kind in shown {
            ensure!(
                described.iter().any(|known| known == kind),
                "the kind {kind} of a case is not described"
            );
        }
        Ok(())
    }

    /// All cases over and over in one body, strangers between them.
    fn check_batch<C: Channel>(&self, cases: &[Case]) -> Result<()> {
        let Some(join) = self.join else {
            return Ok(());
        };
        let joinable: Vec<_> = cases
            .iter()
            .filter(|case| case.account.is_none() && !case.alone)
            .filter_map(|case| Some((case, case.body()?)))
            .collect();
        ensure!(!joinable.is_empty(), "no case can be joined");
        let (mut bodies, mut want) = (Vec::new(), Vec::new());
        for (n, (case, body)) in joinable
            .iter()
            .cycle()
            .take(BATCH.max(joinable.len()))
            .enumerate()
        {
            bodies.push(body.clone());
            want.extend(comparable(&case.events));
            if n % 10 == 0
                && let Some(stranger) = self.strangers.get(n / 10 % self.strangers.len().max(1))
            {
                bodies.push(stranger.clone());
                want.push(Value::Null);
            }
        }
        let body = join(&bodies);
        let case = joinable.first().context("a case")?.0;
        let mut given = comparable(&parse::<C>(case, body.to_string().into_bytes()));
        ensure!(
            given.len() == want.len(),
            "a batch of {} gives {} events, not {}",
            bodies.len(),
            given.len(),
            want.len()
        );
        for (at, (given, want)) in given.iter_mut().zip(&want).enumerate() {
            if want.is_null() {
                let kind = given.get("kind").and_then(Value::as_str);
                let message = given.pointer("/message/type").and_then(Value::as_str);
                ensure!(
                    kind == Some("unknown") || message == Some("unsupported"),
                    "event {at} of a batch should be a stranger: {given}"
                );
            } else {
                ensure!(given == want, "event {at} of a batch: {given}\nnot {want}");
            }
        }
        Ok(())
    }
}

/// The events of a case's delivery with another body, as JSON.
fn parse<C: Channel>(case: &Case, body: Vec<u8>) -> Vec<Value> {
    let delivery = Delivery {
        body,
        ..case.delivery()
    };
    case::to_json(&C::parse(&delivery, case.account.as_deref()))
}

fn lines(events: &[Value]) -> String {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    lines.join("\n")
}
