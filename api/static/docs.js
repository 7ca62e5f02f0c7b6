// Shows /openapi.json: routes, fields, examples, and a line to try each route with.

const METHODS = ["get", "post", "put", "delete"];

const description = await (await fetch("/openapi.json")).json();
const schemas = description.components.schemas;

for (const [path, methods] of Object.entries(description.paths)) {
  for (const method of METHODS.filter((name) => methods[name])) showRoute(method, path, methods[method]);
}
document.getElementById("problem").textContent = pretty(exampleOf(schemas.Problem));
document.querySelector("#codes tbody").append(
  ...Object.entries(description["x-problem-codes"]).map(([code, status]) => {
    const row = tableRow([element("code", "", code), String(status)]);
    row.id = code;
    return row;
  }),
);
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();

function showRoute(method, path, operation) {
  const name = `${method.toUpperCase()} ${path}`;
  const id = operation.operationId;
  const link = element("a", "", name);
  link.href = `#${id}`;
  const entry = element("p");
  entry.append(link, ` ${operation.summary}`);
  document.getElementById("contents").append(entry);

  const [type, sent] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const body = resolved(sent?.schema);
  const section = element("section", "route");
  section.id = id;
  section.append(element("h2", "", name), prose(operation.description ?? operation.summary));
  section.append(element("h3", "", "Try it"), element("pre", "", curl(path, type, sent)));
  if (body?.properties) section.append(element("h3", "", "Request"), fields(body));
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!response.$ref) section.append(...shownResponse(status, response));
  }
  document.getElementById("routes").append(section);
}

function shownResponse(status, response) {
  const parts = [element("h3", "", `Response ${status}`)];
  if (!response.description.startsWith("Successful")) parts.push(prose(response.description));
  for (const [type, content] of Object.entries(response.content ?? {})) {
    const schema = resolved(content.schema) ?? {};  // a stream has one for its items
    parts.push(element("p", "media", type));
    if (schema.properties) parts.push(folded("Fields", fields(schema)));
    const example = content.example ?? exampleOf(schema);
    if (example !== undefined) parts.push(element("pre", "", pretty(example)));
  }
  return parts;
}

/** Text whose `code` stands between backticks. */
function prose(text) {
  const place = element("p");
  place.append(...text.split("`").map((piece, i) => (i % 2 ? element("code", "", piece) : piece)));
  return place;
}

function folded(title, content) {
  const details = element("details");
  details.append(element("summary", "", title), content);
  return details;
}

function fields(schema) {
  const table = element("table");
  const head = element("thead");
  head.append(tableRow(["field", "type", ""].map((title) => element("strong", "", title))));
  const rows = element("tbody");
  addRows(rows, schema, "");
  table.append(head, rows);
  const scroll = element("div", "scroll");
  scroll.append(table);
  return scroll;
}

/** Fields of fields are named by their path: `citations[].quote`. */
function addRows(rows, schema, prefix) {
  const required = schema.required ?? [];
  for (const [name, field] of Object.entries(schema.properties)) {
    const optional = schema.additionalProperties === false && !required.includes(name);
    const inner = innerOf(field);
    const words = [optional && "Optional.", field.description, inner !== field && inner.description];
    const note = words.filter(Boolean).join(" ");
    rows.append(tableRow([element("code", "", prefix + name), typeOf(field), note]));
    const below = resolved(inner.items ?? inner);
    if (below.properties) addRows(rows, below, `${prefix}${name}${inner.items ? "[]" : ""}.`);
  }
}

function innerOf(field) {
  return field.anyOf?.find((one) => one.type !== "null") ?? field;
}

function typeOf(field) {
  if (field.anyOf) return field.anyOf.map(typeOf).join(" or ");
  const schema = resolved(field);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  if (schema.const) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  return `${schema.type}${bounds(schema)}`;
}

function bounds({ minimum, maximum }) {
  const low = minimum === undefined ? "" : ` from ${minimum}`;
  return maximum === undefined || maximum > 1e6 ? low : `${low} to ${maximum}`;
}

function curl(path, type, sent) {
  const filled = path
    .replace("{document_id}", exampleOf(schemas.DocumentDetailOut).document_id)
    .replace("{revision}", exampleOf(schemas.RevisionOut).revision)
    .replace("{job_id}", exampleOf(schemas.JobOut).id);
  if (!sent) return `curl ${location.origin}${filled}`;
  const data = sent.example?.trim() ?? JSON.stringify(exampleOf(resolved(sent.schema)));
  const quoted = data.replaceAll("'", "'\\''");
  return `curl ${location.origin}${filled} -H 'Content-Type: ${type}' \\\n  --data-binary '${quoted}'`;
}

function resolved(schema) {
  return schema?.$ref ? schemas[schema.$ref.split("/").pop()] : schema;
}

function exampleOf(schema) {
  return schema.examples?.[0];
}

function pretty(example) {
  return typeof example === "string" ? example.trim() : JSON.stringify(example, null, 2);
}

function tableRow(cells) {
  const row = element("tr");
  for (const cell of cells) {
    const place = element("td");
    place.append(cell);
    row.append(place);
  }
  return row;
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
