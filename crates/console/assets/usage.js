// What models have cost today, against what they may.

import { ApiError, get } from "./api.js";
import { byId, chip, el, group, renew } from "./dom.js";

const dollars = new Intl.NumberFormat("en", { style: "currency", currency: "USD", maximumFractionDigits: 4 });
const count = new Intl.NumberFormat("en");

let wanted = null;

/** Reads and shows that of a tenant, whose the budget is; nothing without one, and where the server counts none. */
export async function show(tenant) {
  if (wanted !== tenant) draw("");
  wanted = tenant;
  if (!tenant) return;
  const day = new Date().toISOString().slice(0, 10);
  let today;
  try {
    ({ today } = await get("/v1/usage", { platform_client_id: tenant, from: day, to: day }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const words = error.status === 404 ? "" : error.message;
    if (wanted === tenant) draw(words, () => group("Models today", el("p", { class: "error" }, words)));
    return;
  }
  if (wanted === tenant) draw(today ? JSON.stringify(today) : "", () => panel(today));
}

const draw = (key, make) => renew(byId("usage"), key, () => (key ? make() : []));

function panel({ tokens, cost_usd: cost, budget_tokens: mostTokens, budget_cost_usd: mostCost }) {
  const rows = [
    share("Cost", cost, mostCost, (value) => dollars.format(value)),
    share("Tokens", tokens, mostTokens, (value) => count.format(value)),
  ];
  const spent = isSpent(cost, mostCost) || isSpent(tokens, mostTokens);
  return group("Models today", rows, spent && el("p", {}, chip("budget used up", "bad"), " ", el("span", { class: "hint" }, "The offline reading goes on.")));
}

const isSet = (value) => value !== null && value !== undefined;
const isSpent = (used, most) => isSet(used) && isSet(most) && Number(used) >= Number(most);

/** How much of what is allowed is used; only how much where nothing limits it. */
function share(name, used, most, words) {
  if (!isSet(used)) return null;
  if (!isSet(most)) return el("p", { class: "scale spent" }, el("span", {}, name), el("span", { class: "number" }, `${words(Number(used))}, no limit`));
  const meter = el("meter", { min: 0, max: Number(most) || 1, value: Number(used), "aria-hidden": "true" });
  return el("p", { class: "scale spent" }, el("span", {}, name), meter, el("span", { class: "number" }, `${words(Number(used))} of ${words(Number(most))}`));
}
