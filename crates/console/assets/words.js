// How times, names and states are put into words.

import { CHANNELS } from "./channels.js";

const time = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const clock = (at) => (at ? time.format(at) : "");
export const exact = (at) => (at ? full.format(at) : "");
export const dayKey = (at) => new Date(at).toDateString();

/** Today, Yesterday, or the date. */
export function dayName(at) {
  const now = new Date();
  if (dayKey(at) === now.toDateString()) return "Today";
  now.setDate(now.getDate() - 1);
  return dayKey(at) === now.toDateString() ? "Yesterday" : day.format(at);
}

/** The time today, else the day. */
export const brief = (at) => {
  if (!at) return "";
  return dayKey(at) === new Date().toDateString() ? time.format(at) : shortDay.format(at);
};

export const channelName = (name) => CHANNELS[name]?.label ?? name ?? "";

const schemes = { phone: "Phone", bsuid: "WhatsApp user", email: "Email", username: "User name", psid: "Messenger", igsid: "Instagram" };
export const schemeName = (name) => schemes[name] ?? name;

/** Whom a conversation is with; a group's id when nobody is named. */
export const conversationName = (row) => row.contact?.name || row.chat || "Without a name";

/** `order_status` as `order status`. */
export const plain = (word) => String(word ?? "").replaceAll("_", " ");

export const percent = (share) => `${Math.round(Number(share) * 100)}%`;

/** `12 KiB`, `3.4 MiB`. */
export const fileSize = (bytes) => (bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`);

const languages = (() => {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" });
  } catch {
    return null;
  }
})();

/** The name of an ISO 639-1 code. */
export function languageName(code) {
  if (!code || code === "und") return "unknown language";
  try {
    return languages?.of(code) ?? code;
  } catch {
    return code;
  }
}

/** Up to two letters for a face. */
export function initials(name) {
  const words = String(name).match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("") || "?";
}
