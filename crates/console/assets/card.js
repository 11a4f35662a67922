// The contact: who it is, and how promising.

import { get, part } from "./api.js";
import { byId, chip, el, group, replace } from "./dom.js";
import { enrichmentOf } from "./message.js";
import { channelName, exact, initials, plain, schemeName } from "./words.js";

const STAGE_TONES = { qualified: "good", customer: "good", disqualified: "bad", engaged: "accent" };
let wanted = null;
let asked = 0;
let answered = 0;
let contact = null;
let rows = [];

/** Shows a contact, or none. */
export async function show(id) {
  if (wanted !== id) {
    contact = null;
    rows = [];
  }
  wanted = id;
  if (!id) return replace(byId("card"));
  const turn = (asked += 1);
  try {
    const found = await get(`/v1/contacts/${part(id)}`);
    // An answer that a later one has overtaken is old.
    if (wanted !== id || turn < answered) return;
    answered = turn;
    contact = found;
    draw();
  } catch (error) {
    if (wanted === id) replace(byId("card"), group("Contact", el("p", { class: "error" }, error.message)));
  }
}

/** The messages of the thread, to say which one a reason comes from. */
export function know(messages) {
  rows = messages;
  if (contact) draw();
}

/** The contact's lead; as long as it has none, the newest one that a message gave. */
function leadOf() {
  return contact.lead ?? rows.map((row) => enrichmentOf(row)?.lead).filter(Boolean).at(-1) ?? null;
}

function draw() {
  const name = contact.name || "Without a name";
  replace(
    byId("card"),
    el(
      "div",
      { class: "person" },
      el("span", { class: "face", "aria-hidden": "true" }, initials(name)),
      el("div", { class: "who" }, el("h3", {}, name), el("p", { class: "hint" }, [contact.username && `@${contact.username}`, channelName(contact.channel), contact.platform_client_id].filter(Boolean).join(" · "))),
    ),
    contact.tags?.length ? el("p", { class: "chips" }, contact.tags.map((tag) => chip(tag, "accent"))) : null,
    lead(leadOf()),
    group(
      "Identities",
      el("dl", { class: "facts" }, (contact.identities ?? []).map(({ scheme, id }) => [el("dt", {}, schemeName(scheme)), el("dd", {}, id)]), el("dt", {}, "Since"), el("dd", {}, exact(contact.created_at))),
    ),
    attributes(contact.attributes),
  );
}

function attributes(values) {
  const entries = Object.entries(values ?? {});
  if (!entries.length) return null;
  return group("Attributes", el("dl", { class: "facts" }, entries.map(([key, value]) => [el("dt", {}, plain(key)), el("dd", {}, typeof value === "object" ? JSON.stringify(value) : value)])));
}

function lead(found) {
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
    found.reasons?.length ? el("ul", { class: "reasons" }, found.reasons.map(reason)) : null,
  );
}

function scale(name, value) {
  return el("label", { class: "scale" }, el("span", {}, name), el("meter", { min: 0, max: 100, value: Number(value) || 0 }, value), el("span", { class: "number" }, value));
}

/** A reason; when its message is in the thread, a link to it. */
function reason({ text, message_id: id }) {
  const row = id && rows.find((each) => each.id === id || each.message?.id === id);
  return el("li", {}, row ? el("a", { href: `#m-${row.id}`, "data-message": row.id }, text) : text);
}
