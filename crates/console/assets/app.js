// Puts the console together: who is signed in, what is open, and what a change touches.

import { ApiError, forgetKey, get, hasKey, part, signIn, whenRefused } from "./api.js";
import * as accounts from "./accounts.js";
import * as card from "./card.js";
import * as compose from "./compose.js";
import * as deliveries from "./deliveries.js";
import { byId } from "./dom.js";
import * as insight from "./insight.js";
import * as list from "./list.js";
import * as live from "./live.js";
import * as routing from "./routing.js";
import * as thread from "./thread.js";
import * as trial from "./trial.js";
import * as usage from "./usage.js";

/** The message whose routing is shown; none means the newest that has one. */
let explained = null;
let contactId = null;
let tenant = null;
let openNext = false;

const readAccounts = live.once(() => accounts.show());
const readCard = live.once(() => card.show(contactId));
const readUsage = live.once(() => usage.show(tenant));
const readDeliveries = live.once(() => deliveries.show(thread.current()));

function view(name) {
  byId("app").dataset.view = name;
}

function enter() {
  byId("login").hidden = true;
  byId("app").hidden = false;
  live.start(changed, fresh);
  follow();
}

function leave(words = "") {
  live.stop();
  forgetKey();
  list.clear();
  show(null);
  compose.clear();
  byId("trial").close();
  byId("app").hidden = true;
  byId("login").hidden = false;
  byId("login-error").textContent = words;
  byId("key").value = "";
  byId("key").focus();
}

/** Reads everything that is shown. */
async function fresh() {
  await Promise.all([list.load(), readAccounts()]);
  if (thread.current()) await show(thread.current());
}

/** Shows what the address names: `#/c/{id}`, or the list. */
async function follow() {
  if (!hasKey() || (location.hash.length > 2 && !location.hash.startsWith("#/c/"))) return;
  const id = location.hash.length > 4 ? named(location.hash.slice(4)) : null;
  if (id === thread.current()) return view(id ? "thread" : "list");
  await show(id);
}

function named(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function show(id) {
  const same = id === thread.current();
  if (!same) {
    explained = null;
    contactId = null;
    tenant = null;
    readUsage();
    card.show(null);
    insight.know([]);
    routing.show(null);
    compose.show(id);
  }
  list.choose(id);
  if (!same) view(id ? "thread" : "list");
  deliveries.show(id);
  await Promise.all([same ? thread.refresh() : thread.show(id), id && describe(id)]);
}

/** The head of the thread and the contact, from the list's row or the API. */
async function describe(id) {
  try {
    const row = list.find(id) ?? (await get(`/v1/conversations/${part(id)}`));
    if (thread.current() !== id) return;
    thread.head(row);
    compose.know(row);
    contactId = row.contact?.id ?? null;
    tenant = row.platform_client_id;
    await Promise.all([card.show(contactId), readUsage()]);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // The thread says what is wrong.
  }
}

/** What a change touches is read again; the stream gives ids only. */
async function changed(kind, data) {
  if (kind === "account.updated") return readAccounts();
  const id = data.conversation_id;
  if (kind.startsWith("contact.")) {
    if (!contactId || !Object.values(data).includes(contactId)) return;
    const readings = [readCard()];
    // Its conversations may have become one.
    if (kind === "contact.merged") readings.push(thread.refresh(), readDeliveries());
    await Promise.all(readings);
    return;
  }
  if (!id) return;
  if (kind === "external_call.created") {
    // A call of a model is one, too.
    await Promise.all([readUsage(), id === thread.current() && readDeliveries()]);
    return;
  }
  await list.refresh(id);
  if (openNext && !thread.current()) {
    openNext = false;
    location.hash = `#/c/${part(id)}`;
    return;
  }
  if (id !== thread.current()) return;
  thread.head(list.find(id));
  compose.know(list.find(id));
  // What was understood of a message may have changed the lead.
  if (kind.startsWith("message.")) await Promise.all([thread.refresh(data.message_id), readCard()]);
}

/** The thread has new rows: all that stands beside it may say more. */
function loaded(rows) {
  card.know(rows);
  insight.know(rows);
  const inbound = rows.filter((each) => each.direction === "inbound");
  const row = rows.find((each) => each.id === explained) ?? inbound.findLast((each) => each.explanation && each.explanation.length !== 0) ?? inbound.at(-1);
  routing.show(row ?? null);
}

function why(row) {
  explained = row.id;
  routing.show(row);
  view("details");
  byId("routing").focus();
}

/** A link to a message moves there and leaves the address alone. */
function toMessage(event) {
  const id = event.target.closest?.("a[data-message]")?.dataset.message;
  const place = id && byId(`m-${id}`);
  if (!place) return;
  event.preventDefault();
  view("thread");
  place.scrollIntoView({ block: "center" });
  place.focus({ preventScroll: true });
}

byId("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = byId("login-error");
  error.textContent = "";
  try {
    await signIn(byId("key").value.trim());
    enter();
  } catch (refusal) {
    error.textContent = refusal.status === 401 ? "This key is not the right one." : refusal.message;
    byId("key").select();
  }
});
byId("logout").addEventListener("click", () => leave());
byId("thread-back").addEventListener("click", () => (location.hash = "#/"));
byId("details-back").addEventListener("click", () => view("thread"));
byId("details-open").addEventListener("click", () => {
  view(byId("app").dataset.view === "details" ? "thread" : "details");
});
byId("details-pane").addEventListener("click", toMessage);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("thread-log").focus();
});
addEventListener("hashchange", follow);
whenRefused(() => leave("The key is no longer taken. Sign in again."));
list.setUp();
thread.setUp(why, loaded);
compose.setUp((id, row) => thread.put(id, row));
insight.setUp((text) => {
  if (!compose.use(text)) return false;
  view("thread");
  byId("compose-text").focus();
  return true;
});
trial.setUp(() => (openNext = !thread.current()));

if (hasKey()) enter();
else leave();
