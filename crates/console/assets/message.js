// One message of a thread.

import { chip, el, link } from "./dom.js";
import { media } from "./media.js";
import { clock, exact, languageName, percent, plain } from "./words.js";
import { summary } from "./routing.js";

const STATES = { accepted: "accepted", uncertain: "uncertain: nobody knows whether it arrived", sent: "sent", delivered: "delivered", read: "read", played: "played", failed: "failed", deleted: "deleted" };
/** A sign for each kind of entity. */
export const ENTITY_MARKS = { email: "✉", phone: "☎", url: "🔗", money: "¤", date: "◷", quantity: "#", product: "▣", name: "☺" };

/** The enrichment of a message, if there is one yet. */
export const enrichmentOf = (row) => row.enrichment ?? (row.enrichments ?? []).at(-1) ?? null;

/** The element of a message; `onWhy` is called when its routing is asked for. */
export function draw(row, onWhy) {
  const outbound = row.direction === "outbound";
  return el(
    "article",
    {
      class: "message", id: `m-${row.id}`, tabindex: "-1", "data-id": row.id, "data-direction": row.direction,
      "data-deleted": row.deleted_at ? "yes" : null, "aria-label": `${outbound ? "Sent" : "Received"} ${exact(row.sent_at)}`,
    },
    el("div", { class: "bubble" }, body(row)),
    reactions(row),
    el(
      "p",
      { class: "meta" },
      el("time", { title: exact(row.sent_at), datetime: new Date(row.sent_at).toISOString() }, clock(row.sent_at)),
      outbound && el("span", {}, row.author === "external" ? "from another app" : row.author),
      row.state && el("span", { class: "state", "data-state": row.state }, STATES[row.state] ?? row.state),
      row.edited_at && el("span", { title: `Before: ${(row.previous_texts ?? []).join(" · ")}` }, "edited"),
      row.standby && el("span", { title: "Another app holds this conversation" }, "standby"),
      row.message?.forwarded && el("span", {}, "forwarded"),
      row.explanation && el("button", { class: "why", type: "button", onclick: () => onWhy(row) }, summary(row.explanation)),
    ),
    row.error && el("p", { class: "error" }, [row.error.code, row.error.title, row.error.detail].filter(Boolean).join(" · ")),
    understood(row),
  );
}

function body(row) {
  if (row.deleted_at) return el("p", { class: "gone" }, "This message was deleted.");
  const message = row.message ?? {};
  const parts = [
    message.story && el("p", { class: "hint" }, "About a story: ", link(message.story.url ?? "", message.story.url ?? message.story.id ?? "")),
    message.text && el("p", { class: "text", dir: "auto" }, message.text),
    row.direction === "outbound" && written(message.raw),
    media(row),
    message.reply && !message.text && el("p", { class: "text" }, message.reply.title ?? message.reply.id),
    message.location && place(message.location),
    (message.contacts ?? []).map((person) =>
      el("p", {}, [person.name, ...(person.phones ?? []), ...(person.emails ?? []), person.org].filter(Boolean).join(" · ")),
    ),
    message.order && el("p", {}, `Order of ${message.order.items?.length ?? 0} items. ${message.order.text ?? ""}`),
    message.share && el("p", {}, "Shared: ", link(message.share.url ?? "", message.share.title ?? message.share.url ?? message.share.kind ?? "")),
  ].flat(3).filter(Boolean);
  return parts.length ? parts : el("p", { class: "gone" }, `${plain(message.type) || "Something"} without text`);
}

/** What we sent that the canonical message has no field for, as it was written. */
function written(raw) {
  if (raw?.type === "template") return el("p", {}, chip("template"), ` ${raw.template?.name ?? ""} `, el("span", { class: "hint" }, raw.template?.language));
  if (!raw?.buttons?.length) return null;
  return el("p", { class: "chips" }, raw.buttons.map((each) => chip(each.title ?? each.id, "accent")));
}

function place({ latitude, longitude, name, address }) {
  return el("p", {}, [name, address].filter(Boolean).join(", "), " ", el("span", { class: "hint" }, `${latitude}, ${longitude}`));
}

function reactions(row) {
  if (!row.reactions?.length) return null;
  return el("p", { class: "reactions" }, row.reactions.map((each) => el("span", { title: each.by }, each.emoji ?? "")));
}

/** The tones of moods and urgencies. */
export const TONES = { positive: "good", negative: "bad", high: "warn" };

/** What was understood of a message, as small labels. */
function understood(row) {
  const found = enrichmentOf(row);
  if (!found) return null;
  const [intent, ...others] = found.intents ?? [];
  const also = others.map((each) => `${plain(each.name)} ${percent(each.confidence)}`).join(", ");
  return el(
    "div",
    { class: "chips understood", title: found.source ? `By ${found.source}` : null },
    found.language && chip(languageName(found.language), "neutral", "Language"),
    intent && chip(`${plain(intent.name)} ${percent(intent.confidence)}`, "accent", also ? `Intent. Also: ${also}` : "Intent"),
    found.sentiment && chip(found.sentiment, TONES[found.sentiment], "Sentiment"),
    found.urgency && found.urgency !== "normal" && chip(`${found.urgency} urgency`, TONES[found.urgency], "Urgency"),
    (found.entities ?? []).map((each) => chip(`${ENTITY_MARKS[each.kind] ?? "•"} ${each.normalized ?? each.value}`, "neutral", `${each.kind}: ${each.value}`)),
    found.summary && el("p", { class: "hint" }, found.summary),
  );
}
