// The messages of one conversation, by day, oldest first.

import { get, part } from "./api.js";
import { announce, byId, el } from "./dom.js";
import { draw, enrichmentOf } from "./message.js";
import { channelName, conversationName, dayKey, dayName, plain } from "./words.js";

const PAGE = 200;
/** Pages read at once when a conversation is opened; the rest is read on demand. */
const FIRST_PAGES = 5;

let open = null;
let pages = [];
let following = null;
let reading = null;
let loading = Promise.resolve();
let onWhy = () => {};
let onLoaded = () => {};

/** `why(row)` shows a message's routing; `loaded(rows)` hears of every new state of the thread. */
export function setUp(why, loaded) {
  onWhy = why;
  onLoaded = loaded;
  byId("thread-more").addEventListener("click", () => more(open));
}

export const current = () => open;
export const messages = () => pages.flatMap((page) => page.rows);

/** Shows another conversation, or none. */
export async function show(id) {
  open = id;
  pages = [];
  following = null;
  byId("thread-log").replaceChildren();
  byId("thread-head").hidden = !id;
  blank(id ? "Loading…" : "Choose a conversation.");
  byId("thread-more").hidden = true;
  if (!id) return;
  loading = more(id, FIRST_PAGES);
  await loading;
  if (open === id) toEnd();
}

async function more(id, count = 1) {
  for (let read = 0; read < count && open === id; read += 1) {
    const cursor = pages.length ? following : null;
    if (pages.length && !cursor) break;
    try {
      const page = await get(`/v1/conversations/${part(id)}/messages`, { limit: PAGE, cursor });
      if (open !== id) return;
      pages.push({ cursor, rows: page.data });
      following = page.next_cursor;
    } catch (error) {
      if (open === id) blank(error.message);
      return;
    }
  }
  if (open === id) redraw();
}

/** Reads again what changed: the page of a known message, else what follows the last one. */
export async function refresh(messageId) {
  const id = open;
  // What is being read may have been asked for before the change.
  await loading;
  if (!id || id !== open || !pages.length) return;
  const known = pages.findIndex((page) => page.rows.some((row) => row.id === messageId));
  const wanted = new Set(reading?.wanted ?? []);
  wanted.add(known < 0 ? pages.length - 1 : known);
  if (reading?.id === id) {
    reading.wanted = wanted;
    return;
  }
  reading = { id, wanted };
  try {
    while (reading.wanted.size && open === id) {
      const indexes = [...reading.wanted];
      reading.wanted = new Set();
      for (const index of indexes) await reread(id, index);
    }
  } finally {
    if (reading?.id === id) reading = null;
  }
}

async function reread(id, index) {
  const page = pages[index];
  if (!page) return;
  const wasLast = index === pages.length - 1;
  let answer;
  try {
    answer = await get(`/v1/conversations/${part(id)}/messages`, { limit: PAGE, cursor: page.cursor });
  } catch (error) {
    if (error.status === 404 && open === id) blank("This conversation was merged into another one.");
    return;
  }
  if (open !== id) return;
  const before = new Set(messages().map((row) => row.id));
  page.rows = answer.data;
  const wasThere = !following;
  if (wasLast) following = answer.next_cursor;
  redraw();
  const fresh = page.rows.filter((row) => !before.has(row.id));
  if (wasLast && wasThere && following) await more(id);
  for (const row of fresh) announce(`New message: ${row.message?.text ?? plain(row.message?.type)}`);
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
  const scroll = byId("thread-scroll");
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const known = new Map([...log.children].map((element) => [element.dataset.key, element]));
  const focused = document.activeElement?.closest?.("#thread-log [data-key]")?.dataset.key;
  const elements = [];
  let day = "";
  const rows = messages();
  for (const row of rows) {
    const at = row.sent_at ?? row.created_at;
    if (dayKey(at) !== day) {
      day = dayKey(at);
      elements.push(keyed(known, `day ${day}`, dayName(at), () => el("h3", { class: "day" }, dayName(at))));
    }
    elements.push(keyed(known, row.id, JSON.stringify([row, enrichmentOf(row)]), () => draw(row, onWhy)));
  }
  log.replaceChildren(...elements);
  if (focused) elements.find((element) => element.dataset.key === focused)?.focus({ preventScroll: true });
  blank(rows.length ? "" : "No message yet.");
  byId("thread-more").hidden = !following;
  if (atEnd) toEnd();
  onLoaded(rows);
}

/** The element of before when nothing in it changed. */
function keyed(known, key, text, make) {
  const old = known.get(key);
  if (old?.drawn === text) return old;
  const element = make();
  element.dataset.key = key;
  element.drawn = text;
  return element;
}

function toEnd() {
  const scroll = byId("thread-scroll");
  scroll.scrollTop = scroll.scrollHeight;
}

function blank(text) {
  byId("thread-blank").textContent = text;
  byId("thread-blank").hidden = !text;
}
