// How promising a contact is: the scores, the four sides of BANT, what speaks for each, and how it
// came to be.

import { get, part } from "./api.js";
import { chip, el, group } from "./dom.js";
import { brief, exact, plain } from "./words.js";

const STAGE_TONES = { qualified: "good", customer: "good", disqualified: "bad", engaged: "accent" };
const SIDES = ["budget", "authority", "need", "timing"];
const MOST_HISTORY = 10;

/** What a contact's lead was before, newest first; null where the server keeps none. */
export async function history(contactId) {
  try {
    const rows = (await get(`/v1/contacts/${part(contactId)}/lead-history`)).data ?? [];
    return [...rows].sort((a, b) => b.at - a.at).slice(0, MOST_HISTORY);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** The part of the card about the lead; `rows` are the messages of the thread, as evidence. */
export function lead(found, rows, past) {
  if (!found) return group("Lead", el("p", { class: "hint" }, "No score yet."));
  return group(
    "Lead",
    el(
      "div",
      { class: "lead" },
      el("p", { class: "score", id: "score", "data-score": found.score }, el("strong", {}, found.score), el("span", { class: "hint" }, "of 100")),
      el("div", { class: "scales" }, scale("Fit", found.fit), scale("Engagement", found.engagement)),
      found.stage && chip(plain(found.stage), STAGE_TONES[found.stage], "Stage"),
    ),
    reasons(found.reasons, rows),
    found.bant && el("div", { class: "sides", role: "group", "aria-label": "Budget, authority, need, timing" }, SIDES.map((name) => side(name, found.bant[name], rows))),
    past?.length ? changes(past, rows) : null,
  );
}

function scale(name, value) {
  return el("label", { class: "scale" }, el("span", {}, name), el("meter", { min: 0, max: 100, value: Number(value) || 0 }, value), el("span", { class: "number" }, value));
}

/** One side, which unfolds to what speaks for it. */
function side(name, factor, rows) {
  const title = name[0].toUpperCase() + name.slice(1);
  if (!factor?.reasons?.length) {
    return el("p", { class: "scale", "data-side": name }, el("span", {}, title), el("span", { class: "hint" }, "nothing known"), el("span", { class: "number" }, factor?.score ?? "–"));
  }
  return el(
    "details",
    { class: "side", "data-side": name, "data-keep": `side ${name}` },
    el("summary", { class: "scale" }, el("span", {}, title), el("meter", { min: 0, max: 100, value: Number(factor.score) || 0, "aria-hidden": "true" }), el("span", { class: "number" }, factor.score)),
    reasons(factor.reasons, rows),
  );
}

function reasons(list, rows) {
  return list?.length ? el("ul", { class: "reasons" }, list.map(({ text, message_id: id }) => el("li", {}, evidence(id, text, rows)))) : null;
}

/** Words that lead to their message when it is in the thread. */
function evidence(id, text, rows) {
  const row = id && rows.find((each) => each.id === id || each.message?.id === id);
  return row ? el("a", { href: `#m-${row.id}`, "data-message": row.id }, text) : text;
}

function changes(past, rows) {
  return el(
    "details",
    { class: "past", "data-keep": "lead history" },
    el("summary", {}, "How it came to be"),
    el(
      "ol",
      {},
      past.map((each) =>
        el(
          "li",
          { class: "line" },
          el("time", { class: "hint", title: exact(each.at), datetime: new Date(each.at).toISOString() }, brief(each.at)),
          el("span", {}, evidence(each.message_id, `${each.score} of 100`, rows)),
          el("span", { class: "hint", title: `Fit ${each.fit}, engagement ${each.engagement}` }, `${each.fit} / ${each.engagement}`),
          each.stage && chip(plain(each.stage), STAGE_TONES[each.stage], "Stage"),
        ),
      ),
    ),
  );
}
