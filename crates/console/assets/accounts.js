// The notice above everything: accounts that cannot send, and why.

import { ApiError, get, part, post } from "./api.js";
import { byId } from "./dom.js";

/** Reads which accounts are stopped, and shows them. */
export async function show() {
  let rows;
  try {
    rows = (await get("/v1/accounts")).data;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return;
  }
  const stopped = rows.filter((row) => row.health === "stopped");
  byId("stopped").hidden = stopped.length === 0;
  byId("stopped-list").replaceChildren(...stopped.map(item));
}

function item(row) {
  const place = document.createElement("li");
  const words = document.createElement("span");
  const code = row.code ? ` (${row.code})` : "";
  words.textContent = `Nothing is sent from ${row.channel} ${row.account}: ${row.reason}${code}. What is to be sent waits.`;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Try again";
  button.addEventListener("click", async () => {
    button.disabled = true;
    const tenant = encodeURIComponent(row.platform_client_id);
    try {
      await post(`/v1/accounts/${part(row.channel)}/${part(row.account)}/resume?platform_client_id=${tenant}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    await show();
  });
  place.append(words, " ", button);
  return place;
}
