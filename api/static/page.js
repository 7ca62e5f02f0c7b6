// The page: what the server has read, whether it is ready, and how new documents get in.

import { Problem, Server, dated, events, joined, make } from "../widget.js";

const POLL_MS = 3000;

const at = (id) => document.getElementById(id);
const server = new Server(new URL("..", import.meta.url).href);

// -- what it is -----------------------------------------------------------------------------------

async function tellReadiness() {
  const words = await readiness().catch(() => ["The server can't be reached."]);
  at("readiness").textContent = words.join(" ");
  at("readiness").hidden = words.length === 0;
  if (words.length) setTimeout(tellReadiness, POLL_MS);
}

async function readiness() {
  const { reasons, warnings } = await (await fetch(`${server.base}readyz`)).json();
  const words = [...reasons, ...warnings].map(({ reason }) => `${reason}.`);
  const waits = reasons.some(({ part }) => part === "model");
  return waits ? [...words, "Until then, answers are quotes, word for word."] : words;
}

async function describe() {
  const about = await server.get("v1/about");
  at("about").textContent = `Weighbridge ${about.version} · ${about.model.name}`;
}

// -- the documents --------------------------------------------------------------------------------

async function list() {
  const { documents } = await server.get("v1/documents");
  at("documents-title").textContent = `Documents (${documents.length})`;
  at("documents").querySelector("ul").replaceChildren(...documents.map(listed));
}

function listed(document) {
  const { title, publisher, as_of: asOf, uri, passages } = document;
  const facts = [publisher, dated(asOf), uri, `${passages} passages`].filter(Boolean);
  const versions = make("ul.versions");
  const summary = make(
    "summary",
    {},
    make("cite", { dir: "auto" }, title),
    make("span.facts", {}, ...joined(facts.map((fact) => make("bdi", {}, fact)))),
  );
  const details = make("details", {}, summary, versions);
  details.addEventListener("toggle", () => details.open && showVersions(document, versions), { once: true });
  return make("li", {}, details);
}

async function showVersions({ document_id: id }, place) {
  const { revisions } = await server.get(`v1/documents/${encodeURIComponent(id)}`);
  place.replaceChildren(...revisions.toReversed().map((kept, i) => versionOf(id, kept, revisions.length - i)));
}

function versionOf(id, { revision, since_version: since, until_version: until }, number) {
  const kept = until === null ? "current" : `replaced in corpus version ${until}`;
  const link = make("a", { href: server.place({ document_id: id, revision }) }, `Version ${number}`);
  return make("li", {}, link, ` since corpus version ${since}, ${kept}`);
}

// -- changing them --------------------------------------------------------------------------------

at("again").addEventListener("click", () => change(() => server.post("v1/ingest", {})));
at("files").addEventListener("change", ({ target }) => {
  const files = [...target.files];
  if (files.length) change(async () => sendLines(await Promise.all(files.map(line))));
  target.value = "";
});

function sendLines(lines) {
  const headers = { "Content-Type": "application/x-ndjson" };
  return server.call("v1/ingest/files", { method: "POST", headers, body: new Blob(lines) });
}

async function line(file) {
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Problem({ code: "unreadable", detail: `${file.name} can't be read` }));
    reader.readAsDataURL(file);
  });
  return `${JSON.stringify({ uri: file.name, content_base64: url.slice(url.indexOf(",") + 1) })}\n`;
}

async function change(start) {
  busy(true);
  at("left-out").replaceChildren();
  tell("Starting…");
  try {
    const { job } = await (await start()).json();
    for await (const step of following(job)) showJob(step);
    await Promise.all([list(), at("widget").suggest()]);
  } catch (error) {
    tell(`${error.message}.`);
    if ([401, 403].includes(error.status)) at("changes").querySelector(".buttons").hidden = true;
  }
  busy(false);
}

/** The job, whenever there is news of it. */
async function* following(job) {
  const response = await server.call(`v1/jobs/${encodeURIComponent(job.id)}/events`);
  for await (const { event, data } of events(response.body)) {
    if (event === "done") return;
    if (event === "error") throw new Problem(data);
    yield data;
  }
}

function showJob({ state, progress, report, error, note }) {
  if (state === "queued") tell("Waiting for another update to end…");
  else if (state === "running" && progress) showProgress(progress);
  else if (state === "finished") showReport(report);
  else if (error) tell(`Nothing was changed: ${error.message}.`);
  else if (note) tell(note);
}

function showProgress({ what, done, total, seconds_left: left }) {
  const rest = left == null ? "" : `, ${Math.ceil(left)} s left`;
  tell(`${what[0].toUpperCase()}${what.slice(1)}: ${done} of ${total}${rest}`);
  at("bar").value = done / Math.max(total, 1);
}

function showReport(report) {
  const done = [
    [report.add, "added"],
    [report.replace, "replaced"],
    [report.remove, "removed"],
    [report.keep, "unchanged"],
    [report.failed, "left out"],
  ].filter(([of]) => of.length);
  tell(`${done.map(([of, what]) => `${of.length} ${what}`).join(", ") || "Nothing to read"}. Corpus version ${report.version}.`);
  at("left-out").replaceChildren(...report.failed.map(({ message }) => make("li", { dir: "auto" }, message)));
}

function busy(yes) {
  at("again").disabled = yes;
  at("files").disabled = yes;
  at("bar").hidden = !yes;
  at("bar").removeAttribute("value");
}

function tell(words) {
  at("told").textContent = words;
}

// -- start ----------------------------------------------------------------------------------------

tellReadiness();
describe();
list();
// A link to a question: after the #, so that it stays in the browser.
const linked = new URLSearchParams(location.hash.slice(1)).get("q");
if (linked) at("widget").ask(linked);
