// The answer below a conversation: what is written, and that it is sent once.
//
// What is written stays with its conversation until it was taken. Its Idempotency-Key stays with it
// too: whoever sends it again, because no answer came or by a double click, sends it once.

import { ApiError, part, post } from "./api.js";
import { CHANNELS } from "./channels.js";
import { announce, byId, el, replace } from "./dom.js";
import { channelName } from "./words.js";

const TYPES = { text: "text", media: "file", template: "template", buttons: "text with buttons" };
const FIELDS = ["type", "text", "kind", "url", "caption", "name", "language", "components"];
/** Where a channel names no limit. */
const MOST_BUTTONS = 10;

const empty = () => ({ type: "text", text: "", kind: "image", url: "", caption: "", name: "", language: "", components: "", buttons: ["", ""], key: "", keyed: "" });

/** What was written, by conversation. */
let drafts = new Map();
let open = null;
let row = null;
let sending = new Set();
let onSent = () => {};

const form = () => byId("compose");
const draft = () => {
  if (!drafts.has(open)) drafts.set(open, empty());
  return drafts.get(open);
};

/** Sets the form up; `sent(conversation, row)` hears of each message that was stored. */
export function setUp(sent) {
  onSent = sent;
  form().addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  form().addEventListener("input", keep);
  form().addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  });
  byId("compose-type").addEventListener("change", () => {
    draw();
    first()?.focus();
  });
  byId("compose-add").addEventListener("click", () => {
    draft().buttons.push("");
    drawButtons();
    byId("compose-buttons").lastElementChild.focus();
  });
}

/** Shows the form for another conversation, or not at all. */
export function show(id) {
  open = id;
  row = null;
  form().hidden = !id;
  say({});
  if (id) restore();
}

/** Says what the conversation is; its channel decides what can be sent. */
export function know(conversation) {
  if (!conversation || conversation.id !== open) return;
  row = conversation;
  draw();
}

/** Puts a text into the answer, after what is written there, for somebody to send; whether it could. */
export function use(text) {
  if (!open || !isSent("text")) return false;
  const written = draft();
  if (!["text", "buttons"].includes(written.type)) written.type = "text";
  written.text = [written.text.trimEnd(), text].filter(Boolean).join("\n");
  restore();
  say({});
  const box = byId("compose-text");
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
  return true;
}

/** Forgets everything that was written. */
export function clear() {
  drafts = new Map();
  sending = new Set();
  show(null);
}

const channel = () => CHANNELS[row?.channel];
/** Until the channel is known, everything can be. */
const isSent = (type) => !channel() || channel().sends.includes(type);

function keep() {
  const written = draft();
  for (const name of FIELDS) written[name] = form().elements[name].value;
  written.buttons = [...byId("compose-buttons").querySelectorAll("input")].map((input) => input.value);
  say({});
}

function restore() {
  const written = draft();
  draw();
  for (const name of FIELDS) form().elements[name].value = written[name];
}

/** The types that the channel takes, and the fields of the one that is chosen. */
function draw() {
  const written = draft();
  const types = Object.keys(TYPES).filter(isSent);
  const place = byId("compose-type");
  if (place.dataset.types !== types.join()) {
    place.dataset.types = types.join();
    replace(place, types.map((type) => el("option", { value: type }, TYPES[type])));
  }
  if (types.length && !types.includes(written.type)) written.type = types[0];
  place.value = written.type;
  for (const field of form().querySelectorAll("[data-for]")) field.hidden = !field.dataset.for.split(" ").includes(written.type);
  byId("compose-window").textContent = windowWords();
  byId("compose-send").disabled = types.length === 0;
  drawButtons();
}

const mostButtons = () => channel()?.buttons ?? MOST_BUTTONS;

function drawButtons() {
  const { buttons } = draft();
  const place = byId("compose-buttons");
  const longest = channel()?.button_title;
  const drawn = [...place.querySelectorAll("input")];
  if (drawn.length !== buttons.length) {
    replace(place, buttons.map((_, at) => el("input", { "aria-label": `Title of button ${at + 1}`, autocomplete: "off", dir: "auto" })));
  }
  for (const [at, input] of [...place.querySelectorAll("input")].entries()) {
    if (input.value !== buttons[at]) input.value = buttons[at];
    input.placeholder = longest ? `Button ${at + 1}, up to ${longest} characters` : `Button ${at + 1}`;
  }
  byId("compose-add").hidden = buttons.length >= mostButtons();
}

/** What the platform lets us write now, as far as it is known. */
function windowWords() {
  if (!row) return "";
  const name = channelName(row.channel);
  if (channel()?.sends.length === 0) return `${name} takes no messages.`;
  const secs = channel()?.window_secs;
  if (!secs || (row.last_inbound_at && Date.now() - row.last_inbound_at < secs * 1000)) return "";
  const past = row.last_inbound_at ? `More than ${Math.round(secs / 3600)} hours since the customer wrote` : "The customer has not written yet";
  return { template: `${past}: ${name} takes templates only.`, refuse: `${past}: ${name} takes nothing.` }[channel().after] ?? `${past}.`;
}

const first = () => form().querySelector("[data-for]:not([hidden]) :is(textarea, select, input)");

/** Shows what is wrong, by field; no field's name means the form. */
function say(words) {
  for (const place of form().querySelectorAll(".error")) {
    const name = place.id.slice("compose-".length).replace(/-?error$/, "");
    place.textContent = words[name] ?? "";
    const field = form().elements[name];
    if (!field) continue;
    if (words[name]) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

/** The message of a draft, or what it lacks by field. */
function read(written) {
  const need = (...names) => Object.fromEntries(names.filter((name) => !written[name].trim()).map((name) => [name, WANTED[name]]));
  if (written.type === "text") return [need("text"), { type: "text", text: written.text }];
  if (written.type === "media") {
    const { kind, url, caption } = written;
    return [need("url"), { type: "media", media: { kind, url: url.trim(), ...(caption && { caption }) } }];
  }
  if (written.type === "buttons") {
    const titles = written.buttons.map((title) => title.trim()).filter(Boolean);
    const wrong = need("text");
    if (!titles.length) wrong.buttons = "Name a button at least.";
    return [wrong, { type: "buttons", text: written.text, buttons: titles.map((title, at) => ({ id: String(at + 1), title })) }];
  }
  const wrong = need("name", "language");
  const template = { name: written.name.trim(), language: written.language.trim() };
  try {
    if (written.components.trim()) template.components = JSON.parse(written.components);
  } catch (error) {
    wrong.components = `The components are not JSON: ${error.message}.`;
  }
  return [wrong, { type: "template", template }];
}

const WANTED = {
  text: "Write a text first.",
  url: "Write the address of the file.",
  name: "Write the name of the template, as the platform approved it.",
  language: "Write the language of the template.",
};

async function send() {
  const id = open;
  if (!id || sending.has(id) || byId("compose-send").disabled) return;
  keep();
  const written = draft();
  const [wrong, message] = read(written);
  const [field] = Object.keys(wrong);
  if (field) {
    say(wrong);
    (form().elements[field] ?? byId("compose-buttons").querySelector("input")).focus();
    return;
  }
  const body = JSON.stringify(message);
  if (written.keyed !== body) Object.assign(written, { keyed: body, key: freshKey() });
  sending.add(id);
  form().setAttribute("aria-busy", "true");
  try {
    const stored = await post(`/v1/conversations/${part(id)}/messages`, message, { "idempotency-key": written.key });
    // What was written meanwhile stays.
    if (JSON.stringify(read(written)[1]) === body) drafts.set(id, { ...empty(), type: written.type });
    else Object.assign(written, { key: "", keyed: "" });
    if (open === id) restore();
    onSent(id, stored);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (open === id) say({ "": error.message });
    announce(error.message);
  } finally {
    sending.delete(id);
    form().removeAttribute("aria-busy");
  }
}

/** Random, also where the page is not served by HTTPS. */
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
