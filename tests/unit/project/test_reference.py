from pathlib import Path

from preheat.project.reference import render
from preheat.project.schema import project_schema

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_committed_page_is_what_the_schema_says() -> None:
    assert PAGE.read_text() == render(project_schema()), (
        "run: python -m preheat.project.reference > docs/configuration.md"
    )


def test_every_key_is_on_the_page() -> None:
    page = render(project_schema())
    tables = ("resources", "scaling", "limits", "weights", "stage_trigger")
    keys = {key for table in tables for key in project_schema()["$defs"][table]["properties"]}
    assert not [key for key in keys if f"| `{key}` |" not in page]


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    schema = {"properties": {"a": {"type": "string", "description": "one|two"}}, "$defs": {}}
    assert "one\\|two" in render(schema)
