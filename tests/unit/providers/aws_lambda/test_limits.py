from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from preheat.bundle.model import Bundle, Layer, Size
from preheat.bundle.sizes import check_limit
from preheat.errors import TooLarge
from preheat.findings import Finding
from preheat.interface.manifest import Limits
from preheat.project.model import (
    HttpTrigger,
    ObjectCreated,
    Project,
    QueueTrigger,
    Resources,
    Scaling,
    Schedule,
    Trigger,
)
from preheat_providers.aws_lambda import limits
from preheat_providers.aws_lambda.limits import MB, project_findings
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.target import target_of


def project(**fields: Any) -> Project:
    return Project(root=Path("/p"), stage="dev", name="ocr", handler="handler:Model", **fields)


def found(
    made: Project, options: Options | None = None, environment: Mapping[str, str] | None = None
) -> dict[str | None, Finding]:
    findings = project_findings(made, options or Options(), environment=environment or {})
    assert all(finding.file == Path("/p/preheat.toml") and finding.fix for finding in findings)
    return {finding.key: finding for finding in findings}


def test_the_defaults_fit() -> None:
    assert found(project()) == {}


def test_what_is_at_the_limits_fits() -> None:
    least = Resources(memory_mb=128, timeout_s=1, tmp_mb=512)
    most = Resources(memory_mb=10_240, timeout_s=900, tmp_mb=10_240)
    assert found(project(resources=least)) == {}
    assert found(project(resources=most, limits=Limits(body_bytes=6 * MB))) == {}


@pytest.mark.parametrize(
    ("resources", "key", "fix"),
    [
        (Resources(memory_mb=64), "resources.memory_mb", "memory_mb = 128"),
        (Resources(memory_mb=16_384), "resources.memory_mb", "memory_mb = 10240"),
        (Resources(timeout_s=0.5), "resources.timeout_s", "timeout_s = 1"),
        (Resources(timeout_s=901), "resources.timeout_s", "timeout_s = 900"),
        (Resources(tmp_mb=20_000), "resources.tmp_mb", "tmp_mb = 10240"),
        (Resources(gpu="t4"), "resources.gpu", "preheat deploy --provider local  # or drop gpu"),
    ],
)
def test_resources_beyond_the_limits_are_found_with_the_nearest(
    resources: Resources, key: str, fix: str
) -> None:
    findings = found(project(resources=resources))
    assert list(findings) == [key]
    assert findings[key].fix == fix


def test_a_body_beyond_six_megabytes_is_found() -> None:
    finding = found(project(limits=Limits(body_bytes=10 * MB)))["limits.body_mb"]
    assert finding.message == "limits.body_mb is 10, and Lambda takes 6 MB."


def test_uploads_may_take_half_of_the_memory() -> None:
    triggers = (HttpTrigger(), ObjectCreated(name="scans", bucket="in", output="out"))
    assert found(project(triggers=triggers, limits=Limits(body_bytes=512 * MB))) == {}
    finding = found(project(triggers=triggers, limits=Limits(body_bytes=513 * MB)))["limits.body_mb"]
    assert finding.message == (
        "limits.body_mb is 513, and an uploaded object is read whole, into half of resources.memory_mb, "
        "1024, at most."
    )
    assert finding.fix == "body_mb = 512"


@pytest.mark.parametrize("python", ["3.10", "3.15"])
def test_a_python_that_lambda_does_not_run_is_found(python: str) -> None:
    finding = found(project(python=python))["python"]
    assert "Lambda runs 3.11, 3.12, 3.13, 3.14" in finding.message


def test_snapstart_has_limits_of_its_own() -> None:
    made = project(python="3.11", resources=Resources(tmp_mb=1024))
    assert set(found(made, Options(warm="snapstart"))) == {"resources.tmp_mb", "python"}
    assert found(made) == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("AWS_REGION", "set by Lambda"),
        ("AWS_SESSION_TOKEN", "set by Lambda"),
        ("LAMBDA_TASK_ROOT", "set by Lambda"),
        ("_X", "no variable for Lambda"),
        ("A", "no variable for Lambda"),
        ("MY-KEY", "no variable for Lambda"),
    ],
)
def test_a_variable_that_lambda_refuses_is_found(name: str, message: str) -> None:
    assert message in found(project(env={name: "x"}))[f"env.{name}"].message
    assert message in found(project(secrets={name: "env:X"}))[f"secrets.{name}"].message


def test_variables_beyond_four_kilobytes_are_found_by_how_much_and_the_longest() -> None:
    made = project(env={"LONG": "x" * 3000, "SHORT": "y"})
    assert found(made, environment={"OURS": "z" * (4096 - 3000 - 4 - 6 - 4)}) == {}
    finding = found(made, environment={"OURS": "z" * (4096 - 3000 - 4 - 6 - 4 + 7)})["env.LONG"]
    assert "4,103 bytes together, ours included, and Lambda takes 4,096: 7 too many" in finding.message


def test_a_name_that_lambda_has_no_room_for_is_found_with_a_shorter_one() -> None:
    assert found(replace(project(), name="o" * 48, stage="s" * 7)) == {}
    finding = found(replace(project(), name="o" * 48, stage="s" * 10))["name"]
    assert "takes 64 characters: 3 too many" in finding.message
    assert finding.fix == f'name = "{"o" * 45}"'


@pytest.mark.parametrize(
    ("queue", "better"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/123456789012/pictures", "pictures"),
        ("arn:aws:sqs:eu-central-1:123456789012:pictures.fifo", "pictures.fifo"),
        ("my pictures", "my-queue"),
        ("p" * 81, "my-queue"),
    ],
)
def test_what_no_queue_is_called_is_found_with_the_name_in_it(queue: str, better: str) -> None:
    made = project(triggers=(HttpTrigger(), QueueTrigger(name="q", queue=queue)))
    assert found(made)["triggers.q.queue"].fix == f'queue = "{better}"'


@pytest.mark.parametrize("queue", ["pictures", "Team_1-x", "in-order.fifo", "p" * 80])
def test_what_a_queue_is_called_is_taken(queue: str) -> None:
    assert found(project(triggers=(HttpTrigger(), QueueTrigger(name="q", queue=queue)))) == {}


UPLOADS = (
    ObjectCreated(name="scans", bucket="uploads", output="results/"),
    ObjectCreated(name="forms", bucket="forms", output="results/"),
)
MESSAGES = QueueTrigger(name="work", queue="team-work")


@pytest.mark.parametrize(
    ("triggers", "most", "reserved", "enough"),
    [
        (UPLOADS[:1], 4, 1, 2),
        ((MESSAGES,), 1, 1, 2),
        (UPLOADS, 4, 4, 8),
        ((*UPLOADS, MESSAGES), 1, 5, 6),
        ((*UPLOADS, MESSAGES), 5000, 2999, 3000),
    ],
)
def test_a_reserve_that_the_queues_would_overrun_is_found_with_one_that_holds_them(
    triggers: tuple[Trigger, ...], most: int, reserved: int, enough: int
) -> None:
    made = project(triggers=triggers, scaling=Scaling(max=most))
    findings = found(made, Options(reserved_concurrency=reserved))
    assert list(findings) == ["provider.aws_lambda.reserved_concurrency"]
    (finding,) = findings.values()
    assert finding.fix == f"reserved_concurrency = {enough}"
    assert found(made, Options(reserved_concurrency=enough)) == {}


@pytest.mark.parametrize(
    ("triggers", "reserved"),
    [((), 1), (UPLOADS[:1], 3), (UPLOADS, None), ((Schedule(name="tick", cron="0 0 * * *"),), 1)],
)
def test_a_reserve_that_holds_the_queues_is_taken(
    triggers: tuple[Trigger, ...], reserved: int | None
) -> None:
    assert found(project(triggers=triggers), Options(reserved_concurrency=reserved)) == {}


def test_a_schedule_that_aws_has_no_words_for_is_found_with_one_of_its_halves() -> None:
    made = project(triggers=(HttpTrigger(), Schedule(name="s", cron="0 3 13 * 5")))
    finding = found(made)["triggers.s.cron"]
    assert "make two triggers of it" in finding.message
    assert finding.fix == 'cron = "0 3 13 * *"'


def bundle(options: Options, **megabytes: int) -> Bundle:
    sizes = tuple(
        Size(layer="weights" if name.startswith("w") else "dependencies", name=name, bytes=each * MB)
        for name, each in megabytes.items()
    )
    weights = sum(size.bytes for size in sizes if size.layer == "weights")
    layer = Layer(name="weights", digest="sha256:0", bytes=weights, path=Path("/x"))
    return Bundle(
        digest="sha256:0",
        target=target_of(project(), options),
        layers=(layer,),
        sizes=sizes,
        path=Path("/x"),
        cached=False,
        contract={},
    )


def test_a_package_over_the_limit_says_by_how_much_which_packages_and_the_next_rung() -> None:
    made = bundle(Options(), torch=200, numpy=30, w=90)
    with pytest.raises(TooLarge) as caught:
        check_limit(made.sizes, made.target)
    assert "335.5 MB unzipped, and aws_lambda takes 262.1 MB: 73.4 MB too much" in caught.value.message
    assert "torch 209.7 MB, w 94.4 MB, numpy 31.5 MB" in caught.value.message
    assert 'weights = "s3" in [provider.aws_lambda]' in str(caught.value.hint)
    assert 'package = "image" there' in str(caught.value.hint)


def test_the_last_rung_is_an_image_and_it_has_an_end_too() -> None:
    made = bundle(Options(package="image"), torch=5000, w=5240)
    check_limit(made.sizes, made.target)
    heavy = bundle(Options(package="image"), torch=5001, w=5240)
    with pytest.raises(TooLarge, match=r"aws_lambda takes 10,?737\.4 MB: 1\.0 MB too much") as caught:
        check_limit(heavy.sizes, heavy.target)
    assert "no function of Lambda holds more than an image" in str(caught.value.hint)


def test_weights_from_s3_do_not_count_for_the_package() -> None:
    made = bundle(Options(weights="s3"), torch=200, w=900)
    check_limit(made.sizes, made.target)
    assert made.unzipped_bytes == 0
    heavy = bundle(Options(weights="s3"), torch=260, w=900)
    with pytest.raises(TooLarge, match=r"10\.5 MB too much\. The heaviest: torch 272\.6 MB") as caught:
        check_limit(heavy.sizes, heavy.target)
    assert "weights from S3 do not count" in str(caught.value.hint)
    assert 'package = "image" and weights = "package"' in str(caught.value.hint)


def test_the_newest_sdk_takes_what_we_take() -> None:
    """Its maxima are those of other kinds of function too (managed instances), so they may be higher."""
    shapes = Loader().load_service_model("lambda", "service-2")["shapes"]
    assert (
        shapes["MemorySize"]["min"]
        == limits.MEMORY_MB[0]
        <= limits.MEMORY_MB[1]
        <= shapes["MemorySize"]["max"]
    )
    assert limits.TIMEOUT_S[0] == shapes["Timeout"]["min"]
    assert limits.TIMEOUT_S[1] <= shapes["Timeout"]["max"]
    assert limits.TMP_MB[0] == shapes["EphemeralStorageSize"]["min"]
    assert limits.TMP_MB[1] <= shapes["EphemeralStorageSize"]["max"]
    assert {f"python{python}" for python in limits.PYTHONS} <= set(shapes["Runtime"]["enum"])
