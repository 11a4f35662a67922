// The test message: a form, and what the server says to it.

import { get, post } from "./api.js";
import { byId, el, replace, toast } from "./dom.js";

const SAMPLES = [
  ["Order, Spanish", "Hola, quiero 20 unidades azules, presupuesto 500 USD, mi correo es ana@example.com"],
  ["Price, English", "Hi! How much are 50 of the large ones, delivered by Friday?"],
  ["Complaint, German", "Meine Bestellung ist schon wieder beschädigt angekommen. Das ist wirklich ärgerlich!"],
  ["Booking, Portuguese", "Olá, gostaria de marcar uma visita para amanhã às 15h"],
  ["Thanks, French", "Merci beaucoup, tout est parfait !"],
];
const NAME = "Ana Pérez";
/** A number that is kept free for fiction. */
const PHONE = "12025550143";

/** Sets the form up; `sent(answer)` hears of a message that was taken. */
export function setUp(sent) {
  const dialog = byId("trial");
  byId("trial-name").value = NAME;
  byId("trial-phone").value = PHONE;
  byId("trial-text").value = SAMPLES[0][1];
  replace(
    byId("trial-samples"),
    SAMPLES.map(([name, text]) =>
      el("button", { type: "button", class: "sample", onclick: () => fill(text) }, name),
    ),
  );
  byId("trial-open").addEventListener("click", async () => {
    say("");
    dialog.showModal();
    await ask();
  });
  byId("trial-cancel").addEventListener("click", () => dialog.close());
  byId("trial-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    await send(dialog, sent);
  });
}

function fill(text) {
  byId("trial-text").value = text;
  byId("trial-text").focus();
}

/** Whether a message can be sent, and if not, why. */
async function ask() {
  try {
    const { available, reason } = await get("/console/test-message");
    byId("trial-send").disabled = !available;
    say(available ? "" : reason);
  } catch (error) {
    say(error.message);
  }
}

async function send(dialog, sent) {
  const button = byId("trial-send");
  button.disabled = true;
  const value = (name) => byId(`trial-${name}`).value.trim() || null;
  try {
    const answer = await post("/console/test-message", { text: byId("trial-text").value, name: value("name"), phone: value("phone") });
    dialog.close();
    toast("The webhook took the message.");
    sent(answer);
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
  }
}

function say(text) {
  byId("trial-error").textContent = text;
}
