import pytest
from jsonschema import Draft202012Validator, ValidationError

from preheat_providers._aws.hours import ScheduledHours
from preheat_providers.aws_lambda.options import SCHEMA, Options, read_options


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
        auth="jwt",
        jwt_audience=("a", "b"),
        provisioned_max=5,
        provisioned_schedule=(ScheduledHours(cron="0 8 * * *", min=1, max=2),),
        log_days=7,
    )
    assert read_options(options.document()) == options


@pytest.mark.parametrize(
    "table",
    [
        {"region": "eu-central-1", "architecture": "arm64", "weights": "s3", "weights_into": "memory"},
        {"region": "us-gov-east-1", "artifact_bucket": "team.artifacts-1"},
        {"endpoint": "http-api", "auth": "jwt", "jwt_issuer": "https://x/", "jwt_audience": ["a"]},
        {"permissions_boundary": "arn:aws:iam::123456789012:policy/team/boundary"},
        {"provisioned_schedule": [{"cron": "0 8 * * 1-5", "min": 0, "max": 5, "timezone": "Europe/Berlin"}]},
        {"provisioned_schedule": []},
        {"jobs": True, "reserved_concurrency": 10, "keep_releases": 2},
        {"alarm_topic": "arn:aws:sns:eu-central-1:123456789012:alarms"},
    ],
)
def test_what_is_an_option_is_taken(table: dict[str, object]) -> None:
    Draft202012Validator(SCHEMA).validate(table)
    read_options(table)


@pytest.mark.parametrize(
    "table",
    [
        {"region": "Frankfurt"},
        {"architecture": "x86"},
        {"artifact_bucket": "Team_Artifacts"},
        {"weights": "efs"},
        {"warm": True},
        {"provisioned": 0},
        {"provisioned_use": 1},
        {"schedule_minutes": 60},
        {"log_days": 31},
        {"permissions_boundary": "boundary"},
        {"jwt_issuer": "http://x"},
        {"memory": 512},
        {"provisioned_schedule": [{"cron": "0 8 * * 1-5", "min": 1}]},
        {"provisioned_schedule": [{"cron": "0 8 * * 1-5", "min": 1, "max": 2, "use": 1}]},
        {"reserved_concurrency": 0},
        {"keep_releases": 1},
        {"alarm_topic": "alarms"},
        {"jobs": "yes"},
    ],
)
def test_what_is_no_option_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(table)


def test_fewer_releases_stay_where_each_costs() -> None:
    assert Options().kept_releases == 10
    assert Options(warm="snapstart").kept_releases == 2
    assert Options(warm="snapstart", keep_releases=4).kept_releases == 4


def test_the_number_of_ready_environments_changes_only_where_some_are_kept() -> None:
    assert Options(warm="provisioned", provisioned_max=3).scales_provisioned
    assert not Options(warm="provisioned").scales_provisioned
    assert not Options(warm="schedule", provisioned_max=3).scales_provisioned
