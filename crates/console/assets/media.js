// What customers sent as files, as far as it is in our own keeping.
//
// What the browser loads comes from this server alone: of a link only the path is used, and only
// below `/media/`. Links end, and each reading of a message makes new ones, so the page keeps one as
// long as it is good: a new one would load everything again and stop what is playing.

import { chip, el, link, toast } from "./dom.js";
import { clock, fileSize, plain } from "./words.js";

/** A link that does not work is asked for anew, and not again before this time. */
const AGAIN_MILLIS = 60_000;
const WORDS = {
  pending: "is being fetched",
  failed: "could not be fetched",
  deleted: "was deleted",
  stored: "is kept, but has no link: media_signing_secret is not set",
};
/** What a browser may show as a picture; SVG is not among it. */
const PICTURES = ["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp", "image/heif"];

/** The links that did not work. */
const broken = new Set();
/** When a medium's link was asked for anew, by what it leads to. */
const relinked = new Map();

/** The row with the links of before that are still good. */
export function steady(before, row) {
  if (!row.stored_media?.length || !before) return row;
  const known = new Map((before.stored_media ?? []).map((each) => [each.index, each]));
  return { ...row, stored_media: row.stored_media.map((each) => kept(known.get(each.index), each)) };
}

function kept(before, now) {
  const same = before?.url && now.url && before.state === now.state && before.sha256 === now.sha256;
  return same && !broken.has(before.url) && !hasEnded(before) ? before : now;
}

const hasEnded = (stored) => Boolean(stored.expires_at) && Date.now() > stored.expires_at;

/** The media of a message. */
export function media(row) {
  const stored = new Map((row.stored_media ?? []).map((each) => [each.index, each]));
  return (row.message?.media ?? []).map((item, at) => [
    medium(item, stored.get(at), row),
    item.caption && el("p", { class: "text", dir: "auto" }, item.caption),
  ]);
}

/** What was drawn of the same media moves from an element to the next: a film that plays goes on. */
export function carry(before, next) {
  for (const fresh of next.querySelectorAll("[data-source]")) {
    const old = [...before.querySelectorAll("[data-source]")].find((each) => each.dataset.source === fresh.dataset.source);
    if (old) fresh.replaceWith(old);
  }
}

function medium(item, stored, row) {
  const name = item.filename ?? "";
  if (!stored) return line(item, item.url ? link(item.url, name || "Open") : name, item.mime_type, item.bytes);
  const source = stored.state === "stored" ? pathOf(stored.url) : null;
  if (!source) return line(item, absent(stored, name));
  const download = el("a", { href: source, download: fileName(item, stored), onclick: (event) => relinkFirst(event, stored) }, name || "Save");
  return el("div", { class: "medium", "data-state": stored.state }, viewer(item, stored, source, row), line(item, download, stored.mime_type, stored.bytes));
}

function line(item, what, type, bytes) {
  const facts = [type, bytes ? fileSize(bytes) : null].filter(Boolean).join(" · ");
  return el("p", { class: "media" }, chip(item.kind ?? "file"), " ", what, facts && el("span", { class: "hint" }, ` ${facts}`));
}

/** The words for what cannot be seen. */
function absent(stored, name) {
  const words = WORDS[stored.state] ?? plain(stored.state);
  const why = stored.error ? ` (${stored.error})` : "";
  return [name && `${name} `, el("span", { class: "hint", "data-state": stored.state }, `${words}${why}`)];
}

/** The path of a link on this server; none when it leads anywhere else. */
function pathOf(url) {
  try {
    const { pathname, search } = new URL(url, location.origin);
    return pathname.startsWith("/media/") ? pathname + search : null;
  } catch {
    return null;
  }
}

function fileName(item, stored) {
  return item.filename ?? `${item.kind ?? "file"}.${(stored.mime_type ?? "").split("/").at(-1) || "bin"}`;
}

/** What shows the bytes in the page, for the types of which a browser runs nothing. */
function viewer(item, stored, source, row) {
  const type = stored.mime_type ?? "";
  const about = item.caption ?? item.filename ?? `${row.direction === "outbound" ? "sent" : "received"} at ${clock(row.sent_at)}`;
  const shared = { src: source, "data-source": source, onerror: (event) => fail(event.target, stored) };
  if (PICTURES.includes(type)) {
    const picture = el("img", { ...shared, alt: `Picture: ${about}`, loading: "lazy", decoding: "async" });
    return el("a", { class: "picture", href: source, target: "_blank", rel: "noopener noreferrer" }, picture);
  }
  const playing = { ...shared, controls: true, preload: "none" };
  if (type.startsWith("audio/")) return el("audio", { ...playing, "aria-label": `Sound: ${about}` });
  if (type.startsWith("video/")) return el("video", { ...playing, "aria-label": `Video: ${about}`, playsinline: true });
  return null;
}

/** Whether the medium's link is asked for anew: the message is read again. */
function relink(element, stored) {
  const now = performance.now();
  if (now - (relinked.get(stored.sha256) ?? -AGAIN_MILLIS) < AGAIN_MILLIS) return false;
  relinked.set(stored.sha256, now);
  broken.add(stored.url);
  element.dispatchEvent(new CustomEvent("relink", { bubbles: true }));
  return true;
}

/** The words are there until a new link comes, if one does. */
function fail(element, stored) {
  relink(element, stored);
  (element.closest(".picture") ?? element).replaceWith(el("p", { class: "gone" }, "The browser cannot show it."));
}

function relinkFirst(event, stored) {
  if (!hasEnded(stored) || !relink(event.target, stored)) return;
  event.preventDefault();
  toast("The link had ended. There is a new one now.");
}
