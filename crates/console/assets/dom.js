// Elements from data. Text only ever becomes text: there is no way in here to make markup of it.

/** One element: `el("p", { class: "hint", title: "…" }, "text", child, …)`. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  fill(element, children);
  return element;
}

/** Puts children in place of what an element has. */
export function replace(element, ...children) {
  element.replaceChildren();
  fill(element, children);
}

/**
 * Puts what `make` gives in place of what an element has, unless `key` says that it is the same. What
 * was unfolded stays so, and the focus stays on what has the same `data-keep`.
 */
export function renew(element, key, make) {
  if (element.drawn === key) return;
  element.drawn = key;
  const focused = element.contains(document.activeElement) && document.activeElement.closest("[data-keep]")?.dataset.keep;
  const unfolded = new Set([...element.querySelectorAll("details[open]")].map((each) => each.dataset.keep));
  replace(element, make());
  for (const each of element.querySelectorAll("[data-keep]")) {
    if (unfolded.has(each.dataset.keep)) each.open = true;
    if (focused === each.dataset.keep) (each.querySelector("summary") ?? each).focus({ preventScroll: true });
  }
}

function fill(element, children) {
  for (const child of children.flat(3)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** A small label; `tone` is one of neutral, good, warn, bad, accent. */
export const chip = (text, tone = "neutral", title = null) =>
  el("span", { class: "chip", "data-tone": tone, title }, text);

/** A title and what belongs under it. */
export const group = (title, ...children) => el("div", { class: "group" }, el("h3", {}, title), ...children);

/** Says something to people who cannot see it happen. */
export function announce(text) {
  byId("announcer").textContent = text;
}

let toastTimer = 0;

/** Shows a line for a few seconds. */
export function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  place.dataset.shown = "yes";
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => delete place.dataset.shown, 6000);
}

/**
 * A link for an address that came with a message. Anything but http and https stays text: a link
 * that runs code or opens a file is no link.
 */
export function link(address, text) {
  let url = null;
  try {
    url = new URL(address);
  } catch {
    return document.createTextNode(text);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return document.createTextNode(text);
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, text);
}
