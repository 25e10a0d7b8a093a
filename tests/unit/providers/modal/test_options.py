from dataclasses import fields

import pytest
from jsonschema import Draft202012Validator

from preheat_providers.modal.options import SCHEMA, Options, read_options

CHECK = Draft202012Validator(SCHEMA)


def test_the_schema_and_the_data_have_the_same_options() -> None:
    assert {each.name for each in fields(Options)} == SCHEMA["properties"].keys()


def test_the_defaults_of_both_are_the_same() -> None:
    for name, rule in SCHEMA["properties"].items():
        if "default" in rule:
            assert getattr(Options(), name) == rule["default"], name
        else:
            assert not getattr(Options(), name), name


@pytest.mark.parametrize(
    "table",
    [
        {"scaledown_window": 1},
        {"scaledown_window": 3601},
        {"max_containers": 0},
        {"min_containers": -1},
        {"retries": 11},
        {"snapshot": "disk"},
        {"environment": "-dev"},
        {"gpu_fallback": []},
        {"region": [""]},
        {"keep_warm": 1},
        {"upload_queue": "arn:aws:sqs:eu-central-1:111122223333:uploads"},
        {"upload_queue": "https://sqs.eu-central-1.amazonaws.com/111122223333/uploads.fifo"},
    ],
)
def test_what_modal_would_refuse_is_refused_here(table: dict[str, object]) -> None:
    assert not CHECK.is_valid(table)


def test_a_table_is_read_as_it_is_written() -> None:
    table = {"gpu_fallback": ["L40S"], "region": ["eu"], "snapshot": "cpu", "min_containers": 2}
    assert CHECK.is_valid(table)
    options = read_options(table)
    assert (options.gpu_fallback, options.region, options.snapshot) == (("L40S",), ("eu",), "cpu")
    assert options.document() == Options().document() | table


@pytest.mark.parametrize(
    ("table", "region"),
    [
        ({}, None),
        ({"upload_queue": "https://sqs.us-gov-west-1.amazonaws.com/111122223333/a"}, "us-gov-west-1"),
        ({"upload_queue": "https://sqs.eu-west-3.amazonaws.com/1/a", "aws_region": "eu-west-1"}, "eu-west-1"),
        ({"upload_queue": "http://127.0.0.1:4566/111122223333/sqs.eu-west-1.x"}, None),
    ],
)
def test_the_region_is_named_or_that_of_the_queue(table: dict[str, str], region: str | None) -> None:
    assert read_options(table).upload_region == region
