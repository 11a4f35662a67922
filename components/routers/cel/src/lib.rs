//! `router-cel`: rules in CEL, as a component without any capability. What it does is in the
//! crate `chatly-rules`.

wit_bindgen::generate!({ path: "../../../wit", world: "router", generate_all });

use chatly_rules::StoredRule;
use exports::chatly::router::router::{
    Decision, Defect, Explanation, Guest, Outcome, Rule, Verdict,
};

struct Router;

impl Guest for Router {
    fn check(rules: Vec<Rule>) -> Vec<Defect> {
        let rules: Vec<StoredRule> = rules.into_iter().map(stored).collect();
        let defects = chatly_rules::check(&rules).into_iter();
        defects
            .map(|defect| Defect {
                rule_id: defect.rule_id,
                line: defect.line,
                column: defect.column,
                reason: defect.reason,
            })
            .collect()
    }

    fn route(rules: Vec<Rule>, facts: String) -> Outcome {
        let rules: Vec<StoredRule> = rules.into_iter().map(stored).collect();
        let outcome = chatly_rules::route(&rules, &facts);
        let decisions = outcome.decisions.into_iter().map(|decision| Decision {
            rule_id: decision.rule_id,
            action: decision.action,
        });
        let explanations = outcome.explanations.into_iter().map(|entry| Explanation {
            rule_id: entry.rule_id,
            verdict: verdict(entry.verdict),
            reason: entry.reason,
        });
        Outcome {
            decisions: decisions.collect(),
            explanations: explanations.collect(),
        }
    }
}

fn stored(rule: Rule) -> StoredRule {
    StoredRule {
        id: rule.id,
        name: rule.name,
        priority: rule.priority,
        condition: rule.condition,
        actions: rule.actions,
        stop: rule.stop,
        strategy: rule.strategy,
    }
}

fn verdict(verdict: chatly_rules::Verdict) -> Verdict {
    match verdict {
        chatly_rules::Verdict::Matched => Verdict::Matched,
        chatly_rules::Verdict::NotMatched => Verdict::NotMatched,
        chatly_rules::Verdict::Failed => Verdict::Failed,
        chatly_rules::Verdict::Skipped => Verdict::Skipped,
    }
}

export!(Router);
