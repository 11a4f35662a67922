//! What rules would do with a message, without doing it: for comparing two sets of rules.
//!
//! 1. Both runs over a message count, as [`crate::Plan`] takes them: a rule that acted in the first
//!    does not act in the second, nor does one that another stopped there.
//! 2. Two sets differ for a message when their actions do, in order and by run. Which rule asks for
//!    an action does not matter: a rule may be renamed, or split in two.
//! 3. What keeps a reply back (a person's turn, silence, bursts) is left out, because it speaks for
//!    or against both sets alike.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::explanation::{Phase, Tried, Verdict};
use crate::plan::Decision;

/// One run of a set of rules over a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Which run.
    pub phase: Phase,
    /// In the order of trial.
    pub tried: Vec<Tried>,
    /// In the order to carry out.
    pub decisions: Vec<Decision>,
}

/// An action that would be carried out.
#[derive(Debug, Clone, Serialize)]
pub struct Act {
    /// In which run.
    pub phase: Phase,
    /// The rule that asks for it.
    pub rule_id: String,
    /// Its name, for people.
    pub rule_name: String,
    /// `{"do": …}`, as the router gives it.
    pub action: Box<RawValue>,
}

impl Act {
    fn does_the_same_as(&self, other: &Act) -> bool {
        self.phase == other.phase && self.action.get() == other.action.get()
    }
}

/// What would be carried out in these runs over one message, which are in order.
pub fn acts(runs: &[Ran]) -> Vec<Act> {
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    let mut acts = Vec::new();
    for run in runs {
        let free = run
            .decisions
            .iter()
            .filter(|decision| !settled.contains(decision.rule_id.as_str()));
        acts.extend(free.map(|decision| {
            Act {
                phase: run.phase,
                rule_id: decision.rule_id.clone(),
                rule_name: name_of(&run.tried, &decision.rule_id),
                action: RawValue::from_string(decision.action.clone())
                    .unwrap_or_else(|_| RawValue::NULL.to_owned()),
            }
        }));
        let over = run
            .tried
            .iter()
            .filter(|tried| matches!(tried.verdict, Verdict::Matched | Verdict::Skipped));
        settled.extend(over.map(|tried| tried.rule_id.as_str()));
    }
    acts
}

/// Whether two sets of rules do the same with a message.
pub fn same(before: &[Act], after: &[Act]) -> bool {
    before.len() == after.len()
        && before
            .iter()
            .zip(after)
            .all(|(before, after)| before.does_the_same_as(after))
}

fn name_of(tried: &[Tried], id: &str) -> String {
    let tried = tried.iter().find(|tried| tried.rule_id == id);
    tried.map(|tried| tried.name.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A run of rules that are named by their ids: `+a` matched and tags with its id, `!a` matched
    /// and tags with `x`, `-a` not matched, `~a` skipped.
    fn ran(phase: Phase, rules: &str) -> Ran {
        let mut run = Ran {
            phase,
            tried: vec![],
            decisions: vec![],
        };
        for word in rules.split_whitespace() {
            let (verdict, id) = word.split_at(1);
            run.tried.push(Tried {
                rule_id: id.into(),
                name: format!("rule {id}"),
                verdict: match verdict {
                    "-" => Verdict::NotMatched,
                    "~" => Verdict::Skipped,
                    _ => Verdict::Matched,
                },
                reason: String::new(),
            });
            let tag = match verdict {
                "+" => id,
                "!" => "x",
                _ => continue,
            };
            run.decisions.push(Decision {
                rule_id: id.into(),
                action: format!(r#"{{"do":"tag","tags":["{tag}"]}}"#),
            });
        }
        run
    }

    fn both(received: &str, enriched: &str) -> Vec<Act> {
        let runs = [
            ran(Phase::Received, received),
            ran(Phase::Enriched, enriched),
        ];
        acts(&runs)
    }

    #[test]
    fn what_a_run_settled_is_not_done_in_the_next() {
        for (received, enriched, want) in [
            ("+a -b", "+a +b", "received a, enriched b"),
            ("-a", "+a", "enriched a"),
            ("+a ~b", "-a +b", "received a"),
            ("-a -b", "-a -b", ""),
            ("+a +b", "+b +a", "received a, received b"),
        ] {
            let acts = both(received, enriched);
            let got: Vec<_> = acts
                .iter()
                .map(|act| {
                    assert_eq!(act.rule_name, format!("rule {}", act.rule_id));
                    let phase = serde_json::to_value(act.phase).unwrap();
                    format!("{} {}", phase.as_str().unwrap(), act.rule_id)
                })
                .collect();
            assert_eq!(got.join(", "), want, "{received} | {enriched}");
        }
    }

    #[test]
    fn sets_differ_by_what_is_done_in_which_run_and_order() {
        for (name, before, after, want) in [
            ("nothing", ("-a", "-a"), ("-b", ""), true),
            ("the same", ("+a +b", ""), ("+a +b", ""), true),
            ("renamed", ("!a", ""), ("!b", ""), true),
            ("another action", ("+a", ""), ("+b", ""), false),
            ("one more", ("+a", ""), ("+a !b", ""), false),
            ("other order", ("+a +b", ""), ("+b +a", ""), false),
            ("later", ("!a", ""), ("-a", "!a"), false),
        ] {
            let (before, after) = (both(before.0, before.1), both(after.0, after.1));
            assert_eq!(same(&before, &after), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_set_does_what_it_does(received in "([+!~-][a-e] ){0,6}", enriched in "([+!~-][a-e] ){0,6}") {
            let acts = both(&received, &enriched);
            prop_assert!(same(&acts, &both(&received, &enriched)));
            prop_assert!(acts.is_empty() || !same(&acts, &[]));
        }
    }
}
