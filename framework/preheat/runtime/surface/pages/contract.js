// Shared by both pages. Everything that comes from the handler reaches the page as text nodes, never as markup.
const about = JSON.parse(document.getElementById("about").textContent);
const contract = about.contract;
const base = new URL(".", document.location.href).href;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function find(id) { return document.getElementById(id); }

function resolve(schema, root) {
  for (let hops = 0; schema && typeof schema.$ref === "string" && hops < 20; hops += 1) {
    const steps = decodeURIComponent(schema.$ref.slice(1)).split("/").slice(1);
    const { $ref, ...beside } = schema;
    const target = steps.reduce((at, step) => at?.[step.replaceAll("~1", "/").replaceAll("~0", "~")], root);
    schema = { ...(target ?? {}), ...beside };
  }
  return schema ?? {};
}

function optional(schema, root) {
  const variants = schema.anyOf ?? schema.oneOf ?? [];
  const solid = variants.filter((variant) => resolve(variant, root).type !== "null");
  if (variants.length === 2 && solid.length === 1) {
    const { anyOf, oneOf, ...beside } = schema;
    return { ...resolve(solid[0], root), ...beside };
  }
  if (Array.isArray(schema.type) && schema.type.length === 2 && schema.type.includes("null")) {
    return { ...schema, type: schema.type.find((type) => type !== "null") };
  }
  return null;
}

function isBytes(schema) { return schema.type === "string" && schema.contentEncoding === "base64"; }

function isFile(schema, root) {
  return isBytes(schema) || (schema.type === "object" && isBytes(resolve(schema.properties?.data, root)) && "media_type" in schema.properties);
}

function typeName(schema, root) {
  const loose = optional(schema, root);
  if (loose) return `${typeName(loose, root)} or null`;
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return "one of";
  if (isFile(schema, root)) return schema.title === "Image" ? "image" : "file";
  if (schema.type === "array") return `list of ${typeName(resolve(schema.items, root), root)}`;
  if (schema.anyOf || schema.oneOf) return (schema.anyOf ?? schema.oneOf).map((v) => typeName(resolve(v, root), root)).join(" or ");
  return Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type ?? "any";
}

function limitsOf(schema) {
  const names = { minimum: "≥", exclusiveMinimum: ">", maximum: "≤", exclusiveMaximum: "<", minLength: "length ≥", maxLength: "length ≤",
    minItems: "items ≥", maxItems: "items ≤", pattern: "matches", format: "", multipleOf: "multiple of" };
  return Object.entries(names).filter(([key]) => key in schema).map(([key, label]) => `${label} ${schema[key]}`.trim()).join(", ");
}

function sample(schema, root, depth = 0) {
  schema = resolve(schema, root);
  if ("default" in schema) return schema.default;
  if ("const" in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.examples?.length) return schema.examples[0];
  if (optional(schema, root) || depth > 6) return null;
  const variant = (schema.anyOf ?? schema.oneOf ?? [])[0];
  if (variant) return sample(variant, root, depth + 1);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case "object": {
      const wanted = Object.entries(schema.properties ?? {}).filter(([key]) => (schema.required ?? []).includes(key));
      return Object.fromEntries(wanted.map(([key, part]) => [key, sample(part, root, depth + 1)]));
    }
    case "array": return Array.from({ length: Math.min(schema.minItems ?? 0, 8) }, () => sample(schema.items, root, depth + 1));
    case "string": return "";
    case "integer": case "number": return schema.minimum ?? 0;
    case "boolean": return false;
    default: return null;
  }
}

// A number or text as it was written: read as a JavaScript number, 9007199254740993 or 1.0 would be shown as another.
class Written { constructor(text) { this.text = text; } }

function read(text) {
  JSON.parse(text);
  const tokens = Array.from(text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g), (found) => found[0]);
  let at = 0;
  const next = () => {
    const token = tokens[at++];
    if (token !== "[" && token !== "{") return new Written(token);
    const members = [];
    while (!["]", "}"].includes(tokens[at])) {
      if (tokens[at] === ",") at += 1;
      if (token === "[") { members.push(next()); continue; }
      const key = JSON.parse(tokens[at]);
      at += 2;
      members.push([key, next()]);
    }
    at += 1;
    return token === "[" ? members : Object.fromEntries(members);
  };
  return next();
}

function isPlain(value) { return value === null || typeof value !== "object" || value instanceof Written; }

// JSON as people read it: what is short stays on one line, and lists of plain values fill lines.
function pretty(value, indent = "") {
  const deeper = indent + "  ";
  if (value instanceof Written) return value.text;
  if (isPlain(value)) return JSON.stringify(value);
  const inner = Array.isArray(value)
    ? value.map((item) => pretty(item, deeper))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pretty(item, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const short = `${open}${inner.join(", ")}${close}`;
  const fits = short.length + indent.length < 66 && !short.includes("\n");
  if (inner.length === 0 || (fits && indent && Object.values(value).every((item) => isPlain(item) || Array.isArray(item)))) return short;
  if (!Array.isArray(value) || !value.every(isPlain)) {
    return `${open}\n${inner.map((line) => deeper + line).join(",\n")}\n${indent}${close}`;
  }
  const lines = [deeper];
  for (const item of inner) {
    if (lines.at(-1).length + item.length > 66 && lines.at(-1) !== deeper) lines.push(deeper);
    lines[lines.length - 1] += `${item}, `;
  }
  return `${open}\n${lines.map((line) => line.trimEnd()).join("\n").replace(/,$/, "")}\n${indent}${close}`;
}

function coloured(text) {
  const pre = make("pre");
  if (text.length > 300000) { pre.textContent = text; return pre; }
  let end = 0;
  for (const found of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    pre.append(text.slice(end, found.index));
    const kind = found[1] ? (found[2] ? "json-key" : "json-text") : found[3] ? "json-word" : "json-number";
    pre.append(make("span", { class: kind }, found[1] ?? found[0]), found[2] ?? "");
    end = found.index + found[0].length;
  }
  pre.append(text.slice(end));
  return pre;
}

function quoted(text) { return `'${text.replaceAll("'", "'\\''")}'`; }

function curl(path, { method = "POST", body, file, type, accept, token } = {}) {
  const lines = [`curl -sS ${method === "POST" || method === "GET" ? "" : `-X ${method} `}${quoted(base + path)}`];
  if (token) lines.push(`-H "authorization: Bearer $TOKEN"`);
  if (type) lines.push(`-H ${quoted(`content-type: ${type}`)}`);
  if (accept) lines.push(`-H ${quoted(`accept: ${accept}`)}`);
  if (file !== undefined) lines.push(`--data-binary ${quoted(`@${file}`)}`);
  if (body !== undefined) lines.push(`--data ${body.length > 1500 ? "@input.json" : quoted(body)}`);
  return lines.join(" \\\n  ");
}

function copyButton(text) {
  const button = make("button", { class: "plain", type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1200);
  });
  return button;
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("preheat-theme", theme);
}

document.title = `${about.name}${document.title}`;
find("name").textContent = about.name;
find("lead").textContent = contract.description || contract.title || "";
find("version").textContent = `version ${about.version}`;
setTheme(localStorage.getItem("preheat-theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
find("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
