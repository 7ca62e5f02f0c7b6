// A question over the wire: its events as they come, failures as problems.

export class Problem extends Error {
  constructor(problem) {
    super(problem.detail);
    this.code = problem.code;
  }
}

/** Yields {event, data} of POST /v1/ask. Throws Problem; AbortError when `signal` aborts. */
export async function* ask(body, signal) {
  const response = await fetch("/v1/ask", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw new Problem(await response.json());
  for await (const sent of events(response.body)) {
    if (sent.event === "done") return;
    if (sent.event === "error") throw new Problem(sent.data);
    yield sent;
  }
  throw new Problem({ code: "broken_off", detail: "the connection broke off; ask again" });
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value;
    const blocks = waiting.split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      const sent = parsed(block);
      if (sent) yield sent;
    }
  }
}

/** Null for a comment, which only keeps the connection open. */
function parsed(block) {
  const lines = block.split("\n");
  const field = (name) =>
    lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length));
  const [event] = field("event: ");
  return event ? { event, data: JSON.parse(field("data: ").join("\n")) } : null;
}
