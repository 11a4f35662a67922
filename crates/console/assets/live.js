// The stream of changes. A ticket opens it; when it breaks, a new ticket opens it again after the
// last change that was seen, so that none is missed.

import { post } from "./api.js";
import { byId } from "./dom.js";

/**
 * Makes a reading that many changes ask for run once at a time: whoever asks while it runs gets one
 * more run after it.
 */
export function once(read) {
  let running = null;
  let again = false;
  const run = async () => {
    do {
      again = false;
      await read();
    } while (again);
  };
  return () => {
    again = running !== null;
    running ??= run().finally(() => (running = null));
    return running;
  };
}

const KINDS = [
  "message.created", "message.updated", "conversation.created", "conversation.updated",
  "contact.created", "contact.updated", "contact.merged", "event.recorded", "external_call.created",
  "account.updated",
];
const RETRY_MILLIS = [500, 1000, 2000, 5000, 10000];
const WORDS = { connecting: "Connecting", live: "Live", waiting: "Reconnecting", off: "Signed out" };

let source = null;
let timer = 0;
let failures = 0;
let last = "";
let running = false;

let onChange = () => {};
let onFresh = () => {};

/**
 * Calls `fresh()` when a stream opens that has no place to resume from, which is when all that is
 * shown must be read, and `change(kind, data)` for each change after that.
 */
export function start(change, fresh) {
  stop();
  onChange = change;
  onFresh = fresh;
  running = true;
  show("connecting");
  open();
}

/** Closes the stream. */
export function stop() {
  running = false;
  clearTimeout(timer);
  source?.close();
  source = null;
  last = "";
  show("off");
}

async function open() {
  let ticket;
  try {
    ticket = await post("/v1/events/ticket");
  } catch {
    return again();
  }
  if (!running) return;
  const resume = last ? `&last_event_id=${encodeURIComponent(last)}` : "";
  const stream = new EventSource(ticket.url + resume);
  source = stream;
  stream.onopen = () => {
    failures = 0;
    show("live");
    if (!last) onFresh();
  };
  stream.onerror = () => {
    // The browser would try the same ticket again, which may have run out.
    stream.close();
    if (source === stream) again();
  };
  for (const kind of KINDS) {
    stream.addEventListener(kind, (event) => {
      last = event.lastEventId || last;
      onChange(kind, JSON.parse(event.data));
    });
  }
}

function again() {
  if (!running) return;
  show("waiting");
  const wait = RETRY_MILLIS[Math.min(failures, RETRY_MILLIS.length - 1)];
  failures += 1;
  clearTimeout(timer);
  timer = setTimeout(() => open(), wait);
}

function show(state) {
  const place = byId("live");
  place.dataset.state = state;
  place.textContent = WORDS[state];
}
