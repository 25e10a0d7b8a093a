import pytest
from jsonschema import Draft202012Validator, ValidationError

from preheat_providers.local.options import SCHEMA, Options, read_options


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_option_is_in_the_schema_with_its_default() -> None:
    defaults = {key: value for key, value in Options().document().items() if value not in (None, {}, [])}
    declared = {key: each["default"] for key, each in SCHEMA["properties"].items() if "default" in each}
    assert declared == defaults
    assert set(SCHEMA["properties"]) == set(Options().document())


def test_options_survive_json() -> None:
    options = Options(port=4000, tls=True, zygote="off", buckets={"in": "s3://b"}, s3_endpoint="http://x")
    assert read_options(options.document()) == options
    Draft202012Validator(SCHEMA).validate({"port": 4000, "buckets": {"in": "data"}, "schedule": []})


@pytest.mark.parametrize(
    "table",
    [{"port": 80}, {"port": 70000}, {"tls": "yes"}, {"zygote": "on"}, {"zygote_idle_s": -1}, {"prot": 4000}],
)
def test_what_is_no_option_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(table)
