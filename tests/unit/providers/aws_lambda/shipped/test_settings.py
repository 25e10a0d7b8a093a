from pathlib import Path

import pytest

from preheat.errors import ProviderError
from preheat_providers.aws_lambda.shipped.settings import Queue, Sandbox, Settings, Tick, Triggers, Upload

EVERYTHING = Triggers(
    uploads=(Upload(name="scans", bucket="in", prefix="a b/", suffix=".png", output="out/results/"),),
    queues=(Queue(name="jobs", queue="demo-dev-jobs"),),
    ticks=(Tick(name="nightly", input={"text": "z\u00fcrich", "n": 1.5}), Tick(name="idle")),
)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(stage="dev"),
        Settings(
            stage="prod",
            token_sha256="ab" * 32,
            triggers=EVERYTHING,
            table="deliveries",
            jobs_bucket="b",
            tracing=True,
        ),
    ],
)
def test_a_function_reads_what_the_deploy_has_written(settings: Settings) -> None:
    assert Settings.read(settings.environment()) == settings


def test_a_function_that_no_deploy_has_made_is_refused_by_what_it_lacks() -> None:
    with pytest.raises(ProviderError, match="lacks PREHEAT_STAGE"):
        Settings.read({})


def test_what_is_not_used_takes_no_room_in_the_environment() -> None:
    assert Settings(stage="dev").environment() == {"PREHEAT_STAGE": "dev"}


@pytest.mark.parametrize(
    ("bucket", "key", "expected"),
    [
        ("in", "a b/c.png", True),
        ("in", "a b/c.PNG", False),
        ("in", "c.png", False),
        ("other", "a b/c.png", False),
    ],
)
def test_an_upload_wants_what_its_filters_let_through(bucket: str, key: str, expected: bool) -> None:
    assert EVERYTHING.uploads[0].wants(bucket, key) is expected


@pytest.mark.parametrize(("output", "sink"), [("out/a/b/", ("out", "a/b/")), ("out", ("out", ""))])
def test_the_output_is_a_bucket_and_a_prefix(output: str, sink: tuple[str, str]) -> None:
    assert Upload(name="u", bucket="in", output=output).sink == sink


def test_the_sandbox_is_what_lambda_says() -> None:
    sandbox = Sandbox.read(
        {
            "LAMBDA_TASK_ROOT": "/var/task",
            "AWS_LAMBDA_FUNCTION_NAME": "preheat-demo-prod",
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3538",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        }
    )
    assert sandbox.snap_start
    place = sandbox.place(Settings(stage="prod"), "demo", Path("/w"))
    assert (place.code, place.weights, place.cpus) == (Path("/var/task"), Path("/w"), 2.0)
    assert (place.name, place.stage, place.release, place.provider) == ("demo", "prod", "7", "aws_lambda")


def test_without_snapstart_nothing_waits_for_a_snapshot() -> None:
    given = {
        "LAMBDA_TASK_ROOT": "/t",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": "demo",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
    }
    assert not Sandbox.read(given).snap_start
    assert not Sandbox.read(given | {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}).snap_start
