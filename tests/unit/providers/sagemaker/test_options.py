import pytest
from jsonschema import Draft202012Validator, ValidationError

from preheat_providers._aws.hours import ScheduledHours
from preheat_providers.sagemaker.options import SCHEMA, Options, read_options


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_option_is_in_the_schema_with_its_default_and_a_description() -> None:
    defaults = {key: value for key, value in Options().document().items() if value not in (None, [])}
    declared = {key: each["default"] for key, each in SCHEMA["properties"].items() if "default" in each}
    assert declared == defaults
    assert set(SCHEMA["properties"]) == set(Options().document())
    assert all(each["description"].endswith(".") for each in SCHEMA["properties"].values())


def test_options_survive_json() -> None:
    options = Options(
        region="eu-central-1",
        instance_type="ml.g5.xlarge",
        schedule=(ScheduledHours(cron="0 8 * * *", min=1, max=2),),
        notify=True,
        canary_percent=25,
    )
    assert read_options(options.document()) == options


@pytest.mark.parametrize(
    "table",
    [
        {"region": "eu-central-1", "mode": "realtime", "instance_type": "ml.p6-b200.48xlarge"},
        {"base_image": "registry.example.org:5000/team/base@sha256:12"},
        {"schedule": [{"cron": "0 8 * * 1-5", "min": 0, "max": 5, "timezone": "Europe/Berlin"}]},
        {"schedule": []},
        {"kms_key": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab"},
        {"max_concurrent": 1000, "canary_percent": 50, "startup_timeout_s": 3600},
    ],
)
def test_what_is_an_option_is_taken(table: dict[str, object]) -> None:
    Draft202012Validator(SCHEMA).validate(table)
    read_options(table)


@pytest.mark.parametrize(
    "table",
    [
        {"region": "Frankfurt"},
        {"mode": "batch"},
        {"instance_type": "g5.xlarge"},
        {"base_image": "two words"},
        {"max_concurrent": 0},
        {"max_concurrent": 1001},
        {"serverless_concurrency": 201},
        {"canary_percent": 51},
        {"canary_minutes": 61},
        {"startup_timeout_s": 59},
        {"schedule": [{"cron": "0 8 * * 1-5", "min": 1}]},
        {"keep_releases": 1},
        {"log_days": 31},
        {"kms_key": "alias/mine"},
        {"output_bucket": "Team_Results"},
        {"weights": "efs"},
        {"gpu": "A10G"},
    ],
)
def test_what_is_none_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(table)
