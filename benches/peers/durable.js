// Verify, read, dedupe, and store before the 200, on Deno with node:sqlite:
// `deno run -A durable.js PORT FILE each|group`. `each` commits for each request; `group` has the requests
// that wait share one transaction, a savepoint each, and answers after the commit.
import { DatabaseSync } from "node:sqlite";
import { genuine } from "./genuine.js";

const [port, file, mode] = Deno.args;
const text = new TextDecoder();
const database = new DatabaseSync(file);
database.exec("PRAGMA journal_mode = WAL");
database.exec("PRAGMA synchronous = FULL");
database.exec("CREATE TABLE inbox (key TEXT PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID");
const insert = database.prepare("INSERT INTO inbox VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
const begin = database.prepare("BEGIN IMMEDIATE");
const commit = database.prepare("COMMIT");
const savepoint = database.prepare("SAVEPOINT one");
const release = database.prepare("RELEASE one");

function keep(key, body) {
  insert.run(key, Date.now(), body);
}

let waiting = [];

function flush() {
  const group = waiting;
  waiting = [];
  begin.run();
  for (const { key, body } of group) {
    savepoint.run();
    keep(key, body);
    release.run();
  }
  commit.run();
  for (const { stored } of group) stored();
}

function keepWithOthers(key, body) {
  return new Promise((stored) => {
    waiting.push({ key, body, stored });
    // After what has arrived by now was read: a microtask would run before it.
    if (waiting.length === 1) setImmediate(flush);
  });
}

Deno.serve({ hostname: "127.0.0.1", port: Number(port) }, async (request) => {
  const body = new Uint8Array(await request.arrayBuffer());
  if (!await genuine(request.headers.get("x-hub-signature-256"), body)) {
    return new Response(null, { status: 401 });
  }
  const value = JSON.parse(text.decode(body)).entry[0].changes[0].value;
  const key = `whatsapp:${value.metadata.phone_number_id}:${value.messages[0].id}`;
  if (mode === "group") await keepWithOthers(key, body);
  else keep(key, body);
  return new Response(null, { status: 200 });
});
