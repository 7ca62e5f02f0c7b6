// The page: asks, shows, and tells what the server has read and whether it is ready.

import { Turn } from "./answer.js";
import { Problem, ask } from "./stream.js";

const POLL_MS = 3000;
const REMEMBERED = 6; // earlier turns that a follow-up question may refer to

const at = (id) => document.getElementById(id);
const history = [];
let conversation = null;
let asking = null;

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  answerTo(at("question").value.trim());
});
at("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  at("ask").requestSubmit();
});
at("stop").addEventListener("click", () => asking?.abort());

async function answerTo(question) {
  if (!question) return;
  asking?.abort();
  const mine = (asking = new AbortController());
  const turn = new Turn(question, answerTo);
  at("turns").prepend(turn.element);
  at("question").value = "";
  busy(true);
  try {
    await follow(turn, question, mine.signal);
  } catch (error) {
    turn.failed(reasonOf(error));
  } finally {
    if (asking === mine) busy(false);
  }
}

async function follow(turn, question, signal) {
  const body = { question, history: history.slice(-REMEMBERED) };
  if (conversation) body.conversation_id = conversation;
  for await (const { event, data } of ask(body, signal)) {
    if (event === "status") turn.stage(data.stage);
    if (event === "sentence") turn.sentence(data);
    if (event === "answer") {
      turn.answer(data);
      conversation = data.conversation_id;
      history.push({ role: "user", content: question }, { role: "assistant", content: data.text });
    }
  }
}

function reasonOf(error) {
  if (error.name === "AbortError") return "Stopped.";
  return error instanceof Problem ? `${error.message}.` : "The server can't be reached.";
}

function busy(yes) {
  at("stop").hidden = !yes;
  at("turns").setAttribute("aria-busy", String(yes));
}

async function tellReadiness() {
  const words = await readiness().catch(() => ["The server can't be reached."]);
  at("readiness").textContent = words.join(" ");
  at("readiness").hidden = words.length === 0;
  if (words.length) setTimeout(tellReadiness, POLL_MS);
}

async function readiness() {
  const { reasons, warnings } = await (await fetch("/readyz")).json();
  const words = [...reasons, ...warnings].map(({ reason }) => `${reason}.`);
  const waits = reasons.some(({ part }) => part === "model");
  return waits ? [...words, "Until then, answers are quotes, word for word."] : words;
}

async function showShelf() {
  const [shelf, about] = await Promise.all(
    ["/v1/documents", "/v1/about"].map(async (path) => (await fetch(path)).json()),
  );
  const count = shelf.documents.length;
  at("shelf").querySelector("summary").textContent =
    `What it has read: ${count} ${count === 1 ? "document" : "documents"}`;
  at("shelf").querySelector("ul").replaceChildren(...shelf.documents.map(listed));
  at("about").textContent = `Weighbridge ${about.version} · ${about.model.name}`;
}

function listed({ title, publisher, as_of: asOf, uri }) {
  const item = document.createElement("li");
  const name = document.createElement("cite");
  name.textContent = title;
  const rest = [publisher, asOf && `as of ${asOf}`, uri].filter(Boolean).join(" · ");
  item.append(name, document.createElement("br"), rest);
  return item;
}

tellReadiness();
showShelf();
// A link to a question: after the #, so that it stays in the browser.
const linked = new URLSearchParams(location.hash.slice(1)).get("q");
if (linked) answerTo(linked);
