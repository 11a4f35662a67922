// The conversation list: newest activity first, in that order also while messages come in.

import { get, part } from "./api.js";
import { byId, chip, el, replace } from "./dom.js";
import { brief, channelName, conversationName, exact, initials, plain } from "./words.js";

const PAGE = 50;
/** More changed conversations than this are not read one by one. */
const MANY = 10;
const rows = new Map();
const waiting = new Set();
let cursor = null;
let chosen = null;
let generation = 0;
let running = null;
let loading = Promise.resolve();

const filters = () => Object.fromEntries(new FormData(byId("filters")));

/** Sets the list up; moving in it and choosing go through the address. */
export function setUp() {
  byId("filters").addEventListener("change", () => load());
  byId("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  byId("list-more").addEventListener("click", () => loadPage(generation));
  byId("conversations").addEventListener("keydown", move);
}

/** Reads the first page anew. */
export async function load() {
  generation += 1;
  cursor = null;
  loading = loadPage(generation, true);
  await loading;
}

async function loadPage(wanted, anew = false) {
  let page;
  try {
    page = await get("/v1/conversations", { ...filters(), limit: PAGE, cursor });
  } catch (error) {
    if (wanted === generation) blank(error.message);
    return;
  }
  if (wanted !== generation) return;
  if (anew) rows.clear();
  for (const row of page.data) rows.set(row.id, row);
  cursor = page.next_cursor;
  draw();
}

/** Reads a conversation again; many at once become one reading of the first page. */
export function refresh(id) {
  waiting.add(id);
  running ??= work().finally(() => (running = null));
  return running;
}

async function work() {
  while (waiting.size) {
    if (waiting.size > MANY) {
      waiting.clear();
      await load();
    } else {
      const [id] = waiting;
      waiting.delete(id);
      await reread(id);
    }
  }
}

async function reread(id) {
  // A page that was asked for before the change would put the old row back.
  await loading;
  const wanted = generation;
  try {
    const row = await get(`/v1/conversations/${part(id)}`);
    // Another filter was set meanwhile: what it finds is being read.
    if (wanted !== generation) return;
    if (fits(row)) rows.set(id, row);
    else rows.delete(id);
  } catch (error) {
    // A conversation that was merged into another one is gone.
    if (error.status === 404) rows.delete(id);
  }
  draw();
}

/** Forgets everything. */
export function clear() {
  generation += 1;
  waiting.clear();
  rows.clear();
  cursor = null;
  choose(null);
}

/** The row of a conversation, as far as the list has it. */
export const find = (id) => rows.get(id);

/** Marks the conversation that is open. */
export function choose(id) {
  chosen = id;
  draw();
}

function fits(row) {
  const { status, platform_client_id: tenant } = filters();
  return (!status || row.status === status) && (!tenant || row.platform_client_id === tenant);
}

const activity = (row) => row.last_message_at ?? row.created_at ?? 0;
const sorted = () => [...rows.values()].sort((a, b) => activity(b) - activity(a) || (a.id < b.id ? 1 : -1));

function draw() {
  const place = byId("conversations");
  const focused = document.activeElement?.closest?.("#conversations [data-id]")?.dataset.id;
  const known = new Map([...place.children].map((item) => [item.dataset.id, item]));
  const items = sorted().map((row) => {
    const text = JSON.stringify([row, row.id === chosen]);
    const old = known.get(row.id);
    return old?.drawn === text ? old : Object.assign(item(row), { drawn: text });
  });
  place.replaceChildren(...items);
  const stop = items.find((each) => each.dataset.id === (focused ?? chosen)) ?? items[0];
  for (const each of items) each.firstChild.tabIndex = each === stop ? 0 : -1;
  if (focused) stop?.firstChild.focus({ preventScroll: true });
  byId("list-more").hidden = !cursor;
  const filtered = Object.values(filters()).some(Boolean);
  if (items.length) blank("");
  else blank(filtered ? "No conversation fits these filters." : "No conversation yet. Send a test message to see one.");
  const tenants = new Set([...rows.values()].map((row) => row.platform_client_id));
  replace(byId("tenants"), [...tenants].sort().map((tenant) => el("option", { value: tenant })));
}

function item(row) {
  const name = conversationName(row);
  const current = row.id === chosen;
  return el(
    "li",
    { "data-id": row.id },
    el(
      "a",
      { class: "row", href: `#/c/${part(row.id)}`, "aria-current": current ? "true" : null },
      el("span", { class: "face", "aria-hidden": "true" }, initials(name)),
      el(
        "span",
        { class: "what" },
        el("span", { class: "line" }, el("strong", {}, name), el("time", { title: exact(activity(row)) }, brief(activity(row)))),
        el("span", { class: "preview" }, row.preview || "No text"),
        el(
          "span",
          { class: "chips" },
          el("span", { class: "hint" }, channelName(row.channel)),
          row.status !== "open" && chip(plain(row.status)),
          ["high", "urgent"].includes(row.priority) && chip(row.priority, row.priority === "urgent" ? "bad" : "warn"),
          row.assignee && chip(`→ ${row.assignee}`),
          (row.tags ?? []).slice(0, 2).map((tag) => chip(tag, "accent")),
        ),
      ),
    ),
  );
}

function blank(text) {
  byId("list-blank").textContent = text;
  byId("list-blank").hidden = !text;
}

function move(event) {
  const links = [...byId("conversations").querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined || !links[to]) return;
  event.preventDefault();
  for (const link of links) link.tabIndex = link === links[to] ? 0 : -1;
  links[to].focus();
}
