// <weigh-bridge>: asks the knowledge base that this file came from, on any page.
//
//   <script type="module" src="HOST/widget.js"></script>
//   <weigh-bridge title="Ask the handbook" accent="#0b6b66"></weigh-bridge>
//
// What documents and models say is never markup: it only ever becomes text nodes. Nothing here
// needs an inline script or style, so a page with a Content-Security-Policy has to allow only
// `script-src HOST; connect-src HOST`.

const HOME = new URL(".", import.meta.url).href;
const REMEMBERED_TURNS = 30; // in the page's storage
const HISTORY_TURNS = 3; // that a follow-up question may refer to
const STARTERS = 3; // questions to start with, where the page gives none
const AROUND = 900; // characters of the document shown on either side of a quote
const TICK_MS = 1000;
const RESUMING_MS = [500, 2000, 5000]; // pauses before a broken stream is taken up again
const LONGEST_KEPT = 20; // characters of a last word that no line break parts from its citation
const LENDS = ["key_missing", "token_invalid"]; // refusals after which the server lends a token
const NARROW = "(max-width: 30rem)";

const STAGES = {
  searching: "Searching the documents",
  reading: "Reading what was found",
  checking: "Pointing at what answers",
};
const REASONS = {
  no_evidence: "Nothing found",
  not_stated: "Not stated in the documents",
  off_topic: "Outside the documents",
  unsafe_request: "Not a question",
};
const ASKED_BACK = "One question first";
const ICONS = {
  scales: "M12 4v16M7 20h10M4 7.5h16M1.8 14 4.5 7.5 7.2 14a2.8 2.8 0 0 1-5.4 0zM16.8 14l2.7-6.5 2.7 6.5a2.8 2.8 0 0 1-5.4 0z",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M8 8h8v8H8z",
  close: "M6 6l12 12M18 6 6 18",
  back: "M14.5 5.5 8 12l6.5 6.5",
  clear: "M5 7h14M10 7V4.5h4V7M7 7l1 12.5h8L17 7",
  copy: "M9 9h10.5v10.5H9zM5 15V4.5h10.5",
  thumb: "M7.5 11v9H4v-9zM7.5 11l4-7c1.6 0 2.3 1.1 2 2.6L12.7 10h5.7a1.7 1.7 0 0 1 1.6 2.2l-1.8 6.3A2 2 0 0 1 16.3 20H7.5",
  again: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4v5h-5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  out: "M9 6h9v9M18 6 6.5 17.5",
};

// -- the server ---------------------------------------------------------------------------------

/** What the server refused, or why it was not reached. `message` is for readers. */
export class Problem extends Error {
  constructor({ code, detail }, status = 0) {
    super(detail);
    this.code = code;
    this.status = status;
  }
}

/** A knowledge base's HTTP interface. token: a string or a function that gives one; without one,
 * and where the server asks for it, it lends the page a short-lived one. */
export class Server {
  constructor(base, token = () => null) {
    this.base = base.endsWith("/") ? base : `${base}/`;
    this.token = token;
    this.texts = new Map();
  }

  /** The response. Throws Problem; AbortError when `signal` aborts. */
  async call(path, options = {}) {
    const own = typeof this.token === "function" ? await this.token() : this.token;
    const used = own || this.lent;
    try {
      return await this.#send(path, options, used);
    } catch (error) {
      if (own || !LENDS.includes(error.code)) throw error;
      if (this.lent === used) await this.#borrow(); // else another call has, in the meantime
      return this.#send(path, options, this.lent);
    }
  }

  async #send(path, { method = "GET", body, signal, headers = {} }, token) {
    const sent = { ...headers, ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(this.base + path, { method, body, signal, headers: sent }).catch((error) => {
      throw error.name === "AbortError" ? error : new Problem({ code: "unreachable", detail: "the server can't be reached" });
    });
    if (response.ok) return response;
    const told = await response.json().catch(() => ({}));
    throw new Problem({ detail: `the server answered with status ${response.status}`, ...told }, response.status);
  }

  /** Calls that come together share one token. */
  #borrow() {
    this.borrowing ??= this.#send("v1/widget/token", { method: "POST" })
      .then(async (response) => (this.lent = (await response.json()).token))
      .finally(() => (this.borrowing = null));
    return this.borrowing;
  }

  async get(path) {
    return (await this.call(path)).json();
  }

  post(path, body, { headers, ...rest } = {}) {
    const json = { "Content-Type": "application/json", ...headers };
    return this.call(path, { method: "POST", body: JSON.stringify(body), headers: json, ...rest });
  }

  /** Yields {event, data} of a question's stream, as checked. Where the connection breaks it goes
   * on from the last event that came. Throws like `call`. */
  async *ask(body, signal) {
    const pauses = [...RESUMING_MS];
    let seen;
    for (;;) {
      const headers = { Accept: "text/event-stream", ...(seen && { "Last-Event-ID": seen }) };
      try {
        const response = await this.post("v1/ask", body, { signal, headers });
        for await (const sent of events(response.body)) {
          if (sent.event === "done") return;
          if (sent.event === "error") throw new Problem(sent.data);
          seen = sent.id ?? seen;
          yield sent;
        }
      } catch (error) {
        const broken = error instanceof TypeError || error.code === "unreachable";
        if (!broken || !seen) throw error;
      }
      if (!seen || !pauses.length) throw new Problem({ code: "broken_off", detail: "the connection broke off" });
      await new Promise((resolve) => setTimeout(resolve, pauses.shift()));
    }
  }

  /** A stored text with its title, publisher and date. Revisions never change: asked for once. */
  revision({ document_id: id, revision }) {
    const path = `v1/documents/${encodeURIComponent(id)}/revisions/${encodeURIComponent(revision)}`;
    if (!this.texts.has(path)) {
      const text = this.get(path);
      text.catch(() => this.texts.delete(path));
      this.texts.set(path, text);
    }
    return this.texts.get(path);
  }

  /** The page that shows a span of a stored text. */
  place({ document_id: id, revision, start, end }) {
    const span = end === undefined ? "" : `#${start}-${end}`;
    return `${this.base}source/${encodeURIComponent(id)}/${encodeURIComponent(revision)}${span}`;
  }
}

/** Yields {event, id, data} of an event stream. Comments only keep the connection open. */
export async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let waiting = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (waiting + value).split(/\r?\n\r?\n/);
      waiting = blocks.pop();
      yield* blocks.map(parsed).filter(Boolean);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(block) {
  const fields = block.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/s.exec(line)).filter(Boolean);
  const of = (name) => fields.filter((field) => field[1] === name).map((field) => field[2]);
  const [event] = of("event");
  return event ? { event, id: of("id").at(-1), data: JSON.parse(of("data").join("\n")) } : null;
}

// -- text ---------------------------------------------------------------------------------------

/** Where in `text` its nth code point starts: the server counts those, JavaScript UTF-16 units. */
export function unitsAt(text, points) {
  let at = 0;
  for (let n = 0; n < points && at < text.length; n++) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return at;
}

/** `text[start:end]` marked, with what stands around it: [before, mark, after]. */
export function marked(text, start, end, around = Infinity) {
  const [from, to] = [unitsAt(text, start), unitsAt(text, end)];
  const [first, last] = [Math.max(0, from - around), Math.min(text.length, to + around)];
  return [
    (first > 0 ? "…" : "") + text.slice(first, from).toWellFormed(),
    make("mark", {}, text.slice(from, to)),
    text.slice(to, last).toWellFormed() + (last < text.length ? "…" : ""),
  ];
}

/** "2026-05" is "as of May 2026": no more precise than the source is. */
export function dated(asOf) {
  const [year, month, day] = (asOf ?? "").split("-");
  if (!year) return "undated";
  const precise = { year: "numeric", ...(month && { month: "long" }), ...(day && { day: "numeric" }) };
  const date = new Date(`${year}-${month ?? "01"}-${day ?? "01"}T00:00:00Z`);
  if (Number.isNaN(date.valueOf())) return `as of ${asOf}`;
  return `as of ${date.toLocaleDateString("en-GB", { ...precise, timeZone: "UTC" })}`;
}

function reasonOf(error) {
  if (error.name === "AbortError") return "Stopped.";
  if (!(error instanceof Problem)) throw error;
  return `${error.message[0].toUpperCase()}${error.message.slice(1)}.`;
}

function withSources(answer) {
  const lines = byMarker(answer.citations).map(
    (c) => `[${c.marker}] ${[c.title, c.publisher, dated(c.as_of)].filter(Boolean).join(", ")}: “${c.quote.trim()}”`,
  );
  return [answer.text, ...(lines.length ? ["", "Sources", ...lines] : [])].join("\n");
}

function byMarker(citations) {
  return [...new Map(citations.map((c) => [c.marker, c])).values()].sort((a, b) => a.marker - b.marker);
}

/** The answer as strings, markers and {marked} words: cited sentences as they stand, the [n] between
 * them apart. */
function pieces({ text, citations, marked = [] }) {
  const marks = marked.map(([start, end]) => [unitsAt(text, start), unitsAt(text, end)]);
  const ends = new Map(citations.map((c) => [c.answer_start, c.answer_end]));
  const found = [];
  let at = 0;
  const between = (upTo) => {
    const parts = text.slice(at, upTo).split(/\[(\d+)\]/);
    found.push(...parts.map((part, i) => (i % 2 ? Number(part) : part)));
  };
  for (const [start, end] of [...ends].sort((a, b) => a[0] - b[0])) {
    const [from, to] = [unitsAt(text, start), unitsAt(text, end)];
    between(from);
    found.push(...withMarks(text, from, to, marks));
    at = to;
  }
  between(text.length);
  return found;
}

function withMarks(text, from, to, marks) {
  const found = [];
  let at = from;
  for (const [start, end] of marks.filter(([start, end]) => from <= start && end <= to)) {
    if (start < at) continue;
    found.push(text.slice(at, start), { marked: text.slice(start, end) });
    at = end;
  }
  return [...found, text.slice(at, to)];
}

// -- elements -----------------------------------------------------------------------------------

/** make("p.note", {hidden: true, click: f}, "text", node). Functions listen; the rest are
 * attributes, which are never `style` nor `on…`: policies forbid those. */
export function make(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  made.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== false && value != null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child != null && child !== ""));
  return made;
}

function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function iconButton(name, label, click, attributes = {}) {
  return make("button.icon", { type: "button", "aria-label": label, title: label, click, ...attributes }, icon(name));
}

/** Text from outside: its direction is its own, and ends with it. */
function foreign(name, text, attributes = {}) {
  return make(name, { dir: "auto", ...attributes }, text);
}

/** The parts that there are, with a separator between each two. */
export function joined(parts, separator = " · ") {
  return parts.filter(Boolean).flatMap((part, i) => (i ? [separator, part] : [part]));
}

/** Title, publisher and date of a source, each kept apart from the others' direction. */
function from({ title, publisher, as_of: asOf }) {
  const facts = [publisher && foreign("bdi", publisher), make("time", { datetime: asOf }, dated(asOf))];
  return [foreign("cite", title), make("span.facts", {}, ...joined(facts))];
}

/** A table row reads better as cells; nothing but the lines between them is left out. */
function quoted(quote) {
  const row = quote.trim();
  const cells = /^\|[^\n]*\|$/.test(row) ? row.slice(1, -1).split("|").map((cell) => cell.trim()) : [];
  return cells.length
    ? make("blockquote.row", {}, ...cells.filter(Boolean).map((cell) => foreign("span", cell)))
    : foreign("blockquote", quote);
}

// -- a turn -------------------------------------------------------------------------------------

/** A question and what became of it. `told` is what storage keeps: {question, answer?, note?, rating?}. */
class Turn {
  constructor(widget, told) {
    this.widget = widget;
    this.told = told;
    this.body = make("div.reply");
    this.element = make("article.turn", {}, foreign("h3.question", told.question), this.body);
    if (told.answer) this.answered(told.answer);
    else this.failed(told.note ?? "Interrupted.");
  }

  begin() {
    this.told = { question: this.told.question };
    this.known = [];
    this.text = foreign("p.text", "");
    this.stage = make("span", {}, `${STAGES.searching}…`);
    const elapsed = make("span.elapsed", { "aria-hidden": "true" });
    this.found = make("p.found", { hidden: true });
    this.body.replaceChildren(make("p.stage", {}, make("i.pulse"), this.stage, elapsed), this.found, this.text);
    this.body.setAttribute("aria-busy", "true");
    const started = performance.now();
    this.ticking = setInterval(() => {
      elapsed.textContent = `${Math.round((performance.now() - started) / 1000)} s`;
    }, TICK_MS);
  }

  end() {
    clearInterval(this.ticking);
    this.body.removeAttribute("aria-busy");
  }

  take(event, data) {
    if (event === "status") this.stage.textContent = `${STAGES[data.stage] ?? data.stage}…`;
    if (event === "status" && data.stage === "searching") this.anew();
    if (event === "evidence") this.evidence(data.evidence);
    if (event === "sentence") this.sentence(data);
    if (event === "conflict") this.text.replaceWith(this.conflict(data, this.known));
    if (event === "answer") this.finished(data);
  }

  /** A document was deleted meanwhile: what was shown is void. */
  anew() {
    this.known.length = 0;
    this.text.replaceChildren();
  }

  evidence(passages) {
    const titles = [...new Set(passages.map((passage) => passage.title))];
    this.found.replaceChildren("Found in ", ...joined(titles.map((title) => foreign("bdi", title)), ", "));
    this.found.hidden = titles.length === 0;
  }

  sentence({ text, citations }) {
    this.known.push(...citations);
    this.text.append(...together(`${text} `, ...byMarker(citations).map((c) => this.chip(c))), " ");
    this.widget.announce(text);
  }

  finished(answer) {
    const held = this.widget.focused?.dataset.marker;
    this.told.answer = answer;
    this.answered(answer);
    if (held) this.body.querySelector(`[data-marker="${CSS.escape(held)}"]`)?.focus();
    if (answer.outcome === "refused") this.widget.announce(`${whyNot(answer)}. ${answer.text}`);
    else if (answer.outcome === "conflicting") this.widget.announce("The documents disagree.");
    else this.widget.announce(`Answered, with ${count(byMarker(answer.citations).length, "source")}.`);
  }

  failed(note) {
    this.told.note = note;
    const kept = this.known?.length ? this.text : null;
    const said = foreign("p.note", note);
    this.body.replaceChildren(...[kept, said, this.actions()].filter(Boolean));
  }

  answered(answer) {
    const shown = {
      quoted: () => [label("Closest passages"), this.prose(answer)],
      conflicting: () => this.disagreement(answer),
      refused: () => this.refusal(answer),
    }[answer.outcome]?.() ?? [this.prose(answer)];
    this.body.className = `reply ${answer.outcome}`;
    this.body.replaceChildren(this.understood(answer) ?? "", ...shown, this.sources(answer), this.actions(answer));
  }

  understood({ question, standalone_question: standalone }) {
    if (!standalone || standalone === question) return null;
    return make("p.understood", {}, "Understood as ", foreign("q", standalone));
  }

  prose(answer) {
    const known = new Map(answer.citations.map((c) => [c.marker, c]));
    const shown = [];
    let text = "";
    for (const piece of pieces(answer)) {
      if (known.has(piece)) {
        shown.push(...together(text, this.chip(known.get(piece))));
        text = "";
      } else if (piece.marked) {
        shown.push(text, make("mark", {}, piece.marked));
        text = "";
      } else text += typeof piece === "number" ? `[${piece}]` : piece;
    }
    return append(foreign("p.text", ""), [...shown, text]);
  }

  /** The cards say all that the text says, unless it holds more than the positions. */
  disagreement(answer) {
    const sided = new Set(answer.conflicts.flatMap((c) => c.positions.flatMap((p) => p.citations)));
    const more = answer.citations.some((c) => !sided.has(c.marker));
    const cards = answer.conflicts.map((conflict) => this.conflict(conflict, answer.citations));
    return [label("The documents disagree"), ...(more ? [this.prose(answer)] : []), ...cards];
  }

  conflict({ about, positions }, citations) {
    const sides = positions.map(({ statement, citations: markers }) => {
      const cited = byMarker(citations.filter((c) => markers.includes(c.marker)));
      const said = append(foreign("p", ""), together(`${statement} `, ...cited.map((c) => this.chip(c))));
      const sources = new Map(cited.map((c) => [c.revision, c]));
      return make("li.side", {}, said, ...[...sources.values()].map((c) => make("p.from", {}, ...from(c))));
    });
    const heading = about === this.told.question ? null : foreign("h4", `On ${about}`);
    return make("div.conflict", {}, heading, make("ul.sides", {}, ...sides));
  }

  refusal(answer) {
    const asked = (answer.suggestions ?? []).map((question) => this.widget.starter(question));
    return [
      label(whyNot(answer)),
      foreign("p.text", answer.text),
      asked.length ? make("section.suggested", {}, make("h4", {}, asksBack(answer) ? "You could ask" : "The documents do answer"), make("div.starters", {}, ...asked)) : "",
    ];
  }

  chip(citation) {
    const { marker, title } = citation;
    const click = (event) => this.widget.read(citation, event.currentTarget);
    return make("button.chip", { type: "button", "data-marker": marker, "aria-label": `Source ${marker}: ${title}`, click }, String(marker));
  }

  sources(answer) {
    const refused = answer.outcome === "refused";
    const listed = refused ? answer.nearest : byMarker(answer.citations);
    if (!listed.length || answer.outcome === "conflicting") return "";
    const rows = listed.map((source) => {
      const click = (event) => this.widget.read(source, event.currentTarget);
      const number = source.marker ? make("span.number", {}, String(source.marker)) : null;
      return make("li", {}, make("button.source-row", { type: "button", click }, number, make("span.about", {}, ...from(source), quoted(source.quote))));
    });
    return make("section.sources", {}, make("h4", {}, refused ? "The nearest passages" : "Sources"), make("ol", {}, ...rows));
  }

  actions(answer) {
    const { widget } = this;
    const again = iconButton("again", answer ? "Ask again" : "Retry", () => widget.run(this));
    if (!answer) return make("div.actions", {}, again);
    const copy = iconButton("copy", "Copy with sources", async () => {
      widget.announce((await copied(withSources(answer))) ? "Copied." : "Copying is not allowed here.");
      copy.classList.add("done");
    });
    this.thumbs = ["up", "down"].map((rating) =>
      iconButton("thumb", rating === "up" ? "Helpful" : "Not helpful", () => this.rate(rating), { "data-rating": rating }),
    );
    this.showRating();
    return make("div.actions", {}, copy, ...this.thumbs, again, make("span.facts", {}, ...joined(facts(answer))));
  }

  showRating() {
    for (const thumb of this.thumbs) thumb.setAttribute("aria-pressed", String(this.told.rating === thumb.dataset.rating));
  }

  async rate(rating) {
    const before = this.told.rating;
    if (rating === before) return;
    this.told.rating = rating;
    this.showRating();
    this.remark?.remove();
    try {
      await this.send(rating);
      this.widget.announce("Thank you.");
      if (rating === "down") this.askWhy();
    } catch (error) {
      this.told.rating = before;
      this.showRating();
      this.remark = make("p.note", {}, `Not stored: ${reasonOf(error)}`);
      this.body.append(this.remark);
    }
    this.widget.save();
  }

  send(rating, comment) {
    const body = { answer_id: this.told.answer.id, rating, ...(comment && { comment }) };
    return this.widget.server.post("v1/feedback", body);
  }

  askWhy() {
    const input = make("input", { "aria-label": "What was wrong?", placeholder: "What was wrong? (optional)", maxlength: 1000 });
    const submit = async (event) => {
      event.preventDefault();
      const sent = input.value.trim() ? this.send("down", input.value.trim()) : Promise.resolve();
      const words = await sent.then(() => "Thank you.", (error) => `Not stored: ${reasonOf(error)}`);
      this.remark.replaceWith((this.remark = make("p.note", {}, words)));
      this.widget.announce(words);
      this.widget.input.focus();
    };
    this.remark = make("form.why", { submit }, input, make("button.plain", { type: "submit" }, "Send"));
    this.body.append(this.remark);
    input.focus();
  }
}

/** Nothing was searched: what the question means can't be known before the reader says it. */
function asksBack({ reason, nearest }) {
  return reason === "not_stated" && nearest.length === 0;
}

function whyNot(answer) {
  return asksBack(answer) ? ASKED_BACK : (REASONS[answer.reason] ?? "Not answered");
}

function label(text) {
  return make("p.label", {}, text);
}

/** Text and the chips after it, of which none begins a line. */
function together(text, ...chips) {
  const cut = text.trimEnd().lastIndexOf(" ") + 1;
  if (text.length - cut > LONGEST_KEPT) return [text, ...chips];
  return [text.slice(0, cut), make("span.kept", {}, text.slice(cut), ...chips)];
}

function append(element, children) {
  element.append(...children);
  return element;
}

function count(n, noun) {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function facts({ timings_ms: timings, withheld, confidence }) {
  const sure = confidence === null || confidence === undefined ? null : Math.round(100 * confidence);
  return [
    sure === null ? "" : make("span", { title: "How probable it is that this answers the question" }, `${sure} % sure`),
    withheld ? make("span", { title: "What stands in no source was left out" }, `${count(withheld, "sentence")} withheld`) : "",
    timings?.total === undefined ? "" : make("span", {}, `${(timings.total / 1000).toFixed(1)} s`),
  ];
}

/** True where it worked. Pages without https have no clipboard, but still the older command. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { readonly: true, "aria-hidden": "true" });
    const held = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement;
    area.value = text;
    document.body.append(area);
    area.select();
    const worked = document.execCommand("copy");
    area.remove();
    held?.focus();
    return worked;
  }
}

// -- the element --------------------------------------------------------------------------------

// Fetched and adopted, because a policy's style-src governs neither of the two.
const sheet = new CSSStyleSheet();
const styled = fetch(new URL("widget.css", import.meta.url))
  .then((response) => response.text())
  .then((text) => sheet.replace(text));

export class WeighBridge extends HTMLElement {
  static observedAttributes = ["title", "accent", "questions"];

  /** For servers that ask for one: a string, or a function that gives it or a promise of it. */
  token = null;
  #turns = [];
  #asking = null;

  connectedCallback() {
    if (this.shadowRoot) return;
    this.server = new Server(this.getAttribute("server") || HOME, () =>
      typeof this.token === "function" ? this.token() : this.token,
    );
    this.#build();
    this.#recall();
    styled.then(
      () => (this.root.hidden = false),
      () => console.error(`weigh-bridge: ${HOME}widget.css can't be loaded; this page's policy must allow connect-src ${HOME}`),
    );
  }

  disconnectedCallback() {
    this.stop();
  }

  attributeChangedCallback() {
    if (this.shadowRoot) this.#dress();
  }

  get inline() {
    return this.getAttribute("mode") === "inline";
  }

  get focused() {
    return this.shadowRoot.activeElement;
  }

  // -- what a page may call

  /** Asks, and shows what comes. */
  ask(question) {
    const asked = question.trim();
    if (!asked) return Promise.resolve();
    const turn = new Turn(this, { question: asked });
    this.#turns.push(turn);
    this.log.append(turn.element);
    this.#greet();
    this.show();
    return this.run(turn);
  }

  stop() {
    this.#asking?.abort();
  }

  /** Forgets the conversation: here, in the page's storage, and on the server. */
  clear() {
    this.stop();
    const stored = new Set(this.#turns.map(({ told }) => told.answer?.conversation_id).filter(Boolean));
    for (const id of stored) {
      const path = `v1/conversations/${encodeURIComponent(id)}`;
      this.server.call(path, { method: "DELETE" }).catch(() => {}); // it may store none, or have let it expire
    }
    this.unread();
    for (const turn of this.#turns.splice(0)) turn.element.remove();
    this.live.replaceChildren();
    this.#greet();
    this.save();
    this.input.focus();
  }

  show() {
    if (this.inline || this.frame.open) return;
    if (matchMedia(NARROW).matches) this.frame.showModal();
    else this.frame.show();
    this.launcher.setAttribute("aria-expanded", "true");
    this.input.focus();
    this.#follow(true);
    this.#greet();
  }

  hide() {
    if (this.inline || !this.frame.open) return;
    this.frame.close();
    this.launcher.setAttribute("aria-expanded", "false");
    this.launcher.focus();
  }

  /** Offers questions that the documents answer, as they are at this moment, unless the page gives
   * its own. Called by itself when the welcome is first seen. */
  async suggest() {
    this.suggested = true;
    if (this.hasAttribute("questions")) return;
    const path = `v1/suggestions?count=${STARTERS}`;
    const found = await this.server.get(path).catch(() => ({ suggestions: [] })); // then without
    if (!this.hasAttribute("questions")) this.#offer(found.suggestions);
  }

  #greet() {
    this.welcome.hidden = this.#turns.length > 0;
    this.clearButton.hidden = !this.welcome.hidden;
    const seen = !this.welcome.hidden && (this.inline || this.frame.open);
    if (seen && !this.suggested) this.suggest();
  }

  #offer(questions) {
    this.starters.replaceChildren(...questions.map((question) => this.starter(question)));
  }

  // -- asking

  async run(turn) {
    this.stop();
    const asking = (this.#asking = new AbortController());
    this.live.replaceChildren();
    turn.begin();
    this.save(); // so that a reload in the middle leaves the question
    this.announce(`${STAGES.searching}.`);
    this.#busy(true);
    this.#follow(true, turn);
    try {
      for await (const { event, data } of this.server.ask(this.#request(turn), asking.signal)) {
        turn.take(event, data);
        this.#follow(false, turn);
      }
    } catch (error) {
      turn.failed(reasonOf(error));
      this.announce(turn.told.note);
    } finally {
      turn.end();
      if (this.#asking === asking) this.#busy(false);
      this.#follow(false, turn);
      this.save();
    }
  }

  #request(turn) {
    const earlier = this.#turns.slice(0, this.#turns.indexOf(turn)).filter(({ told }) => told.answer);
    const history = earlier.slice(-HISTORY_TURNS).flatMap(({ told }) => [
      { role: "user", content: told.answer.standalone_question || told.question },
      { role: "assistant", content: told.answer.text },
    ]);
    const conversation = earlier.at(-1)?.told.answer.conversation_id;
    return { question: turn.told.question, history, ...(conversation && { conversation_id: conversation }) };
  }

  #busy(yes) {
    const held = this.focused === this.sendButton || this.focused === this.stopButton;
    this.sendButton.hidden = yes;
    this.stopButton.hidden = !yes;
    if (held) this.input.focus();
  }

  announce(text) {
    this.live.append(foreign("p", text));
  }

  /** Keeps a turn's beginning in view, unless the reader has scrolled somewhere else. */
  #follow(anyway, turn = this.#turns.at(-1)) {
    if (!turn || !(anyway || Math.abs(this.log.scrollTop - this.left) < 4)) return;
    this.log.scrollTop = turn.element.offsetTop - this.log.offsetTop - 8;
    this.left = this.log.scrollTop;
  }

  // -- reading a source

  /** Opens the stored text at the quote; `opener` gets the focus back. */
  async read(citation, opener) {
    this.opener = opener;
    const [title, facts] = from(citation);
    const text = foreign("div.stored", "", { tabindex: 0, role: "region", "aria-label": "Stored text" });
    const check = make("p.check", {}, "Fetching the stored text…");
    this.heading.replaceChildren(title);
    this.page.replaceChildren(make("p.from", {}, facts), foreign("p.path", citation.heading === citation.title ? "" : citation.heading), check, text, this.#wholeLink(citation));
    this.#reading(true);
    try {
      this.#shown(await this.server.revision(citation), citation, text, check);
    } catch (error) {
      check.textContent = reasonOf(error);
      check.classList.add("wrong");
      text.append(quoted(citation.quote));
    }
  }

  #shown(stored, { document_id: id, quote, start, end }, text, check) {
    const parts = marked(stored.text, start, end, AROUND);
    text.append(...parts);
    const same = parts[1].textContent === quote;
    check.classList.add(same ? "right" : "wrong");
    check.replaceChildren(...(same ? [icon("check"), "The quote is in the stored text, word for word."] : ["The stored text differs from the quote!"]));
    if (stored.newer_revision) {
      const href = this.server.place({ document_id: id, revision: stored.newer_revision });
      check.after(make("p.newer", {}, "A newer revision exists. ", make("a", { href, target: "_blank", rel: "noopener" }, "Open it")));
    }
    text.scrollTop = parts[1].offsetTop - text.offsetTop - text.clientHeight / 3;
  }

  #wholeLink(citation) {
    const href = this.server.place(citation);
    return make("a.whole", { href, target: "_blank", rel: "noopener" }, "Open the whole document", icon("out"));
  }

  unread() {
    if (this.aside.hidden) return;
    this.#reading(false);
    this.opener?.focus();
  }

  #reading(yes) {
    this.aside.hidden = !yes;
    this.desk.classList.toggle("reading", yes);
    this.#cover();
    if (yes) this.heading.focus();
  }

  /** What the source lies over can't be reached until it is closed. */
  #cover() {
    this.talk.inert = !this.aside.hidden && getComputedStyle(this.aside).position === "absolute";
  }

  // -- the page's storage: of one tab, and gone with it

  get #key() {
    return `weighbridge ${this.server.base}`;
  }

  save() {
    const told = this.#turns.slice(-REMEMBERED_TURNS).map((turn) => turn.told);
    try {
      if (told.length) sessionStorage.setItem(this.#key, JSON.stringify(told));
      else sessionStorage.removeItem(this.#key);
    } catch {
      // Pages may forbid storage, or have filled it: then a reload forgets.
    }
  }

  #recall() {
    try {
      for (const told of JSON.parse(sessionStorage.getItem(this.#key)) ?? []) {
        this.#turns.push(new Turn(this, told));
      }
    } catch {
      this.#turns = []; // forbidden, or of another version
    }
    this.log.append(...this.#turns.map((turn) => turn.element));
    this.#greet();
    requestAnimationFrame(() => this.#follow(true));
  }

  // -- building

  #build() {
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.live = make("div.unseen", { role: "status", "aria-live": "polite" });
    this.name = make("h2", { id: "name" });
    this.frame = this.inline
      ? make("section.frame", { "aria-labelledby": "name" })
      : make("dialog.frame.floating", { "aria-labelledby": "name" });
    this.desk = make("div.desk", {}, this.#talk(), this.#aside());
    this.frame.append(this.desk, this.live);
    // An empty title keeps the attribute's own tooltip off everything inside.
    this.root = make("div.root", { hidden: true, title: "" }, this.inline ? null : this.#launcher(), this.frame);
    this.root.addEventListener("keydown", (event) => this.#escape(event));
    new ResizeObserver(() => this.#cover()).observe(this.frame);
    this.shadowRoot.append(this.root);
    this.#dress();
  }

  #talk() {
    this.clearButton = iconButton("clear", "Clear the conversation", () => this.clear());
    const tools = [this.clearButton, this.inline ? null : iconButton("close", "Close", () => this.hide())];
    this.starters = make("div.starters", { role: "group", "aria-label": "Questions to start with" });
    this.welcome = make(
      "div.welcome",
      {},
      icon("scales"),
      make("p.greeting", {}, "What would you like to know?"),
      make("p", {}, "Answers come from the documents, each with the quote it rests on."),
      this.starters,
    );
    this.log = make("div.log", { tabindex: 0, role: "region", "aria-label": "Conversation" }, this.welcome);
    this.talk = make("div.talk", {}, make("header.bar", {}, icon("scales"), this.name, ...tools), this.log, this.#composer());
    return this.talk;
  }

  #composer() {
    this.input = make("textarea", { rows: 1, dir: "auto", "aria-label": "Your question", placeholder: "Ask the documents", enterkeyhint: "send" });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.sendButton = iconButton("send", "Ask", () => this.#submit());
    this.stopButton = iconButton("stop", "Stop", () => this.stop(), { hidden: true });
    return make("div.composer", {}, make("div.field", {}, this.input, this.sendButton, this.stopButton), make("p.promise", {}, "Every sentence is checked against its source."));
  }

  #submit() {
    const question = this.input.value;
    this.input.value = "";
    this.ask(question);
  }

  #aside() {
    this.heading = make("h2", { id: "source", tabindex: -1 });
    this.page = make("div.page");
    const back = iconButton("back", "Close the source", () => this.unread());
    this.aside = make("aside.source", { hidden: true, "aria-labelledby": "source" }, make("header.bar", {}, back, this.heading), this.page);
    return this.aside;
  }

  #launcher() {
    const click = () => (this.frame.open ? this.hide() : this.show());
    this.launcher = make("button.launcher", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", click }, icon("scales"));
    return (this.shore = make("div", { role: "region" }, this.launcher));
  }

  #dress() {
    const title = this.getAttribute("title") || "Ask the documents";
    const accent = this.getAttribute("accent");
    this.name.textContent = title;
    this.launcher?.setAttribute("aria-label", title);
    this.shore?.setAttribute("aria-label", title);
    if (accent && CSS.supports("color", accent)) this.root.style.setProperty("--accent", accent);
    else this.root.style.removeProperty("--accent");
    const questions = this.getAttribute("questions")?.split("|").map((question) => question.trim());
    if (questions) this.#offer(questions.filter(Boolean));
  }

  starter(question) {
    return foreign("button.starter", question, { type: "button", click: () => this.#started(question) });
  }

  /** The button that was pressed may be gone: the focus goes where the next question is written. */
  #started(question) {
    this.ask(question);
    this.input.focus();
  }

  #escape(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    if (this.aside.hidden && this.inline) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.aside.hidden) this.hide();
    else this.unread();
  }
}

if (!customElements.get("weigh-bridge")) customElements.define("weigh-bridge", WeighBridge);
