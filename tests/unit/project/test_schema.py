"""The published schema and the frozen model are two views of one thing."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from preheat.interface.manifest import Limits
from preheat.project.model import (
    HttpTrigger,
    ObjectCreated,
    Project,
    QueueTrigger,
    Resources,
    Scaling,
    Schedule,
    Weights,
)
from preheat.project.schema import project_schema, resolved

SCHEMA = project_schema()
TABLES: dict[str, type[Any]] = {
    "weights": Weights,
    "resources": Resources,
    "scaling": Scaling,
    "limits": Limits,
    "http_trigger": HttpTrigger,
    "object_created_trigger": ObjectCreated,
    "queue_trigger": QueueTrigger,
    "schedule_trigger": Schedule,
}
RENAMED = {("limits", "body_mb"): "body_bytes"}
ELSEWHERE = {("limits", "timeout_s")}
"""A request's time limit is one of the resources; the runtime gets it among the limits."""


def properties(table: str) -> Mapping[str, Mapping[str, Any]]:
    entries = SCHEMA["$defs"][table]["properties"]
    return {key: resolved(value, SCHEMA) for key, value in entries.items() if key != "type"}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_a_key_for_each_field_and_no_other(table: str) -> None:
    keys = {RENAMED.get((table, key), key) for key in properties(table)}
    fields = {
        field.name for field in dataclasses.fields(TABLES[table]) if (table, field.name) not in ELSEWHERE
    }
    assert keys == fields - {"name"}


def test_the_top_of_the_file_has_a_key_for_each_field_and_the_stages() -> None:
    fields = {field.name for field in dataclasses.fields(Project)}
    assert set(SCHEMA["properties"]) == fields - {"root", "stage"} | {"stage"}


@pytest.mark.parametrize("table", TABLES)
def test_the_defaults_of_schema_and_model_are_the_same(table: str) -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(TABLES[table])}
    for key, schema in properties(table).items():
        model = defaults[RENAMED.get((table, key), key)]
        published = schema.get("default")
        if (table, key) == ("limits", "body_mb"):
            published = int(schema["default"] * 1024 * 1024)
        if published is not None or model not in (None, dataclasses.MISSING):
            assert (published, type(published)) == (model, type(model)), key


def test_a_stage_may_set_everything_but_the_name() -> None:
    assert set(SCHEMA["$defs"]["stage"]["properties"]) == set(SCHEMA["properties"]) - {"name", "stage"}


def test_a_stage_may_set_every_field_of_a_trigger_and_of_weights() -> None:
    kinds = [name for name in TABLES if name.endswith("_trigger")]
    every = {key for kind in kinds for key in SCHEMA["$defs"][kind]["properties"]}
    assert set(SCHEMA["$defs"]["stage_trigger"]["properties"]) == every
    assert set(SCHEMA["$defs"]["stage_weights"]["properties"]) == set(
        SCHEMA["$defs"]["weights"]["properties"]
    )


def schemas(value: Any, path: str = "#") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from schemas(item, f"{path}/{key}")


def test_it_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(dict(SCHEMA))


def test_every_table_refuses_unknown_keys() -> None:
    for path, schema in schemas(SCHEMA):
        if "properties" in schema and schema.get("type") == "object" and not path.endswith("$defs/trigger"):
            assert "additionalProperties" in schema, path
            assert schema["additionalProperties"] is not True, path


def test_every_key_is_described_and_every_value_has_an_example() -> None:
    for path, schema in schemas(SCHEMA):
        if path.endswith("/properties"):
            continue
        if path.rpartition("/")[0].endswith("/properties") and "/if/" not in path:
            full = resolved(schema, SCHEMA)
            assert full["title"], path
            assert full["description"], path
            assert full.get("type") == "object" or "const" in full or full["examples"], path


def test_every_example_and_default_is_valid() -> None:
    for path, schema in schemas(SCHEMA):
        values = [*schema.get("examples", []), *([schema["default"]] if "default" in schema else [])]
        if not isinstance(schema.get("examples", []), list):
            continue
        for value in values:
            jsonschema.Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]}).validate(value)
            assert value is not None, path


def test_it_names_no_host_but_the_meta_schemas() -> None:
    text = json.dumps(SCHEMA)
    assert SCHEMA["$id"].startswith("urn:")
    assert text.count("://json-schema.org") == text.count(".org") == 1


def test_commands_that_read_no_project_do_not_pay_for_validation() -> None:
    heavy = "{'jsonschema', 'packaging', 'cronsim'}"
    code = f"import sys, preheat.project.config; print(*({heavy} & {{*sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path("/")
    )
    assert done.stdout.split() == []
