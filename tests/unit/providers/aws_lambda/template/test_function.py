import json
from typing import Any

import pytest
from tests.fakes.lambda_templates import (
    DIGEST,
    EVERY_TRIGGER,
    IMAGE,
    KEYS,
    TICK,
    UPLOAD,
    of_kind,
    properties,
    substituted,
    template,
)

from preheat.project.model import HttpTrigger, ObjectCreated, Resources, Trigger
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.shipped.settings import Settings, Tick, Upload
from preheat_providers.aws_lambda.template.names import described, secret_parameter


def version_id(made: dict[str, Any]) -> str:
    (name,) = of_kind(made, "Lambda::Version")
    return name


def variables(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = properties(made, "Function")["Environment"]["Variables"]
    return found


def test_the_function_gets_what_the_project_asks_for() -> None:
    resources = Resources(memory_mb=2048, tmp_mb=1024, timeout_s=29.5)
    function = properties(template(python="3.12", resources=resources), "Function")
    assert function["FunctionName"] == "preheat-ocr-dev"
    assert function["Runtime"] == "python3.12"
    assert function["Handler"] == "preheat_providers.aws_lambda.shipped.entry.handler"
    assert (function["MemorySize"], function["EphemeralStorage"]) == (2048, {"Size": 1024})
    assert function["Timeout"] == 31
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "LogGroup"}}


def test_the_longest_time_limit_is_that_of_lambda() -> None:
    assert properties(template(resources=Resources(timeout_s=900)), "Function")["Timeout"] == 900


def test_code_and_layers_come_from_the_artifact_bucket() -> None:
    made = template()
    bucket = {"Ref": "ArtifactBucket"}
    assert properties(made, "Function")["Code"] == {"S3Bucket": bucket, "S3Key": KEYS["function"]}
    assert properties(made, "Function")["Layers"] == [{"Ref": "Libraries"}, {"Ref": "Weights"}]
    assert properties(made, "Libraries")["Content"] == {"S3Bucket": bucket, "S3Key": KEYS["libraries"]}
    assert properties(made, "Weights")["Content"] == {"S3Bucket": bucket, "S3Key": KEYS["weights"]}


def test_an_image_comes_from_ecr_and_has_neither_layers_nor_runtime() -> None:
    made = template(image=IMAGE, options=Options(package="image"), python="3.12")
    function = properties(made, "Function")
    registry = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
    uri = substituted(function["Code"]["ImageUri"]["Fn::Sub"], **{"AWS::URLSuffix": "amazonaws.com"})
    assert (function["PackageType"], uri) == ("Image", f"{registry}/{IMAGE}")
    assert not {"Runtime", "Handler", "Layers", "SnapStart"} & function.keys()
    assert of_kind(made, "Lambda::LayerVersion") == {}
    assert "ArtifactBucket" not in made["Parameters"]
    assert described(properties(made, version_id(made))["Description"]) == (DIGEST, IMAGE)
    assert len(properties(made, version_id(made))["Description"]) <= 256


def test_another_image_makes_another_version() -> None:
    other = template(image=IMAGE.replace("4", "5"))
    assert version_id(other) != version_id(template(image=IMAGE))


def test_weights_that_are_no_archive_make_no_layer() -> None:
    keys = {name: key for name, key in KEYS.items() if name != "weights"}
    made = template(keys=keys)
    assert "Weights" not in made["Resources"]
    assert properties(made, "Function")["Layers"] == [{"Ref": "Libraries"}]


def test_a_version_stays_when_the_next_one_comes() -> None:
    made = template()
    version = made["Resources"][version_id(made)]
    assert version["DeletionPolicy"] == version["UpdateReplacePolicy"] == "Retain"
    assert described(version["Properties"]["Description"]) == (f"sha256:{'ab' * 32}", KEYS["function"])
    assert properties(made, "Alias")["FunctionVersion"] == {"Fn::GetAtt": [version_id(made), "Version"]}
    assert properties(made, "Alias")["Name"] == "live"


@pytest.mark.parametrize(
    "changed",
    [
        {"keys": {**KEYS, "function": "other.zip"}},
        {"keys": {**KEYS, "libraries": "other.zip"}},
        {"digest": f"sha256:{'cd' * 32}"},
        {"secrets_mark": "other"},
        {"env": {"LEVEL": "debug"}},
        {"resources": Resources(memory_mb=2048)},
        {"options": Options(tracing=True)},
    ],
)
def test_anything_that_a_version_keeps_makes_another_version(changed: dict[str, Any]) -> None:
    before, after = template(), template(**changed)
    assert version_id(before) != version_id(after)
    # Lambda publishes no second version of the same code and configuration.
    assert properties(before, "Function")["Description"] != properties(after, "Function")["Description"]


def test_what_no_version_keeps_makes_no_other_version() -> None:
    options = Options(log_days=7, alarm_topic="arn", reserved_concurrency=9)
    assert version_id(template()) == version_id(template(options=options))


def test_the_function_reads_its_settings_from_the_variables() -> None:
    found = variables(template(*EVERY_TRIGGER, options=Options(jobs=True)))
    texts = {name: value if isinstance(value, str) else value["Ref"] for name, value in found.items()}
    settings = Settings.read(texts)
    assert (settings.stage, settings.token_sha256) == ("dev", "TokenSha256")
    assert (settings.table, settings.jobs_bucket) == ("Table", "JobsBucket")
    assert settings.triggers.uploads == (
        Upload(name="scans", bucket="uploads", prefix="in/", suffix=".png", output="results/text/"),
    )
    assert [queue.queue for queue in settings.triggers.queues] == ["team-pictures"]
    assert settings.triggers.ticks == (Tick(name="nightly", input={"text": "hello"}),)


def test_a_function_without_triggers_needs_no_table() -> None:
    made = template()
    assert "Table" not in made["Resources"]
    assert "PREHEAT_IDEMPOTENCY_TABLE" not in variables(made)


@pytest.mark.parametrize("trigger", EVERY_TRIGGER)
def test_a_function_with_any_trigger_remembers_in_its_table(trigger: Trigger) -> None:
    made = template(trigger)
    assert "Table" in made["Resources"]
    assert variables(made)["PREHEAT_IDEMPOTENCY_TABLE"] == {"Ref": "Table"}


@pytest.mark.parametrize(
    ("output", "expected"), [("out", "out/"), ("out/", "out/"), ("out/a", "out/a/"), ("out/a/", "out/a/")]
)
def test_a_prefix_of_results_is_a_folder_to_the_function(output: str, expected: str) -> None:
    made = template(ObjectCreated(name="a", bucket="in", output=output))
    assert json.loads(variables(made)["PREHEAT_TRIGGERS"])["uploads"][0]["output"] == expected


def test_secrets_are_parameters_that_nobody_reads() -> None:
    made = template(secrets={"HUB_TOKEN": "env:HUB_TOKEN"}, env={"LEVEL": "info"}, secrets_mark="m")
    parameter = secret_parameter("HUB_TOKEN")
    assert made["Parameters"][parameter] == {"Type": "String", "NoEcho": True}
    assert variables(made)["HUB_TOKEN"] == {"Ref": parameter}
    assert variables(made)["LEVEL"] == "info"


@pytest.mark.parametrize(
    ("http", "options", "asks"),
    [
        (HttpTrigger(auth="token"), Options(), True),
        (HttpTrigger(auth="token"), Options(endpoint="http-api"), True),
        (HttpTrigger(auth="none"), Options(), False),
        (HttpTrigger(auth="token"), Options(auth="iam"), False),
        (
            HttpTrigger(auth="token"),
            Options(auth="jwt", endpoint="http-api", jwt_issuer="https://i", jwt_audience=("a",)),
            False,
        ),
    ],
)
def test_our_token_is_asked_for_where_nobody_else_asks(
    http: HttpTrigger, options: Options, asks: bool
) -> None:
    made = template(http=http, options=options)
    assert ("TokenSha256" in made["Parameters"]) == asks
    assert ("PREHEAT_TOKEN_SHA256" in variables(made)) == asks


def test_logical_ids_stay_when_triggers_change_places() -> None:
    one, other = template(UPLOAD, TICK), template(TICK, UPLOAD)
    assert set(one["Resources"]) - {version_id(one)} == set(other["Resources"]) - {version_id(other)}
    assert version_id(one) == version_id(other)


def test_the_template_is_the_same_for_the_same_input() -> None:
    assert template(*EVERY_TRIGGER, options=Options(jobs=True)) == template(
        *EVERY_TRIGGER, options=Options(jobs=True)
    )


def test_substituted_stands_for_what_cloudformation_does() -> None:
    assert substituted("arn:${AWS::Partition}:s3:::${X}/${!*}", X="b") == "arn:aws:s3:::b/${*}"
