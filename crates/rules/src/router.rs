//! `check` and `route`: the contract of `chatly:router`, in plain Rust.
//!
//! 1. Neither fails as a whole, whatever the rules and facts hold.
//! 2. Rules are tried by priority, lower first; those of one priority in the order given.
//! 3. One run takes [`MAX_RUN_COST`] steps at most: rules past it fail with that reason.

use cel::Context;
use serde_json::Value;

use crate::action::{self, Action};
use crate::condition::{Answer, Condition, cached};
use crate::strategy::Strategy;
use crate::{facts, functions};

/// Most rules of one run.
pub const MAX_RULES: usize = 1000;

/// Most steps of one run, counted at each rule's bound: forty rules at the limit, or a thousand of
/// everyday size.
pub const MAX_RUN_COST: u64 = 10_000_000;

/// A rule as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredRule {
    /// Names it in defects, explanations and decisions.
    pub id: String,
    /// For people.
    pub name: String,
    /// Lower runs first.
    pub priority: i32,
    /// CEL.
    pub condition: String,
    /// A JSON array.
    pub actions: String,
    /// No later rule is tried when this one matched.
    pub stop: bool,
    /// How it answers a burst, as [`Strategy`] reads it.
    pub strategy: String,
}

/// Where a rule is wrong. `line` and `column` count from 1, in characters of the condition; both
/// are 0 where something else than the condition is wrong, which the reason names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// Which rule.
    pub rule_id: String,
    /// Line in the condition, or 0.
    pub line: u32,
    /// Column in the condition, or 0.
    pub column: u32,
    /// For people.
    pub reason: String,
}

/// What came of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The condition holds.
    Matched,
    /// It does not.
    NotMatched,
    /// It could not be evaluated for these facts; counts as not matched.
    Failed,
    /// An earlier rule stopped the run.
    Skipped,
}

/// What was tried, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Which rule.
    pub rule_id: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// One action to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Who asked for it.
    pub rule_id: String,
    /// JSON, as [`crate::Action::decide`] gives it.
    pub action: String,
}

/// What follows from some facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// In the order to carry out.
    pub decisions: Vec<Decision>,
    /// One entry a rule, in the order of trial.
    pub explanations: Vec<Explanation>,
}

/// Checks rules before they are stored. Empty: all are sound.
pub fn check(rules: &[StoredRule]) -> Vec<Defect> {
    let mut defects = Vec::new();
    if rules.len() > MAX_RULES {
        let rule_id = rules
            .get(MAX_RULES)
            .map(|rule| rule.id.clone())
            .unwrap_or_default();
        let reason = format!("{} rules; {MAX_RULES} are allowed", rules.len());
        defects.push(beside_condition(&rule_id, reason));
    }
    for rule in rules.iter().take(MAX_RULES) {
        if let Err(flaw) = Condition::new(&rule.condition) {
            defects.push(Defect {
                rule_id: rule.id.clone(),
                line: flaw.line,
                column: flaw.column,
                reason: flaw.reason,
            });
        }
        if let Err(error) = action::read_all(&rule.actions) {
            defects.push(beside_condition(&rule.id, error.to_string()));
        }
        if let Err(error) = rule.strategy.parse::<Strategy>() {
            defects.push(beside_condition(&rule.id, format!("strategy: {error}")));
        }
    }
    defects
}

fn beside_condition(rule_id: &str, reason: String) -> Defect {
    Defect {
        rule_id: rule_id.to_owned(),
        line: 0,
        column: 0,
        reason,
    }
}

/// Runs `rules` over `facts`, a JSON object.
pub fn route(rules: &[StoredRule], facts: &str) -> Outcome {
    let mut ordered: Vec<&StoredRule> = rules.iter().collect();
    ordered.sort_by_key(|rule| rule.priority);
    let json = facts;
    let facts = match facts::read(json) {
        Ok(facts) => facts,
        Err(error) => return all_failed(&ordered, &error.to_string()),
    };
    let mut context = Context::with_env(functions::environment());
    for (name, value) in facts {
        context.add_variable_from_value(name, value);
    }
    let mut run = Run {
        context,
        json,
        facts: None,
        outcome: Outcome::default(),
        cost: 0,
        stopped_by: None,
    };
    for (index, rule) in ordered.into_iter().enumerate() {
        let (verdict, reason) = run.try_rule(index, rule);
        run.outcome.explanations.push(Explanation {
            rule_id: rule.id.clone(),
            verdict,
            reason,
        });
    }
    run.outcome
}

fn all_failed(rules: &[&StoredRule], reason: &str) -> Outcome {
    let explanations = rules.iter().map(|rule| Explanation {
        rule_id: rule.id.clone(),
        verdict: Verdict::Failed,
        reason: reason.to_owned(),
    });
    Outcome {
        decisions: Vec::new(),
        explanations: explanations.collect(),
    }
}

/// Why a reply is not given. What it would say may be known in a later run.
const NO_TEXT: &str = "its reply has no text: every fact in it is empty";

struct Run<'a> {
    context: Context<'a, 'a>,
    json: &'a str,
    /// Parsed when the first rule matches.
    facts: Option<Value>,
    outcome: Outcome,
    cost: u64,
    stopped_by: Option<String>,
}

impl Run<'_> {
    fn try_rule(&mut self, index: usize, rule: &StoredRule) -> (Verdict, String) {
        if let Some(name) = &self.stopped_by {
            return (Verdict::Skipped, format!("rule \"{name}\" stopped the run"));
        }
        if index >= MAX_RULES {
            return (Verdict::Failed, format!("past the first {MAX_RULES} rules"));
        }
        let parsed = cached(&rule.condition);
        let condition = match parsed.as_ref() {
            Ok(condition) => condition,
            Err(flaw) => return (Verdict::Failed, flaw.to_string()),
        };
        self.cost = self.cost.saturating_add(condition.cost);
        if self.cost > MAX_RUN_COST {
            let reason = "the rules before it may take all the time that one run has";
            return (Verdict::Failed, reason.to_owned());
        }
        match condition.evaluate(&self.context) {
            Answer::Fails(reason) => (Verdict::NotMatched, reason),
            Answer::Error(reason) => (Verdict::Failed, reason),
            Answer::Holds => self.matched(rule),
        }
    }

    fn matched(&mut self, rule: &StoredRule) -> (Verdict, String) {
        let actions = match action::read_all(&rule.actions) {
            Ok(actions) => actions,
            Err(error) => return (Verdict::Failed, error.to_string()),
        };
        let strategy: Strategy = match rule.strategy.parse() {
            Ok(strategy) => strategy,
            Err(error) => return (Verdict::Failed, format!("strategy: {error}")),
        };
        let facts = self
            .facts
            .get_or_insert_with(|| serde_json::from_str(self.json).unwrap_or_default());
        let carried: Vec<&Action> = actions
            .iter()
            .filter(|action| !action.is_empty_reply(facts))
            .collect();
        // Not matched, so that the rule can still act when a later run knows what it wants to say.
        if carried.is_empty() && !actions.is_empty() {
            return (Verdict::NotMatched, NO_TEXT.to_owned());
        }
        let kinds: Vec<&str> = carried.iter().map(|action| action.kind()).collect();
        let mut reason = match kinds.as_slice() {
            [] => "no action".to_owned(),
            kinds => kinds.join(", "),
        };
        if carried.len() < actions.len() {
            reason.push_str("; ");
            reason.push_str(NO_TEXT);
        }
        for action in carried {
            self.outcome.decisions.push(Decision {
                rule_id: rule.id.clone(),
                action: action.decide(facts, strategy).to_string(),
            });
        }
        if rule.stop {
            self.stopped_by = Some(rule.name.clone());
            reason.push_str("; stops the run");
        }
        (Verdict::Matched, reason)
    }
}
