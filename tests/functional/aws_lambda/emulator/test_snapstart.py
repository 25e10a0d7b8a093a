"""setup before the snapshot, restore after it, by the hooks of the real runtime client."""

import json
from pathlib import Path

import pytest
from tests.fakes.lambda_events import version_2
from tests.fakes.lambda_runtime_api import RuntimeApi
from tests.functional.aws_lambda.emulator.conftest import Start, Zoo, snap_started

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

JSON = {"content-type": "application/json"}
ASKED = version_2("/invocations", b'"now"', JSON)


def test_restore_and_what_needs_it_run_after_the_snapshot(
    zoo: Zoo, start: Start, bare: Path, proxy: RuntimeApi
) -> None:
    function = start(zoo("Restores"), bootstrap=snap_started(proxy, bare), runtime_api=proxy.upstream)
    reply = function.invoke(ASKED)
    assert json.loads(reply.value["body"]) == ["setup aws_lambda 7", "restore", "warm-up", "now"]
    assert proxy.seen[0].endswith("/restore/next"), "before any event"
    (ready,) = function.events("ready")
    assert [phase["name"] for phase in ready["phases"]] == ["import", "setup", "restore", "warm-up"]


def test_what_needs_no_restore_is_warm_in_the_snapshot(
    zoo: Zoo, start: Start, bare: Path, proxy: RuntimeApi
) -> None:
    function = start(zoo("Shout"), bootstrap=snap_started(proxy, bare), runtime_api=proxy.upstream)
    assert function.invoke(version_2("/ping", None, {}, "GET")).value["statusCode"] == 200
    (ready,) = function.events("ready")
    assert [phase["name"] for phase in ready["phases"]] == ["import", "setup", "warm-up", "restore"]


def test_a_restore_that_fails_is_reported_with_its_reason(
    zoo: Zoo, start: Start, bare: Path, proxy: RuntimeApi
) -> None:
    function = start(zoo("FailsInRestore"), bootstrap=snap_started(proxy, bare), runtime_api=proxy.upstream)
    function.invoke(ASKED)
    (error, *_) = [json.loads(body) for body in proxy.errors]
    assert error["errorType"] == "PhaseFailed"
    assert "failed in restore: ConnectionError: the feature store is away" in error["errorMessage"]


def test_without_snapstart_restore_runs_at_once(zoo: Zoo, start: Start) -> None:
    function = start(zoo("Restores"))
    assert json.loads(function.invoke(ASKED).value["body"]) == [
        "setup aws_lambda 7",
        "restore",
        "warm-up",
        "now",
    ]
