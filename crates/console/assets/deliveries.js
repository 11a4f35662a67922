// What was sent to others because of this conversation: one line per try.

import { get } from "./api.js";
import { byId, chip, el, group, replace } from "./dom.js";
import { clock, exact } from "./words.js";

const LIMIT = 50;
let wanted = null;
let drawn = "";

/** Shows the calls of a conversation. */
export async function show(conversationId) {
  const place = byId("deliveries");
  if (wanted !== conversationId) {
    drawn = "";
    replace(place);
  }
  wanted = conversationId;
  if (!conversationId) return;
  let calls;
  try {
    calls = (await get("/v1/external-calls", { conversation_id: conversationId, limit: LIMIT })).data;
  } catch (error) {
    drawn = "";
    if (wanted === conversationId) replace(place, group("Deliveries", el("p", { class: "error" }, error.message)));
    return;
  }
  const text = JSON.stringify(calls);
  if (wanted !== conversationId || text === drawn) return;
  drawn = text;
  replace(
    place,
    group(
      "Deliveries",
      calls.length ? el("ul", { class: "calls" }, calls.map(line)) : el("p", { class: "hint" }, "Nothing was sent anywhere."),
      calls.length === LIMIT && el("p", { class: "hint" }, `The last ${LIMIT} are shown.`),
    ),
  );
}

function line(call) {
  const good = call.status >= 200 && call.status < 300;
  return el(
    "li",
    { "data-status": call.status ?? "none" },
    el("span", { class: "line" }, el("span", { class: "target", title: call.target }, call.target), chip(call.status ?? "no answer", good ? "good" : "bad")),
    el("span", { class: "hint" }, `${call.kind} · attempt ${call.attempt} · ${call.millis} ms · `, el("time", { title: exact(call.at) }, clock(call.at))),
    call.error && el("span", { class: "error" }, call.error),
  );
}
