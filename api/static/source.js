// A stored text, with the span that the address names marked: …/source/ID/REVISION#START-END.

import { Server, dated, joined, make, marked } from "../widget.js";

const at = (id) => document.getElementById(id);
const server = new Server(new URL("..", import.meta.url).href);
const [id, revision] = location.pathname.split("/").slice(-2).map(decodeURIComponent);

function describe({ title, publisher, as_of: asOf, uri, revision: name, newer_revision: newer }) {
  document.title = title;
  at("title").textContent = title;
  const facts = [publisher, dated(asOf), uri].filter(Boolean);
  at("facts").replaceChildren(...joined(facts.map((fact) => make("bdi", {}, fact))));
  at("revision").textContent = `Revision ${name}`;
  if (newer) {
    const href = server.place({ document_id: id, revision: newer });
    tell("A newer revision of this document exists. ", make("a", { href }, "Open the newest"));
  }
}

function show({ text }) {
  const [start, end] = (/^#(\d+)-(\d+)$/.exec(location.hash) ?? []).slice(1).map(Number);
  const parts = start < end ? marked(text, start, end) : [text];
  at("text").replaceChildren(...parts);
  parts[1]?.scrollIntoView({ block: "center" });
}

function tell(...words) {
  at("notice").replaceChildren(...words);
  at("notice").hidden = false;
}

try {
  const stored = await server.revision({ document_id: id, revision });
  describe(stored);
  show(stored);
  addEventListener("hashchange", () => show(stored));
} catch (error) {
  tell(`${error.message}.`);
}
