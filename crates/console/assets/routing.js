// Why a message went where it went: which rules were tried, which matched, and what followed.

import { byId, chip, el, group, replace } from "./dom.js";
import { clock, plain } from "./words.js";

const PHASES = { received: "When it came in", enriched: "After enrichment", sending: "When it was sent" };
const VERDICTS = { matched: "good", failed: "bad" };

/** The runs of the rules over a message, oldest first; none as long as it is not routed. */
const runs = (explanation) => (Array.isArray(explanation) ? explanation : []);
const tried = (explanation) => runs(explanation).flatMap((each) => each.rules ?? []);

/** `2 of 3 rules matched`. */
export function summary(explanation) {
  const rules = tried(explanation);
  const count = (list) => new Set(list.map((rule) => rule.rule_id)).size;
  const all = count(rules);
  if (!all) return "no rules";
  const matched = count(rules.filter((rule) => rule.verdict === "matched"));
  return `${matched} of ${all} ${all === 1 ? "rule" : "rules"} matched`;
}

/** Shows the routing of a message, or none. */
export function show(row) {
  const place = byId("routing");
  if (!row) return replace(place);
  const all = runs(row.explanation);
  const text = row.message?.text ?? plain(row.message?.type);
  replace(
    place,
    group(
      "Routing",
      el("p", { class: "hint about" }, `${clock(row.sent_at)} `, el("a", { href: `#m-${row.id}`, "data-message": row.id }, text || "this message")),
      all.length ? all.map(run) : el("p", { class: "hint" }, "Not routed yet."),
    ),
  );
}

function run({ phase, rules = [], actions = [], error }) {
  const of = (rule) => actions.filter((each) => each.rule_id === rule.rule_id);
  const others = actions.filter((each) => !rules.some((rule) => rule.rule_id === each.rule_id));
  return el(
    "div",
    { class: "run" },
    el("h4", {}, PHASES[phase] ?? plain(phase)),
    error && el("p", { class: "error" }, error),
    !rules.length && el("p", { class: "hint" }, "No rule was tried."),
    el("ol", { class: "rules" }, rules.map((rule) => tell(rule, of(rule)))),
    others.map(follow),
  );
}

function tell(rule, actions) {
  const { name, rule_id: id, verdict, reason } = rule;
  return el(
    "li",
    { "data-verdict": verdict },
    el("span", { class: "line" }, el("span", { class: "name", title: id }, name || id), chip(plain(verdict), VERDICTS[verdict])),
    reason && el("code", {}, reason),
    actions.map(follow),
  );
}

/** What an action was, and what came of it. */
function follow({ action, outcome }) {
  const { do: verb, ...rest } = action && typeof action === "object" ? action : { do: action };
  const values = Object.values(rest).flat().map((value) => (value && typeof value === "object" ? JSON.stringify(value) : String(value)));
  return el("span", { class: "follows" }, "→ ", [plain(verb), ...values].join(" "), outcome && el("span", { class: "hint" }, ` · ${outcome}`));
}
