"""The page docs/configuration.md, written from the published schema. Touches nothing.

`python -m preheat.project.reference > docs/configuration.md` writes it anew.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from preheat.project.mistake import toml_text
from preheat.project.schema import project_schema, resolved

INTRODUCTION = """\
# preheat.toml

One file says what a project is and how it runs. A deploy reads it and nothing else of the project
before it builds, so it never imports the model's code.

```toml
name = "sentence-embeddings"
handler = "handler:Embedder"
requirements = ["numpy>=2", "onnxruntime>=1.20"]

[weights.model]
source = "file:models/model.onnx"

[resources]
memory_mb = 2048

[triggers.uploads]
type = "object-created"
bucket = "documents"
output = "vectors/documents"

[secrets]
HUB_TOKEN = "env:HUB_TOKEN"

[stage.prod.scaling]
min = 1
max = 20
```

An unknown key, a wrong type or a contradiction stops the deploy. Every mistake is listed with its
line, the value, the nearest valid name and the line to paste; `preheat check` lists them without
deploying.

This page is written from `schema.json` in the package `preheat.project`, a JSON Schema (2020-12)
that editors understand, for example Taplo and Even Better TOML; `python -c "from
preheat.project.schema import SCHEMA_FILE as f; print(f)"` prints where it is.
"""

TRIGGERS = ("http_trigger", "object_created_trigger", "queue_trigger", "schedule_trigger")
HEADER = "| key | type | default | what | example |\n|---|---|---|---|---|\n"


def render(schema: Mapping[str, Any]) -> str:
    """Return the page for `schema` as Markdown."""
    return "\n".join(_sections(schema))


def _sections(schema: Mapping[str, Any]) -> Iterator[str]:
    tops = {key: resolved(value, schema) for key, value in schema["properties"].items()}
    plain = {key: value for key, value in tops.items() if value.get("type") != "object"}
    yield INTRODUCTION
    yield "## Top of the file\n"
    yield _table({**schema, "properties": plain}, schema)
    for key, value in tops.items():
        if key not in plain:
            yield from _section(key, value, schema)


def _section(key: str, table: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    match key:
        case "triggers":
            yield f"## `[triggers.NAME]`\n\n{table['description']}\n"
            for name in TRIGGERS:
                trigger = schema["$defs"][name]
                kind = trigger["properties"]["type"]["const"]
                yield f"### `type = {toml_text(kind)}`\n\n{trigger['description']}\n"
                yield _table(trigger, schema)
        case "stage":
            keys = ", ".join(f"`{name}`" for name in schema["$defs"]["stage"]["properties"])
            yield f"## `[stage.NAME.*]`\n\n{table['description']}\n\nA stage may set {keys}.\n"
        case "env" | "secrets":
            entry = resolved(table["additionalProperties"], schema)
            yield f"## `[{key}]`\n\n{table['description']}\n"
            yield f"```toml\n[{key}]\nNAME = {_example(entry)}\n```\n"
        case _ if "properties" in table:
            yield f"## `[{key}]`\n\n{table['description']}\n"
            yield _table(table, schema)
        case _:
            yield f"## `[{key}.NAME]`\n\n{table['description']}\n"
            entry = resolved(table["additionalProperties"], schema)
            if "properties" in entry:
                yield _table(entry, schema)


def _table(table: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    rows = [_row(key, resolved(value, schema), table) for key, value in table["properties"].items()]
    return HEADER + "".join(rows)


def _row(key: str, value: Mapping[str, Any], table: Mapping[str, Any]) -> str:
    default = f"`{toml_text(value['default'])}`" if "default" in value else "none"
    cells = (
        f"`{key}`",
        _type(value),
        "**required**" if key in table.get("required", ()) else default,
        value.get("description", ""),
        f"`{_example(value)}`" if "examples" in value else "",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _type(value: Mapping[str, Any]) -> str:
    if "enum" in value:
        return " or ".join(f"`{toml_text(item)}`" for item in value["enum"])
    if "const" in value:
        return f"`{toml_text(value['const'])}`"
    types = value.get("type", "any value")
    text = types if isinstance(types, str) else " or ".join(types)
    return ", ".join(filter(None, [text, value.get("x-unit"), _range(value)]))


def _range(value: Mapping[str, Any]) -> str:
    low, high = value.get("minimum"), value.get("maximum")
    if low is None and high is not None:
        return f"above {value['exclusiveMinimum']}, at most {high}"
    return f"{low} to {high}" if high is not None else ""


def _example(value: Mapping[str, Any]) -> str:
    return toml_text(value["examples"][0])


if __name__ == "__main__":
    sys.stdout.write(render(project_schema()))
