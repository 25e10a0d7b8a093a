"""Whatever preheat.toml holds, loading it ends in a project or in findings, never in a crash."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from preheat.errors import Located, ProjectError
from preheat.project.config import load_project
from preheat.project.mistake import key_text, toml_text
from preheat.project.schema import project_schema

TABLES = project_schema()["$defs"]
KEYS = sorted(
    {
        *project_schema()["properties"],
        *(key for table in TABLES.values() for key in table.get("properties", {})),
    }
)
WORDS = [
    "http",
    "object-created",
    "queue",
    "schedule",
    "file:x",
    "hf:a",
    "env:",
    "a/../b",
    "* * * * *",
    "x:Y",
]

keys = st.sampled_from([*KEYS, "local", "dev"]) | st.text(max_size=3)
scalars = (
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS) | st.dates()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
tables = st.dictionaries(
    keys, st.dictionaries(keys, st.dictionaries(keys, values, max_size=3) | values) | values
)


@settings(max_examples=60, deadline=None)
@given(tables)
@example({"stage": {"attempts": [], "dev": False}})
def test_loading_ends_in_a_project_or_in_findings(document: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lines = [f"{key_text((key,))} = {toml_text(value)}" for key, value in document.items()]
        (root / "preheat.toml").write_text("\n".join(lines), "utf-8")
        assert all(finding.message and finding.file for finding in findings_in(root))


def findings_in(root: Path) -> tuple[Located, ...]:
    try:
        load_project(root, "dev", provider_schemas={"local": {}})
    except ProjectError as error:
        return error.findings
    return ()
