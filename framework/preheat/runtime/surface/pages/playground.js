const root = contract.input;
const top = optional(resolve(root, root), root) ?? resolve(root, root);
const raw = isFile(top, root) && (contract.input_media ?? []).some((kind) => !["application/json", "multipart/form-data"].includes(kind));
const NAMED_TYPE = (contract.input_media ?? []).find((kind) => kind.startsWith("image/")) ? "image/png" : "application/octet-stream";
let field = null;
let running = null;

// A widget is {node, read}. read() returns the JSON value, or undefined for "leave it out"; a file on its own stays a File.
function widget(schema, value, pointer) {
  schema = resolve(schema, root);
  const loose = optional(schema, root);
  if (loose) {
    const inner = widget(loose, value ?? undefined, pointer);
    return { node: inner.node, read: () => { const now = inner.read(); return now === "" || now === undefined ? null : now; } };
  }
  if ("const" in schema) return { node: make("span", { class: "where" }, JSON.stringify(schema.const)), read: () => schema.const };
  if (schema.enum) return choice(schema, value);
  if (isFile(schema, root)) return upload(schema, value, pointer);
  switch (schema.type) {
    case "boolean": return toggle(value);
    case "integer": case "number": return number(schema, value);
    case "string": return text(schema, value, /\/\d+$/.test(pointer));
    case "object": if (schema.properties) return group(schema, value, pointer); break;
    case "array": if (!["array", "number", "integer", undefined].includes(resolve(schema.items, root).type)) return list(schema, value, pointer);
  }
  return json(value ?? sample(schema, root));
}

function choice(schema, value) {
  const node = make("select", {}, ...schema.enum.map((option, at) => make("option", { value: at }, String(option))));
  node.selectedIndex = Math.max(0, schema.enum.indexOf(value));
  return { node, read: () => schema.enum[node.selectedIndex] };
}

function toggle(value) {
  const box = make("input", { type: "checkbox" });
  box.checked = value === true;
  return { node: make("label", { class: "switch" }, box, "yes"), read: () => box.checked };
}

function number(schema, value) {
  const node = make("input", { type: "number", step: schema.type === "integer" ? 1 : "any", min: schema.minimum, max: schema.maximum, value });
  return { node, read: () => (node.value === "" ? undefined : Number(node.value)) };
}

function text(schema, value, inList) {
  const kinds = { date: "date", "date-time": "text", time: "text", uuid: "text" };
  const short = inList || schema.format in kinds || (schema.maxLength ?? 1000) <= 80;
  const node = short ? make("input", { type: kinds[schema.format] ?? "text" }) : make("textarea", { rows: 3 });
  node.value = typeof value === "string" ? value : "";
  return { node, read: () => node.value };
}

function json(value) {
  const node = make("textarea", { class: "code small", spellcheck: "false" });
  node.value = pretty(value ?? null);
  return { node, read: () => JSON.parse(node.value) };
}

function group(schema, value, pointer) {
  const must = new Set(schema.required ?? []);
  const parts = Object.entries(schema.properties).map(([key, part]) => {
    const at = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const shape = resolve(part, root);
    const inner = widget(part, value?.[key] ?? shape.default, at);
    const named = make("div", { class: "field", "data-pointer": at },
      make("div", { class: "label" }, key, make("span", { class: "kind" }, [typeName(shape, root), limitsOf(shape)].filter(Boolean).join(", ")),
        must.has(key) ? make("span", { class: "must" }, "required") : null),
      inner.node,
      shape.description ? make("p", { class: "hint" }, shape.description) : null);
    inner.node.setAttribute("aria-label", key);
    return { key, named, read: inner.read };
  });
  const read = () => {
    const pairs = parts.map(({ key, read: readPart }) => [key, readPart()]);
    return Object.fromEntries(pairs.filter(([key, now]) => now !== undefined && !(now === null && !must.has(key))));
  };
  return { node: make(pointer ? "fieldset" : "div", {}, ...parts.map((part) => part.named)), read };
}

function list(schema, value, pointer) {
  const items = [];
  const rows = make("div");
  const add = (now) => {
    const inner = widget(schema.items, now, `${pointer}/${items.length}`);
    const row = make("div", { class: "item" }, inner.node, make("button", { class: "plain", type: "button", "aria-label": "Remove", onclick: () => {
      items.splice(items.indexOf(inner), 1); row.remove(); refresh();
    } }, "✕"));
    items.push(inner); rows.append(row);
  };
  for (const now of Array.isArray(value) ? value : []) add(now);
  const more = make("button", { class: "plain", type: "button", onclick: () => { add(undefined); refresh(); } }, "Add one");
  return { node: make("div", {}, rows, more), read: () => items.map((item) => item.read()) };
}

function upload(schema, value, pointer) {
  const alone = pointer === "" && raw;
  let held = null;
  let kept = value;
  const input = make("input", { type: "file", accept: schema.title === "Image" ? "image/*" : undefined });
  const face = make("div");
  const drop = make("label", { class: "drop" }, face, input);
  const show = (name, size, type, link) => face.replaceChildren(
    ...(type.startsWith("image/") ? [make("img", { src: link, alt: "" }), make("br")] : []),
    make("strong", {}, name), ` ${size} · ${type}`);
  const take = async (file) => {
    if (!file) return;
    held = file;
    kept = alone ? file : await encoded(file, schema);
    show(file.name, bytes(file.size), file.type || "application/octet-stream", URL.createObjectURL(file));
    refresh();
  };
  face.append(make("strong", {}, "Choose a file"), " or drop it here");
  const stored = typeof value === "string" ? value : value?.data;
  if (stored) show(value.name ?? "example", bytes(Math.floor(stored.length * 0.75)), value.media_type ?? "application/octet-stream", `data:${value.media_type};base64,${stored}`);
  input.addEventListener("change", () => take(input.files[0]));
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files[0]); });
  return { node: drop, read: () => (alone && held ? held : stored || held ? kept : undefined) };
}

function encoded(file, schema) {
  return new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => {
      const data = reader.result.slice(reader.result.indexOf(",") + 1);
      done(schema.type === "string" ? data : { data, media_type: file.type || "application/octet-stream", name: file.name });
    };
    reader.readAsDataURL(file);
  });
}

function bytes(count) { return count < 1e3 ? `${count} B` : count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`; }

function inJson() { return !find("raw").hidden; }

function current() {
  const value = inJson() ? JSON.parse(find("raw").value) : field.read();
  if (value instanceof File) return { value, body: value, type: rawType(value), file: value.name };
  return { value, body: JSON.stringify(value ?? null), type: "application/json" };
}

// As application/json a file would be read as the JSON form of the input.
function rawType(file) { return file.type === "application/json" ? "application/octet-stream" : file.type || "application/octet-stream"; }

function fill(value) {
  field = widget(root, value, "");
  find("fields").replaceChildren(field.node);
  find("raw").value = pretty(value ?? null);
  refresh();
}

function refresh() {
  const wrong = find("raw-wrong");
  wrong.hidden = true;
  try {
    const { value, body, type, file } = current();
    const sent = file ? { file, type } : raw && value === undefined ? { file: "FILE", type: NAMED_TYPE } : { body, type };
    find("curl").textContent = curl("invocations", { ...sent, token: find("token").value, accept: accepted() });
  } catch (error) {
    wrong.textContent = `Not JSON: ${error.message}`;
    wrong.hidden = false;
  }
}

function accepted() { return contract.stream ? "text/event-stream" : undefined; }

function select(json) {
  if (json === inJson()) return;
  if (json) {
    const { value } = current();
    find("raw").value = pretty(value instanceof File ? null : value ?? null);
  }
  let value;
  if (!json) {
    try { value = JSON.parse(find("raw").value); } catch { refresh(); return; }
  }
  find("raw").hidden = !json;
  find("fields").hidden = json;
  find("tab-json").setAttribute("aria-selected", json);
  find("tab-form").setAttribute("aria-selected", !json);
  if (!json) fill(value);
  refresh();
}

async function run() {
  if (running) { running.abort(); return; }
  let request;
  try { request = current(); } catch { refresh(); return; }
  if (request.value === undefined) { notice("Nothing to send", "Choose a file first."); return; }
  running = new AbortController();
  find("run").textContent = "Stop";
  find("working").hidden = false;
  find("facts").replaceChildren();
  document.querySelectorAll(".wrong.at").forEach((node) => node.remove());
  const headers = { "content-type": request.type, accept: accepted() ?? "*/*" };
  const token = find("token").value;
  if (token) headers.authorization = `Bearer ${token}`;
  sessionStorage.setItem("preheat-token", token);
  const began = performance.now();
  try {
    const response = await fetch("invocations", { method: "POST", body: request.body, headers, signal: running.signal });
    await show(response, began);
  } catch (error) {
    if (error.name === "AbortError") notice("Stopped", "You stopped this request.");
    else notice("No answer", error.message);
  } finally {
    running = null;
    find("run").textContent = "Run";
    find("working").hidden = true;
  }
}

async function show(response, began) {
  const type = (response.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  const head = performance.now() - began;
  facts(response, head);
  if (type === "application/problem+json") { problem(await response.json()); return; }
  if (type === "application/json") {
    const text = await response.text();
    let shown = text;
    try { shown = pretty(read(text)); } catch { /* shown as it came */ }
    find("answer").replaceChildren(coloured(shown));
  } else if (type.startsWith("text/") || type.endsWith("jsonl") || type.endsWith("ndjson") || type.endsWith("json-seq")) {
    await stream(response, type);
  } else {
    media(await response.blob(), type);
  }
  facts(response, head, performance.now() - began);
}

function facts(response, head, whole = head) {
  const start = response.headers.get("x-preheat-start");
  const pills = [["pill " + (response.ok ? "good" : "bad"), String(response.status)]];
  if (start) pills.push([start === "cold" ? "pill hot" : "pill", start === "cold" ? "cold start" : "warm"]);
  pills.push(["pill", whole - head > 50 ? `first byte ${ms(head)}, all ${ms(whole)}` : ms(whole)]);
  for (const [header, label] of [["x-preheat-queue-ms", "queue"], ["x-preheat-model-ms", "model"]]) {
    const value = response.headers.get(header);
    if (value !== null) pills.push(["pill", `${label} ${ms(Number(value))}`]);
  }
  find("facts").replaceChildren(...pills.map(([kind, label]) => make("span", { class: kind }, label)));
}

function ms(value) { return value < 10 ? `${value.toFixed(1)} ms` : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`; }

function notice(title, detail, more = null) {
  find("answer").replaceChildren(make("div", { class: "problem" }, make("strong", {}, title), make("div", {}, detail), more));
}

function problem(document_) {
  if (document_.status === 401) { find("token-field").hidden = false; find("token").focus(); }
  const errors = document_.errors ?? [];
  const list = make("ul", {}, ...errors.map((error) => make("li", {}, make("code", {}, error.pointer || "/"), ` ${error.detail}`)));
  notice(`${document_.status} ${document_.title}`, document_.detail, errors.length ? list : null);
  for (const error of errors) {
    const at = [...document.querySelectorAll("[data-pointer]")].filter((node) => error.pointer === node.dataset.pointer || error.pointer.startsWith(`${node.dataset.pointer}/`)).at(-1);
    at?.append(make("p", { class: "wrong at" }, error.detail));
  }
}

async function stream(response, type) {
  const pre = make("pre");
  find("answer").replaceChildren(pre);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (type !== "text/event-stream") { pre.append(part.value); continue; }
    const events = (pending + part.value).split(/\r?\n\r?\n/);
    pending = events.pop();
    for (const event of events) pre.append(eventText(event));
    find("answer").scrollTop = find("answer").scrollHeight;
  }
}

function eventText(event) {
  const lines = event.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, ""));
  if (!lines.length) return "";
  try {
    const value = JSON.parse(lines.join("\n"));
    return typeof value === "string" ? value : `${JSON.stringify(value)}\n`;
  } catch { return `${lines.join("\n")}\n`; }
}

function media(blob, type) {
  const link = URL.createObjectURL(blob);
  const shown = type.startsWith("image/") ? make("img", { class: "picture", src: link, alt: "The answer" })
    : type.startsWith("audio/") ? make("audio", { controls: true, src: link })
      : type.startsWith("video/") ? make("video", { controls: true, class: "picture", src: link }) : make("span", {}, `${bytes(blob.size)} of ${type}`);
  find("answer").replaceChildren(shown, make("p", { class: "hint" }, make("a", { href: link, download: "answer" }, "Save")));
}

async function ready() {
  const pill = find("ready");
  const response = await fetch("readyz").catch(() => null);
  pill.hidden = false;
  pill.className = `pill ${response?.ok ? "good" : "bad"}`;
  pill.textContent = response?.ok ? "ready" : "not ready";
}

find("token").value = sessionStorage.getItem("preheat-token") ?? "";
find("token-field").hidden = !find("token").value;
find("tab-form").addEventListener("click", () => select(false));
find("tab-json").addEventListener("click", () => select(true));
find("form").addEventListener("input", refresh);
find("form").addEventListener("submit", (event) => { event.preventDefault(); run(); });
document.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); } });
const examples = contract.examples ?? [];
if (examples.length > 1) {
  find("examples").append(...examples.slice(0, 5).map((example, at) =>
    make("button", { class: "plain", type: "button", onclick: () => { find("raw").value = pretty(example); fill(example); } }, `Example ${at + 1}`)));
}
find("copy").append(copyButton(() => find("curl").textContent));
fill(examples[0] ?? sample(root, root));
ready();
