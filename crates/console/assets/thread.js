// The messages of one conversation, by day: the newest ones, and earlier ones on demand.

import { get, part } from "./api.js";
import { announce, byId, el } from "./dom.js";
import { carry, steady } from "./media.js";
import { draw, enrichmentOf } from "./message.js";
import { channelName, conversationName, dayKey, dayName, plain } from "./words.js";

const PAGE = 200;
/** The cursor of the page with the newest messages. */
const NEWEST = null;

let open = null;
/** What is known of the conversation, by id of the message. */
let rows = new Map();
/** The cursor of the page that gave a message last. */
let pageOf = new Map();
/** The cursor of what is earlier than all that is known. */
let earlier = null;
/** The messages that changed and are to be read, and the conversation that they are read for. */
let wanted = new Set();
let reading = null;
let ready = false;
let loading = Promise.resolve();
let onWhy = () => {};
let onLoaded = () => {};

/** `why(row)` shows a message's routing; `loaded(rows)` hears of every new state of the thread. */
export function setUp(why, loaded) {
  onWhy = why;
  onLoaded = loaded;
  byId("thread-more").addEventListener("click", () => (loading = loadEarlier(open)));
  byId("thread-log").addEventListener("relink", (event) => refresh(event.target.closest("[data-key]")?.dataset.key));
  const scroll = byId("thread-scroll");
  let wasAtEnd = true;
  scroll.addEventListener("scroll", () => (wasAtEnd = isAtEnd()));
  // The form below takes more room or less: whoever is at the end stays there.
  new ResizeObserver(() => wasAtEnd && toEnd()).observe(scroll);
}

export const current = () => open;
export const messages = () => [...rows.values()].sort((a, b) => a.seq - b.seq);

/** Shows another conversation, or none. */
export async function show(id) {
  open = id;
  rows = new Map();
  pageOf = new Map();
  earlier = null;
  wanted = new Set();
  ready = false;
  byId("thread-log").replaceChildren();
  byId("thread-head").hidden = !id;
  blank(id ? "Loading…" : "Choose a conversation.");
  byId("thread-more").hidden = true;
  if (!id) return;
  loading = loadEarlier(id);
  await loading;
  if (open === id) toEnd();
}

const read = (id, cursor) => get(`/v1/conversations/${part(id)}/messages`, { order: "newest", limit: PAGE, cursor });

/** Reads the page before the earliest message; the first time, the newest page. What is seen stays where it is. */
async function loadEarlier(id) {
  const scroll = byId("thread-scroll");
  const button = byId("thread-more");
  button.disabled = true;
  try {
    const page = await read(id, earlier);
    if (open !== id) return;
    const fromEnd = scroll.scrollHeight - scroll.scrollTop;
    take(page, earlier);
    earlier = page.next_cursor;
    ready = true;
    redraw();
    scroll.scrollTop = scroll.scrollHeight - fromEnd;
  } catch (error) {
    if (open === id) blank(error.message);
  } finally {
    button.disabled = false;
  }
}

/** A message that was just stored is seen at once. */
export function put(id, row) {
  if (id !== open || !ready) return;
  // What was read before says more: it is newer.
  if (!rows.has(row.id)) take({ data: [row] }, NEWEST);
  redraw();
  toEnd();
}

function take(page, cursor) {
  for (const row of page.data) {
    rows.set(row.id, steady(rows.get(row.id), row));
    pageOf.set(row.id, cursor);
  }
}

/** Reads again what changed: the page of a known message, else what came after the last one. */
export async function refresh(messageId) {
  const id = open;
  // What is being read may have been asked for before the change.
  await loading;
  if (!id || id !== open || !ready) return;
  wanted.add(messageId);
  if (reading === id) return;
  reading = id;
  try {
    while (wanted.size && open === id) {
      const ids = [...wanted];
      wanted = new Set();
      for (const cursor of new Set(ids.map((each) => pageOf.get(each) ?? NEWEST))) await reread(id, cursor, ids);
    }
  } finally {
    if (reading === id) reading = null;
  }
}

/**
 * Reads a page again, and on from there until nothing is missing between what was known and what is
 * new, and each of `ids` that this page gave before is read: new messages have moved it.
 */
async function reread(id, cursor, ids) {
  const known = new Set(rows.keys());
  const missing = new Set(ids.filter((each) => known.has(each) && pageOf.get(each) === cursor));
  let joined = false;
  for (let next = cursor; ; ) {
    let page;
    try {
      page = await read(id, next);
    } catch (error) {
      if (error.status === 404 && open === id) blank("This conversation was merged into another one.");
      return;
    }
    if (open !== id) return;
    take(page, next);
    for (const row of page.data) {
      missing.delete(row.id);
      joined ||= known.has(row.id);
    }
    next = page.next_cursor;
    if (!next || (joined && missing.size === 0)) break;
  }
  redraw();
  for (const row of messages()) {
    if (!known.has(row.id) && row.direction === "inbound") announce(`New message: ${row.message?.text ?? plain(row.message?.type)}`);
  }
}

/** The name and facts above the messages. */
export function head(row) {
  if (!row) return;
  byId("thread-name").textContent = conversationName(row);
  const facts = [channelName(row.channel), plain(row.status), row.assignee && `assigned to ${row.assignee}`, row.priority !== "normal" && `${row.priority} priority`];
  byId("thread-facts").textContent = facts.filter(Boolean).join(" · ");
}

function redraw() {
  const log = byId("thread-log");
  const atEnd = isAtEnd();
  const known = new Map([...log.children].map((element) => [element.dataset.key, element]));
  const focused = document.activeElement?.closest?.("#thread-log [data-key]")?.dataset.key;
  const elements = [];
  let day = "";
  const all = messages();
  for (const row of all) {
    const at = row.sent_at ?? row.created_at;
    if (dayKey(at) !== day) {
      day = dayKey(at);
      elements.push(keyed(known, `day ${day}`, dayName(at), () => el("h3", { class: "day" }, dayName(at))));
    }
    elements.push(keyed(known, row.id, JSON.stringify([row, enrichmentOf(row)]), () => draw(row, onWhy)));
  }
  place(log, elements);
  if (focused && !log.contains(document.activeElement)) elements.find((element) => element.dataset.key === focused)?.focus({ preventScroll: true });
  blank(all.length ? "" : "No message yet.");
  byId("thread-more").hidden = !earlier;
  if (atEnd) toEnd();
  onLoaded(all);
}

/** The element of before when nothing in it changed. */
function keyed(known, key, text, make) {
  const old = known.get(key);
  if (old?.drawn === text) return old;
  const element = make();
  element.dataset.key = key;
  element.drawn = text;
  if (old) carry(old, element);
  return element;
}

/** Makes `elements` what the log has; what stays is not touched, so that it keeps the focus and plays on. */
function place(log, elements) {
  const stay = new Set(elements);
  for (const old of [...log.children]) if (!stay.has(old)) old.remove();
  for (const [at, element] of elements.entries()) {
    if (log.children[at] !== element) log.insertBefore(element, log.children[at] ?? null);
  }
}

function isAtEnd() {
  const scroll = byId("thread-scroll");
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
}

function toEnd() {
  const scroll = byId("thread-scroll");
  scroll.scrollTop = scroll.scrollHeight;
}

function blank(text) {
  byId("thread-blank").textContent = text;
  byId("thread-blank").hidden = !text;
}
