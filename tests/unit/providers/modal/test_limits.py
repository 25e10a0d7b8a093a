"""What of a project Modal does not take, each with what to write instead."""

from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.modal_specs import project_of

from preheat.findings import Finding
from preheat.interface.manifest import Limits
from preheat.project.model import HttpTrigger, ObjectCreated, QueueTrigger, Resources, Scaling, Schedule
from preheat_providers.modal.limits import LONGEST_TIMEOUT_S, call_s, notes, project_findings
from preheat_providers.modal.options import Options


def findings(options: Options | None = None, **changes: Any) -> tuple[Finding, ...]:
    return project_findings(project_of(**changes), options or Options())


def only(options: Options | None = None, **changes: Any) -> Finding:
    (finding,) = findings(options, **changes)
    assert finding.fix
    return finding


def test_a_usual_project_is_taken() -> None:
    triggers = (
        HttpTrigger(),
        Schedule(name="nightly", cron="0 3 * * *"),
        ObjectCreated(name="scans", bucket="in", output="out/"),
    )
    assert not findings(triggers=triggers, resources=Resources(gpu="H100:2"), python="3.12")


def test_an_unknown_gpu_names_the_nearest() -> None:
    finding = only(resources=Resources(gpu="A10G"))
    assert (finding.key, finding.fix) == ("resources.gpu", 'gpu = "A10"')
    assert "'A10G'" in finding.message


def test_a_wrong_fallback_is_corrected_in_its_list() -> None:
    finding = only(Options(gpu_fallback=("L40S", "B20")), resources=Resources(gpu="L4"))
    assert finding.key == "provider.modal.gpu_fallback[1]"
    assert finding.fix == 'gpu_fallback = ["L40S", "B200"]'


def test_a_fallback_needs_something_to_fall_back_from() -> None:
    assert only(Options(gpu_fallback=("L4",))).fix == 'gpu = "L4"  # in [resources]'


def test_a_fallback_from_nothing_to_a_wrong_gpu_is_corrected_there_too() -> None:
    unknown, nothing = findings(Options(gpu_fallback=("L4O",)))
    assert unknown.fix == 'gpu_fallback = ["L4"]'
    assert nothing.fix == 'gpu = "L4"  # in [resources]'


@pytest.mark.parametrize(("gpu", "said"), [(None, "not set"), ("H100:2", "more than one")])
def test_a_gpu_snapshot_is_of_one_gpu(gpu: str | None, said: str) -> None:
    finding = only(Options(snapshot="gpu"), resources=Resources(gpu=gpu))
    assert said in finding.message
    assert finding.fix is not None
    assert finding.fix.startswith('snapshot = "cpu"')


def test_a_gpu_snapshot_of_one_gpu_is_taken() -> None:
    assert not findings(Options(snapshot="gpu"), resources=Resources(gpu="H100"))


@pytest.mark.parametrize(
    ("resources", "fix"),
    [
        (Resources(timeout_s=LONGEST_TIMEOUT_S + 1), f"timeout_s = {LONGEST_TIMEOUT_S}"),
        (Resources(tmp_mb=600_000), "tmp_mb = 524288"),
    ],
)
def test_what_no_container_has(resources: Resources, fix: str) -> None:
    assert only(resources=resources).fix == fix


def test_three_attempts_of_the_longest_time_fit_into_a_day() -> None:
    assert not findings(resources=Resources(timeout_s=LONGEST_TIMEOUT_S))
    assert 3 * LONGEST_TIMEOUT_S + 60 <= 24 * 3600


def test_all_attempts_of_an_upload_fit_into_a_day() -> None:
    stubborn = ObjectCreated(name="scans", bucket="in", output="out/", attempts=20)
    finding = only(resources=Resources(timeout_s=5000), triggers=(stubborn,))
    assert finding.fix == "timeout_s = 4266"
    assert "an upload has 20 attempts" in finding.message
    project = project_of(resources=Resources(timeout_s=4266), triggers=(stubborn,))
    assert not project_findings(project, Options())
    assert 20 * 4266 + sum(min(60, 2**n) for n in range(19)) + 30 < call_s(project) <= 24 * 3600
    assert call_s(project_of(resources=Resources(timeout_s=10))) == 3 * 10 + 60


def test_a_python_that_modal_has_no_image_of() -> None:
    assert only(python="3.9").fix == 'python = "3.13"'


@pytest.mark.parametrize("name", ["MODAL_TASK_ID", "PREHEAT_TOKEN_SHA256"])
def test_a_variable_of_the_container_is_not_to_be_set(name: str) -> None:
    assert only(env={name: "x"}).key == f"env.{name}"
    assert only(secrets={name: "env:X"}).key == f"secrets.{name}"


def test_what_is_no_variable() -> None:
    assert only(env={"1ST": "x"}).key == "env.1ST"


def test_more_containers_at_least_than_at_most() -> None:
    finding = only(Options(min_containers=5), scaling=Scaling(max=2))
    assert finding.key == "provider.modal.min_containers"
    assert finding.fix == "max_containers = 5  # in [provider.modal]"
    assert only(scaling=Scaling(min=5, max=2)).key == "scaling.min"


@pytest.mark.parametrize(("idle_s", "nearest"), [(0.5, 2), (7200.0, 3600)])
def test_an_idle_time_that_modal_does_not_know(idle_s: float, nearest: int) -> None:
    finding = only(scaling=Scaling(idle_s=idle_s))
    assert (finding.key, finding.fix) == (
        "scaling.idle_s",
        f"scaledown_window = {nearest}  # in [provider.modal]",
    )


def test_a_start_of_more_than_a_day() -> None:
    assert only(limits=Limits(setup_s=90_000)).fix == "startup_timeout_s = 86400"


def test_a_name_that_is_too_long_is_cut() -> None:
    name = "a" * 48
    finding = only(name=name, stage="production-europe")
    assert finding.key == "name"
    assert finding.fix is not None
    shorter = finding.fix.partition('"')[2].rstrip('"')
    assert not findings(name=shorter, stage="production-europe")


def test_the_name_of_a_secret_has_to_fit_too() -> None:
    name = "a" * 43
    assert not findings(name=name, stage="prod", secrets={"KEY": "modal:keys"})
    finding = only(name=name, stage="prod", secrets={"KEY": "env:KEY"})
    assert "preheat-" + name + "-prod-env-00000000" in finding.message
    assert not findings(name=str(finding.fix).split('"')[1], stage="prod", secrets={"KEY": "env:KEY"})


def test_a_queue_is_nothing_that_modal_waits_for() -> None:
    finding = only(triggers=(HttpTrigger(), QueueTrigger(name="orders", queue="orders")))
    assert finding.key == "triggers.orders"


def test_long_requests_are_noted_and_not_refused() -> None:
    assert not notes(project_of())
    (note,) = notes(project_of(resources=Resources(timeout_s=300)))
    assert "/jobs" in note
    assert "303" in note


QUEUE = "https://sqs.eu-central-1.amazonaws.com/111122223333/uploads"
SCANS = ObjectCreated(name="scans", bucket="in", output="out/")


def test_a_queue_of_uploads_is_for_a_trigger_and_has_a_region() -> None:
    assert not findings(Options(upload_queue=QUEUE), triggers=(SCANS,))
    assert only(Options(upload_queue=QUEUE)).key == "provider.modal.upload_queue"
    elsewhere = Options(upload_queue="http://127.0.0.1:4566/111122223333/uploads")
    finding = only(elsewhere, triggers=(SCANS,))
    assert "names no region" in finding.message
    assert not findings(replace(elsewhere, aws_region="eu-west-1"), triggers=(SCANS,))
