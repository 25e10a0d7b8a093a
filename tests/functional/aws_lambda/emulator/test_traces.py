"""Traces in the real runtime: what a daemon of X-Ray receives for an event that Lambda traces."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.lambda_emulator import Emulator
from tests.fakes.lambda_events import version_2
from tests.fakes.lambda_runtime_api import RuntimeApi, runtime_api
from tests.fakes.patience import PATIENCE_S
from tests.fakes.ports import free_port
from tests.functional.aws_lambda.emulator.conftest import Start, Zoo, behind

from preheat_providers.aws_lambda.shipped.settings import Settings

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

ROOT, PARENT = "1-67891233-abcdef012345678912345678", "53995c3f42cd8ad8"
SAMPLED = f"Root={ROOT};Parent={PARENT};Sampled=1"
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Traced:
    """A function behind a runtime API that traces, and the daemon that it tells."""

    function: Emulator
    api: RuntimeApi
    daemon: socket.socket

    def ask(self, body: bytes, request_id: str = "r-1") -> None:
        self.function.invoke(version_2("/invocations", body, JSON | {"x-request-id": request_id}))

    def received(self) -> dict[str, Any]:
        """Return the next subsegment."""
        header, _, segment = self.daemon.recv(65_536).partition(b"\n")
        assert json.loads(header)["format"] == "json"
        found: dict[str, Any] = json.loads(segment)
        return found


@pytest.fixture
def traced(zoo: Zoo, start: Start, bare: Path) -> Iterator[Callable[[str], Traced]]:
    """Return what starts a handler of the zoo with tracing on."""
    with (
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as daemon,
        runtime_api(free_port()) as api,
    ):
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(PATIENCE_S)
        api.trace = SAMPLED
        env = {"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}"}
        bootstrap = behind(api, bare)

        def begin(handler: str) -> Traced:
            settings = Settings(stage="dev", tracing=True)
            function = start(zoo(handler), settings, env=env, bootstrap=bootstrap, runtime_api=api.upstream)
            return Traced(function, api, daemon)

        yield begin


@pytest.mark.parametrize(("handler", "body"), [("Shout", b'{"text": "a"}'), ("Slow", b'"abc"')])
def test_a_call_of_the_model_is_a_subsegment_of_the_event(
    traced: Callable[[str], Traced], handler: str, body: bytes
) -> None:
    function = traced(handler)
    function.ask(body)
    segment = function.received()
    assert (segment["trace_id"], segment["parent_id"], segment["name"]) == (ROOT, PARENT, "## predict")
    assert segment["annotations"] == {"Service": "zoo", "Release": "7", "RequestId": "r-1", "Status": 200}
    assert segment["metadata"]["default"]["preheat"]["model_ms"] > 0
    assert not segment.get("fault", False)


def test_a_failure_is_a_fault_and_a_refusal_an_error(traced: Callable[[str], Traced]) -> None:
    function = traced("Shout")
    function.ask(b'{"text": "raise"}')
    assert function.received()["fault"] is True
    function.ask(b'{"txt": "a"}')
    assert function.received()["error"] is True


def test_an_event_that_lambda_does_not_sample_sends_nothing(traced: Callable[[str], Traced]) -> None:
    function = traced("Shout")
    function.api.trace = SAMPLED.replace("1-67891233", "1-67891234").replace("Sampled=1", "Sampled=0")
    function.ask(b'{"text": "a"}', "no")
    function.api.trace = SAMPLED
    function.ask(b'{"text": "a"}', "yes")
    assert function.received()["annotations"]["RequestId"] == "yes"
