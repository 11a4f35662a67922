// Why a message went where it went: which rules were tried, which matched, and what followed.

import { get } from "./api.js";
import { byId, chip, el, group, replace } from "./dom.js";
import { clock, exact, plain } from "./words.js";

const PHASES = { received: "When it came in", enriched: "After enrichment" };
const VERDICTS = { matched: "good", failed: "bad" };
const names = new Map();
let wanted = null;

/** One run of the rules, in one form whatever the explanation left out. */
function runs(explanation) {
  const list = Array.isArray(explanation) ? explanation : explanation?.phases ?? explanation?.runs ?? (explanation ? [explanation] : []);
  return list.filter((run) => run && typeof run === "object").map((run) => ({
    phase: run.phase ?? "",
    at: run.at ?? null,
    rules: run.rules ?? run.explanations ?? run.tried ?? [],
    decisions: run.decisions ?? run.actions ?? [],
    error: run.error ?? null,
  }));
}

const ruleId = (rule) => rule.rule_id ?? rule["rule-id"] ?? rule.rule ?? rule.id ?? "";
const ruleName = (rule) => rule.name ?? names.get(ruleId(rule)) ?? ruleId(rule);
const verdict = (rule) => plain(rule.verdict ?? "").replaceAll("-", " ");
const hasMatched = (rule) => rule.verdict === "matched";

/** `2 of 3 rules matched`. */
export function summary(explanation) {
  const tried = runs(explanation).flatMap((run) => run.rules);
  const matched = new Set(tried.filter(hasMatched).map(ruleId));
  const all = new Set(tried.map(ruleId));
  if (!all.size) return "no rules";
  return `${matched.size} of ${all.size} ${all.size === 1 ? "rule" : "rules"} matched`;
}

/** Shows the routing of a message, or none. */
export async function show(row) {
  wanted = row?.id ?? null;
  draw(row);
  const unknown = runs(row?.explanation).flatMap((run) => run.rules).some((rule) => !rule.name && !names.has(ruleId(rule)));
  if (!unknown) return;
  try {
    for (const rule of (await get("/v1/rules")).data) names.set(rule.id, rule.name);
    if (wanted === row.id) draw(row);
  } catch {
    // Without the names the ids are shown.
  }
}

function draw(row) {
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

function run({ phase, at, rules, decisions, error }) {
  const title = PHASES[phase] ?? plain(phase);
  return el(
    "div",
    { class: "run" },
    (title || at) && el("h4", { title: exact(at) }, title),
    error && el("p", { class: "error" }, typeof error === "string" ? error : JSON.stringify(error)),
    rules.length ? null : el("p", { class: "hint" }, "There was no rule to try."),
    el(
      "ol",
      { class: "rules" },
      rules.map((rule) =>
        el(
          "li",
          { "data-verdict": rule.verdict },
          el("span", { class: "line" }, el("span", { class: "name", title: ruleId(rule) }, ruleName(rule)), chip(verdict(rule), VERDICTS[rule.verdict])),
          rule.reason && el("code", {}, rule.reason),
          [...(rule.actions ?? []), ...decisions.filter((each) => ruleId(each) === ruleId(rule))].map((each) => el("span", { class: "follows" }, "→ ", action(each))),
        ),
      ),
    ),
    decisions.filter((each) => !rules.some((rule) => ruleId(rule) === ruleId(each))).map((each) => el("p", { class: "follows" }, "→ ", action(each))),
  );
}

/** `forward url=…` for what a rule asked for. */
function action(decision) {
  let asked = decision.action ?? decision;
  if (typeof asked === "string") {
    try {
      asked = JSON.parse(asked);
    } catch {
      return asked;
    }
  }
  if (asked === null || typeof asked !== "object") return String(asked);
  const { do: verb, rule_id: _rule, ...rest } = asked;
  const values = Object.entries(rest).map(([key, value]) => `${plain(key)} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return [plain(verb), ...values].filter(Boolean).join(" · ");
}
