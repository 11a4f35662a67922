//! The candidate: read, checked as when it is saved, and its own tests run.

use std::time::{Duration, Instant};

use chatly_api::{Candidate, Defect, Error, Failure, Offer, Tests};
use chatly_rules::file::Contents;
use chatly_rules::{Decision, Explanation, Outcome, StoredRule, Verdict};

use spin_sdk::wit_bindgen::yield_async;

use crate::bindings::chatly::router::router;

/// After this no further test is begun: the messages need time, too.
const BUDGET: Duration = Duration::from_secs(3);

/// A set of rules that is sound.
pub struct Sound {
    /// The enabled ones, in the order of trial.
    pub rules: Vec<router::Rule>,
    /// What its own tests say.
    pub tests: Tests,
}

/// Reads a body.
pub async fn read(body: &[u8], tenant: &str) -> Result<Sound, Error> {
    match Candidate::parse(body, tenant)? {
        Offer::Rules(bodies) => {
            let all = bodies.into_iter().enumerate().map(|(index, body)| {
                let rule = router::Rule {
                    id: body.id.unwrap_or_else(|| numbered(index)),
                    name: body.name,
                    priority: body.priority,
                    condition: body.when,
                    actions: body.then.get().to_owned(),
                    stop: body.stop,
                    strategy: body.strategy,
                };
                (body.enabled, rule)
            });
            Ok(Sound {
                rules: checked(all.collect())?,
                tests: Tests::default(),
            })
        }
        Offer::File(text) => {
            let contents = chatly_rules::read_file("file", &text).map_err(unsound)?;
            let all = contents.rules.iter().enumerate().map(|(index, rule)| {
                let id = rule.id.clone().unwrap_or_else(|| numbered(index));
                (rule.enabled, asked(rule.stored(&id)))
            });
            let rules = checked(all.collect())?;
            let tests = tests(&contents).await;
            Ok(Sound { rules, tests })
        }
    }
}

/// The enabled ones of rules that the router finds sound, all of them.
fn checked(all: Vec<(bool, router::Rule)>) -> Result<Vec<router::Rule>, Error> {
    let (enabled, rules): (Vec<bool>, Vec<router::Rule>) = all.into_iter().unzip();
    let defects = router::check(&rules);
    if !defects.is_empty() {
        let defects = defects.into_iter().map(|defect| Defect {
            rule_id: defect.rule_id,
            line: defect.line,
            column: defect.column,
            reason: defect.reason,
        });
        return Err(Error::Unsound(defects.collect()));
    }
    let rules = rules.into_iter().zip(enabled);
    Ok(rules
        .filter_map(|(rule, enabled)| enabled.then_some(rule))
        .collect())
}

/// The defects of a file: `line` is the file's, and what a rule is called stands for its id.
fn unsound(defects: Vec<chatly_rules::file::Defect>) -> Error {
    let defects = defects.into_iter().map(|defect| Defect {
        rule_id: defect.rule.unwrap_or_default(),
        line: u32::try_from(defect.line).unwrap_or(u32::MAX),
        column: 0,
        reason: defect.reason,
    });
    Error::Unsound(defects.collect())
}

/// A rule without an id is called by its place.
fn numbered(index: usize) -> String {
    format!("#{}", index + 1)
}

/// Runs the file's own tests, one after the other: between two the host may see that this is no loop.
/// Those that there is no time for are counted.
async fn tests(contents: &Contents) -> Tests {
    let (mut tests, begun) = (Tests::default(), Instant::now());
    for (done, test) in contents.tests.iter().enumerate() {
        if begun.elapsed() >= BUDGET {
            tests.not_run = contents.tests.len() - done;
            break;
        }
        yield_async().await;
        let failures = test.run_by(&contents.rules, by_plugin);
        if failures.is_empty() {
            tests.passed += 1;
            continue;
        }
        tests.failed += 1;
        tests.failures.push(Failure {
            name: test.name.clone(),
            line: test.line,
            failures,
        });
    }
    tests
}

/// The router that this component is composed with.
fn by_plugin(rules: &[StoredRule], facts: &str) -> Outcome {
    let rules: Vec<router::Rule> = rules.iter().cloned().map(asked).collect();
    let outcome = router::route(&rules, facts);
    let decisions = outcome.decisions.into_iter().map(|decision| Decision {
        rule_id: decision.rule_id,
        action: decision.action,
    });
    let explanations = outcome.explanations.into_iter().map(|entry| Explanation {
        rule_id: entry.rule_id,
        verdict: match entry.verdict {
            router::Verdict::Matched => Verdict::Matched,
            router::Verdict::NotMatched => Verdict::NotMatched,
            router::Verdict::Failed => Verdict::Failed,
            router::Verdict::Skipped => Verdict::Skipped,
        },
        reason: entry.reason,
    });
    Outcome {
        decisions: decisions.collect(),
        explanations: explanations.collect(),
    }
}

fn asked(rule: StoredRule) -> router::Rule {
    router::Rule {
        id: rule.id,
        name: rule.name,
        priority: rule.priority,
        condition: rule.condition,
        actions: rule.actions,
        stop: rule.stop,
        strategy: rule.strategy,
    }
}
