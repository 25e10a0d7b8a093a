function section(title, ...inside) {
  return make("section", { class: "card" }, make("div", { class: "bar" }, make("h2", {}, title)), make("div", { class: "inside" }, ...inside));
}

function block(text, shown = make("pre", {}, text)) { return make("div", { class: "block" }, shown, copyButton(() => text)); }

function rows(schema, root, path = "", depth = 0) {
  schema = resolve(schema, root);
  const solid = optional(schema, root) ?? schema;
  const here = solid.type === "array" ? resolve(solid.items, root) : solid;
  if (depth > 5 || !here.properties) return [];
  const must = new Set(here.required ?? []);
  return Object.entries(here.properties).flatMap(([key, part]) => {
    const shape = resolve(part, root);
    const at = [`${path}${solid.type === "array" ? "[]" : ""}`, key].filter(Boolean).join(".");
    const more = [must.has(key) ? "required" : "", limitsOf(shape), shape.enum ? shape.enum.map((v) => JSON.stringify(v)).join(" | ") : "",
      "default" in shape ? `default ${JSON.stringify(shape.default)}` : ""].filter(Boolean).join(", ");
    const row = make("tr", {}, make("td", { class: "where" }, at), make("td", {}, typeName(shape, root)),
      make("td", {}, ...[shape.description ?? "", shape.description && more ? " " : "", make("span", { class: "hint" }, more)]));
    return isFile(shape, root) ? [row] : [row, ...rows(part, root, at, depth + 1)];
  });
}

function shape(schema, media) {
  const found = rows(schema, schema);
  const table = found.length
    ? make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, "Name"), make("th", {}, "Type"), make("th", {}, ""))), make("tbody", {}, ...found))
    : make("p", {}, typeName(resolve(schema, schema), schema), " ", make("span", { class: "hint" }, limitsOf(schema)));
  return [make("p", { class: "facts" }, ...(media ?? []).map((kind) => make("span", { class: "pill" }, kind))), table,
    make("details", {}, make("summary", { class: "hint" }, "JSON Schema"), block(pretty(schema), coloured(pretty(schema))))];
}

function table(head, entries) {
  return make("table", {}, make("thead", {}, make("tr", {}, ...head.map((name) => make("th", {}, name)))),
    make("tbody", {}, ...entries.map((cells) => make("tr", {}, ...cells.map((cell, at) => make("td", { class: at ? "" : "where" }, cell))))));
}

const example = (contract.examples ?? [])[0] ?? sample(contract.input, contract.input);
const body = JSON.stringify(example);
const type = "application/json";
const accept = contract.stream ? "text/event-stream" : undefined;
const single = resolve(contract.input, contract.input);
const limit = about.limits.body_bytes >= 1048576 ? `${+(about.limits.body_bytes / 1048576).toFixed(1)} MiB` : `${about.limits.body_bytes} bytes`;
const calls = [make("h3", {}, "JSON"), block(curl("invocations", { body, type, accept, token: true }))];
if (contract.answers?.length) {
  const answer = pretty(contract.answers[0]);
  const shown = answer.length > 1500 ? `${answer.slice(0, 1500)} ...` : answer;
  calls.push(make("h3", {}, "Its answer"), block(shown, coloured(shown)));
}
if (isFile(single, contract.input)) calls.push(make("h3", {}, "Raw bytes"), block(curl("invocations", { file: "input.png", type: "image/png", token: true })));

find("docs").append(
  section("Call it", make("p", {}, `POST one input to /invocations, at most ${limit}; the answer comes within ${about.limits.timeout_s} s or not at all. `,
    "Leave the token out where the endpoint asks for none."), ...calls),
  section("Input", ...shape(contract.input, contract.input_media)),
  section("Output", ...shape(contract.output, contract.output_media)),
  section("Later instead of now", make("p", {}, "A job survives the connection. Submit it, then read it by its id until its status is succeeded or failed."),
    block(curl("jobs", { body, type, token: true })), make("p", {}), block(curl("jobs/ID", { method: "GET", token: true }))),
  section("Routes", table(["Route", "What it does"], [
    ["POST /invocations", "One inference; /predict is the same."], ["POST /jobs", "One inference, later. Idempotency-Key, X-Preheat-Webhook and X-Preheat-Ttl-S are read."],
    ["GET /jobs/ID", "The job: status, attempts, times, and its result."], ["GET /jobs/ID/result", "The answer as the handler gave it."], ["DELETE /jobs/ID", "Cancels a job that has not finished."],
    ["GET /ping, /readyz", "200 when a request would be taken, otherwise 503."], ["GET /healthz", "200 while the process lives."], ["GET /metrics", "Prometheus text."],
    ["GET /schema, /openapi.json", "The contract, for machines."]])),
  section("Errors", make("p", {}, "Every error is a problem document (RFC 9457) with type, title, status and detail; its instance names the request, as x-request-id does."),
    table(["Status", "Meaning"], [["400", "The input does not fit; errors points into it."], ["401", "The token is missing or wrong."], ["408", "The body did not arrive in time."], ["413", "The body exceeds a limit."],
      ["415", "The handler does not read this media type."], ["429", "The queue is full; see Retry-After."], ["500", "predict failed; the logs have the details."], ["502", "The process ended while it answered."],
      ["503", "Nothing can answer now; see Retry-After."], ["504", "No answer within the time limit."]])),
);
