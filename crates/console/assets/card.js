// The contact: who it is, and how promising.

import { get, part } from "./api.js";
import { byId, chip, el, group, renew } from "./dom.js";
import { history, lead } from "./lead.js";
import { enrichmentOf } from "./message.js";
import { channelName, exact, initials, plain, schemeName } from "./words.js";

let wanted = null;
let asked = 0;
let answered = 0;
let contact = null;
/** What its lead was before. */
let past = null;
let rows = [];

/** Shows a contact, or none. */
export async function show(id) {
  if (wanted !== id) {
    contact = null;
    rows = [];
  }
  wanted = id;
  if (!id) return renew(byId("card"), "", () => []);
  const turn = (asked += 1);
  try {
    const [found, before] = await Promise.all([get(`/v1/contacts/${part(id)}`), history(id)]);
    // An answer that a later one has overtaken is old.
    if (wanted !== id || turn < answered) return;
    answered = turn;
    contact = found;
    past = before;
    draw();
  } catch (error) {
    if (wanted === id) renew(byId("card"), error.message, () => group("Contact", el("p", { class: "error" }, error.message)));
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
  const found = leadOf();
  const ids = rows.map((row) => [row.id, row.message?.id]);
  renew(byId("card"), JSON.stringify([contact, found, past, ids]), () => panel(found));
}

function panel(found) {
  const name = contact.name || "Without a name";
  return [
    el(
      "div",
      { class: "person" },
      el("span", { class: "face", "aria-hidden": "true" }, initials(name)),
      el("div", { class: "who" }, el("h3", {}, name), el("p", { class: "hint" }, [contact.username && `@${contact.username}`, channelName(contact.channel), contact.platform_client_id].filter(Boolean).join(" · "))),
    ),
    contact.tags?.length ? el("p", { class: "chips" }, contact.tags.map((tag) => chip(tag, "accent"))) : null,
    lead(found, rows, past),
    group(
      "Identities",
      el("dl", { class: "facts" }, (contact.identities ?? []).map(({ scheme, id }) => [el("dt", {}, schemeName(scheme)), el("dd", {}, id)]), el("dt", {}, "Since"), el("dd", {}, exact(contact.created_at))),
    ),
    attributes(contact.attributes),
  ];
}

function attributes(values) {
  const entries = Object.entries(values ?? {});
  if (!entries.length) return null;
  return group("Attributes", el("dl", { class: "facts" }, entries.map(([key, value]) => [el("dt", {}, plain(key)), el("dd", {}, typeof value === "object" ? JSON.stringify(value) : value)])));
}
