// An answer as a reader sees it. Every text comes from documents or a model, so it only ever
// becomes text nodes.

const OUTCOMES = {
  quoted: "Word for word from the documents",
  conflicting: "The documents disagree",
};
const REASONS = {
  no_evidence: "Nothing found",
  not_stated: "Not stated in the documents",
  off_topic: "Outside the documents",
  unsafe_request: "Not a question",
};
const STAGES = {
  searching: "Searching the documents",
  reading: "Reading what was found",
  checking: "Writing, and checking each sentence",
};
const AROUND = 400; // characters of the document shown before and after a quote

export class Turn {
  constructor(question, askAgain) {
    this.element = document.getElementById("turn").content.cloneNode(true).firstElementChild;
    this.askAgain = askAgain;
    this.part("h2").textContent = question;
    this.part(".stage").textContent = STAGES.searching;
  }

  part(selector) {
    return this.element.querySelector(selector);
  }

  stage(name) {
    this.part(".stage").textContent = STAGES[name];
  }

  /** A checked sentence, before the whole answer is there. */
  sentence({ text, citations }) {
    this.part(".text").append(text, " ", ...citations.map((c) => this.chip(c.marker)), " ");
    this.addSources(citations);
  }

  failed(message) {
    this.part(".stage").remove();
    this.say("Not answered", message);
    this.element.classList.add("failed");
  }

  /** The whole answer replaces what was shown of it so far. */
  answer(answer) {
    this.part(".stage").remove();
    this.part(".text").replaceChildren(...this.written(answer));
    this.part(".sources").replaceChildren();
    this.addSources(answer.citations);
    if (answer.outcome === "refused") this.refused(answer);
    else if (OUTCOMES[answer.outcome]) this.say(OUTCOMES[answer.outcome]);
    this.part(".conflicts").replaceChildren(
      ...answer.conflicts.map((conflict) => this.conflict(conflict, answer.citations)),
    );
    this.part(".suggestions").replaceChildren(...answer.suggestions.map((s) => this.suggestion(s)));
    this.part(".facts").textContent = facts(answer);
    this.element.classList.add(answer.outcome);
  }

  say(outcome, message) {
    this.part(".outcome").hidden = false;
    this.part(".outcome").textContent = outcome;
    if (message) this.part(".text").replaceChildren(message);
  }

  refused(answer) {
    this.say(REASONS[answer.reason], answer.text);
    if (answer.nearest.length === 0) return;
    this.title("The nearest passages");
    this.part(".sources").append(...answer.nearest.map((passage) => source(passage)));
  }

  title(words) {
    this.part(".sources-title").hidden = false;
    this.part(".sources-title").textContent = words;
  }

  addSources(citations) {
    const list = this.part(".sources");
    for (const citation of citations) {
      if (list.querySelector(`[data-marker="${citation.marker}"]`)) continue;
      const item = source(citation);
      item.dataset.marker = citation.marker;
      item.querySelector(".marker").textContent = citation.marker;
      list.append(item);
      this.title("The quotes it rests on");
    }
  }

  /** Sentences stand as they are; the [n] between them become chips. */
  written({ text, citations }) {
    const characters = Array.from(text); // offsets count code points
    const nodes = [];
    let end = 0;
    const between = (upTo) => {
      const pieces = characters.slice(end, upTo).join("").split(/\[(\d+)\]/);
      nodes.push(...pieces.map((piece, i) => (i % 2 ? this.chip(Number(piece)) : piece)));
    };
    for (const span of spans(citations)) {
      between(span.start);
      nodes.push(characters.slice(span.start, span.end).join(""));
      end = span.end;
    }
    between(characters.length);
    return nodes;
  }

  chip(marker) {
    const chip = element("button", "chip", String(marker));
    chip.type = "button";
    chip.setAttribute("aria-label", `Quote ${marker}`);
    chip.addEventListener("click", () => this.point(marker));
    return chip;
  }

  point(marker) {
    for (const item of this.element.querySelectorAll(".source")) item.classList.remove("shown");
    const item = this.part(`.source[data-marker="${marker}"]`);
    if (!item) return;
    item.classList.add("shown");
    item.scrollIntoView({ block: "nearest", behavior: "smooth" });
    item.focus({ preventScroll: true });
  }

  conflict({ about, positions }, citations) {
    const shown = element("div", "conflict");
    const sides = element("div", "sides");
    for (const { statement, citations: markers } of positions) {
      const side = element("div", "side");
      const said = element("p", "statement", statement);
      said.append(" ", ...markers.map((marker) => this.chip(marker)));
      side.append(said);
      for (const citation of citations.filter((c) => markers.includes(c.marker))) {
        side.append(element("p", "from", `${citation.title}, ${dated(citation.as_of)}`));
      }
      sides.append(side);
    }
    shown.append(element("h3", "", `On ${about}`), sides);
    return shown;
  }

  suggestion(question) {
    const button = element("button", "quiet", question);
    button.type = "button";
    button.addEventListener("click", () => this.askAgain(question));
    return button;
  }
}

function source(citation) {
  const item = document.getElementById("source").content.cloneNode(true).firstElementChild;
  quoted(item.querySelector("blockquote"), citation.quote);
  item.querySelector("cite").textContent = citation.title;
  item.querySelector("time").textContent = dated(citation.as_of);
  item.querySelector(".heading").textContent = citation.heading;
  const button = item.querySelector(".place");
  button.addEventListener("click", () => showPlace(citation, item, button));
  return item;
}

/** A table row reads better as cells; nothing but the lines between them is left out. */
function quoted(place, quote) {
  const row = quote.trim();
  if (!(row.startsWith("|") && row.endsWith("|")) || row.includes("\n")) {
    place.textContent = quote;
    return;
  }
  place.classList.add("row");
  place.append(...row.slice(1, -1).split("|").map((cell) => element("span", "cell", cell.trim())));
}

async function showPlace(citation, item, button) {
  const place = item.querySelector(".context");
  place.hidden = !place.hidden;
  button.textContent = place.hidden ? "Show in the document" : "Hide the document";
  if (place.hidden || place.hasChildNodes()) return;
  const { document_id: id, revision, start, end } = citation;
  const path = `/v1/documents/${encodeURIComponent(id)}/revisions/${encodeURIComponent(revision)}`;
  const response = await fetch(path);
  const stored = await response.json();
  if (!response.ok) {
    place.append(element("p", "", stored.detail));
    return;
  }
  const text = Array.from(stored.text);
  const cut = (from, to) => text.slice(Math.max(from, 0), to).join("");
  const page = element("p", "page", start > AROUND ? "…" : "");
  const same = cut(start, end) === citation.quote;
  page.append(cut(start - AROUND, start), element("mark", "", cut(start, end)));
  page.append(cut(end, end + AROUND), end + AROUND < text.length ? "…" : "");
  const newer = stored.newer_revision ? " A newer revision of this document exists." : "";
  const check = same ? "Checked: the stored text is the quote." : "The stored text differs!";
  place.append(page, element("p", "from", `${stored.uri}, from character ${start}. ${check}${newer}`));
  page.scrollTop = page.querySelector("mark").offsetTop - page.clientHeight / 4;
}

function spans(citations) {
  const found = new Map(citations.map((c) => [c.answer_start, c.answer_end]));
  return [...found].map(([start, end]) => ({ start, end })).sort((a, b) => a.start - b.start);
}

function facts(answer) {
  const { total } = answer.timings_ms;
  const withheld = answer.withheld
    ? [`${answer.withheld} ${answer.withheld === 1 ? "sentence" : "sentences"} withheld: no quote supports it`]
    : [];
  return [
    total === undefined ? answer.model : `${(total / 1000).toFixed(1)} s, ${answer.model}`,
    `corpus version ${answer.corpus_version}`,
    ...withheld,
  ].join(" · ");
}

function dated(asOf) {
  return asOf ? `as of ${asOf}` : "undated";
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
