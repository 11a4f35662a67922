// What was understood of the newest message, by whom, and what may be answered.

import { ApiError, part, post } from "./api.js";
import { byId, chip, el, group, renew, toast } from "./dom.js";
import { ENTITY_MARKS, TONES, enrichmentOf } from "./message.js";
import { clock, languageName, percent, plain } from "./words.js";

/** Messages that the server does not read again. */
const once = new Set();
let row = null;
let failure = "";
let onUse = () => {};

/** `use(text)` puts a suggested answer into the form; it answers whether it is there now. */
export function setUp(use) {
  onUse = use;
}

/** The messages of the thread: the newest of a customer that was understood is shown. */
export function know(rows) {
  const inbound = rows.filter((each) => each.direction === "inbound" && !each.deleted_at);
  const newest = inbound.findLast(enrichmentOf) ?? null;
  if (newest?.id !== row?.id) failure = "";
  row = newest;
  draw();
}

function draw() {
  const found = row && enrichmentOf(row);
  const key = found ? JSON.stringify([row.id, row.message?.text, found, once.has(row.id), failure]) : "";
  renew(byId("insight"), key, () => (found ? panel(found) : []));
}

function panel(found) {
  const { language, sentiment, urgency, topics, intents, entities, summary, suggested_reply: reply, source } = found;
  return group(
    "Understanding",
    el("p", { class: "hint about" }, `${clock(row.sent_at)} `, el("a", { href: `#m-${row.id}`, "data-message": row.id, "data-keep": "message" }, row.message?.text || plain(row.message?.type) || "this message")),
    el(
      "dl",
      { class: "facts" },
      fact("Language", language && languageName(language)),
      fact("Intent", chips(intents, (each) => chip(`${plain(each.name)} ${percent(each.confidence)}`, "accent"))),
      fact("Sentiment", sentiment && chip(sentiment, TONES[sentiment])),
      fact("Urgency", urgency && chip(urgency, TONES[urgency])),
      fact("Topics", chips(topics, (each) => chip(each))),
      fact("Found", chips(entities, (each) => chip(`${ENTITY_MARKS[each.kind] ?? "•"} ${each.normalized ?? each.value}`, "neutral", `${plain(each.kind)}: ${each.value}`))),
      fact("By", source),
    ),
    summary && el("p", { class: "summary", dir: "auto" }, summary),
    reply && suggestion(reply),
    again(),
  );
}

const chips = (list, make) => (list?.length ? el("span", { class: "chips" }, list.map(make)) : null);
const fact = (name, value) => (value ? [el("dt", {}, name), el("dd", {}, value)] : null);

/** An answer that somebody may make theirs. Nothing sends it. */
function suggestion(text) {
  return el(
    "div",
    { class: "suggestion", role: "group", "aria-label": "Suggested answer" },
    el("p", { class: "text", dir: "auto" }, text),
    el("button", { type: "button", class: "sample", "data-keep": "use", onclick: () => onUse(text) && toast("It is in the answer below. Nothing was sent.") }, "Use"),
  );
}

function again() {
  if (once.has(row.id)) return el("p", { class: "hint" }, "This server does not read it again.");
  return el(
    "p",
    { class: "line" },
    el("button", { type: "button", class: "sample", "data-keep": "again", onclick: (event) => run(event.target) }, "Run again"),
    el("span", { class: "error", role: "alert" }, failure),
  );
}

async function run(button) {
  const { id } = row;
  button.disabled = true;
  let words = "";
  try {
    await post(`/v1/messages/${part(id)}/enrich`);
    toast("It is being read again.");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) once.add(id);
    else words = error.message;
  }
  button.disabled = false;
  if (row?.id !== id) return;
  failure = words;
  draw();
}
