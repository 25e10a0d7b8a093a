"""Requests over HTTP in the real runtime: the answers are those of a server over the same handlers."""

import hashlib
import http.client
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.lambda_emulator import Emulator, Reply
from tests.fakes.lambda_events import load_balancer, version_1, version_2
from tests.fakes.patience import PATIENCE_S
from tests.fakes.servers import ServerProcess
from tests.functional.aws_lambda.emulator.conftest import HERE, Start, Zoo

from preheat_providers.aws_lambda.shipped.settings import Settings

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

MAKERS = {"v2": version_2, "v1": version_1, "alb": load_balancer}
OWN = {"date", "server", "connection", "transfer-encoding", "content-length"}
"""Headers that a server adds, and a platform around a function too."""
TIMES = {"x-preheat-queue-ms", "x-preheat-model-ms"}
JSON = {"content-type": "application/json", "x-request-id": "r-1"}

ASKED: dict[str, list[tuple[bytes, dict[str, str]]]] = {
    "Shout": [
        (b'{"text": "hello", "times": 2}', JSON),
        ('{"text": "z\u00fcrich \u65e5\u672c \U0001f642"}'.encode(), JSON),
        (b'{"txt": "hello"}', JSON),
        (b'{"text": "raise"}', JSON),
        (b'{"text": "refuse"}', JSON),
        (b"{", JSON),
        (b"x", {**JSON, "content-type": "text/css"}),
    ],
    "Squares": [(b"12", JSON), (b'"a"', JSON)],
    "Round": [
        (bytes(range(256)), {**JSON, "content-type": "image/png"}),
        (b"abc", {**JSON, "content-type": "text/csv"}),
        (b"abc", {**JSON, "content-type": "text/csv", "accept": "application/json"}),
    ],
    "Slow": [(b'"abc"', JSON)],
    "Counts": [(b"3", JSON), (b"3", {**JSON, "accept": "text/event-stream"})],
    "CountsSlowly": [(b"3", JSON)],
    "Keeps": [(b'"abc"', JSON), (b'"abc"', JSON)],
}

Answer = tuple[int, dict[str, str], bytes]


def ask_server(server: ServerProcess, body: bytes, headers: dict[str, str]) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    try:
        connection.request("POST", "/invocations", body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def as_sent(reply: Reply) -> Answer:
    """Return what Lambda makes of a reply for the client."""
    value = reply.value
    body = b64decode(value["body"]) if value["isBase64Encoded"] else value["body"].encode()
    return value["statusCode"], value["headers"], body


def compared(answer: Answer) -> Any:
    status, headers, body = answer
    known = {name.lower(): value for name, value in headers.items()}
    return status, {name: known[name] for name in known.keys() - OWN - TIMES}, body


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ServerProcess]]:
    """Start the server of containers over a handler of the zoo."""
    running: list[ServerProcess] = []
    source = (HERE / "zoo" / "zoo.py").read_text()

    def begin(handler: str) -> ServerProcess:
        running.append(ServerProcess(tmp_path_factory.mktemp(handler), f"{source}\nModel = {handler}\n"))
        running[-1].until("ready")
        return running[-1]

    yield begin
    for server in running:
        server.close()


@pytest.mark.parametrize("handler", ASKED)
def test_the_answers_are_those_of_a_server(
    handler: str, zoo: Zoo, start: Start, serve: Callable[[str], ServerProcess]
) -> None:
    function, server = start(zoo(handler)), serve(handler)
    for body, headers in ASKED[handler]:
        expected = compared(ask_server(server, body, headers))
        for make in MAKERS.values() if handler != "Keeps" else (version_2,):
            answer = function.invoke(make("/invocations", body, headers))
            assert compared(as_sent(answer)) == expected


@pytest.fixture(scope="module")
def shout(zoo: Zoo, bare: Path) -> Iterator[Emulator]:
    settings = Settings(stage="dev", token_sha256=hashlib.sha256(b"secret").hexdigest())
    with Emulator(zoo("Shout"), python=bare, env=settings.environment()) as emulator:
        yield emulator


TOKEN = {"authorization": "Bearer secret"}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_the_rest_of_the_surface_is_there_too(shout: Emulator, make: Callable[..., Any]) -> None:
    for path, kind in (("/docs", "text/html"), ("/openapi.json", "application/json"), ("/ping", "")):
        status, headers, body = as_sent(shout.invoke(make(path, None, {}, "GET")))
        assert status == 200
        assert headers.get("content-type", "").startswith(kind)
        assert body or path == "/ping"
    assert as_sent(shout.invoke(make("/nowhere", None, {}, "GET")))[0] == 404
    assert as_sent(shout.invoke(make("/invocations", None, {}, "GET")))[0] == 405
    assert as_sent(shout.invoke(make("/jobs", b"{}", TOKEN)))[0] == 501


def test_a_caller_needs_the_token(shout: Emulator) -> None:
    body = b'{"text": "a"}'
    assert as_sent(shout.invoke(version_2("/invocations", body, JSON)))[0] == 401
    assert as_sent(shout.invoke(version_2("/metrics", None, {}, "GET")))[0] == 401
    assert as_sent(shout.invoke(version_2("/invocations", body, JSON | TOKEN)))[0] == 200


def test_a_request_without_an_id_gets_that_of_the_functions_log(shout: Emulator) -> None:
    for path, body in (("/invocations", b'{"text": "a"}'), ("/ping", None)):
        headers = {"content-type": "application/json"} | TOKEN
        sent = version_2(path, body, headers, "POST" if body else "GET")
        request_id = as_sent(shout.invoke(sent))[1]["x-request-id"]
        shout.until_begins(f"START RequestId: {request_id}")


def test_the_start_is_one_line_with_its_phases(shout: Emulator) -> None:
    shout.invoke(version_2("/invocations", b'{"text": "a"}', JSON | TOKEN))
    (ready,) = shout.events("ready")
    assert [phase["name"] for phase in ready["phases"]] == ["import", "setup", "warm-up", "restore"]
    assert all(phase["ms"] >= 0 for phase in ready["phases"])
    assert not any("secret" in line for line in shout.lines)


def test_a_late_answer_is_a_504_before_lambda_ends_the_function(zoo: Zoo, hurried: Start) -> None:
    function = hurried(zoo("Shout"))
    assert as_sent(function.invoke(version_2("/invocations", b'{"text": "a"}', JSON)))[0] == 200
    status, _, body = as_sent(function.invoke(version_2("/invocations", b'{"text": "sleep"}', JSON)))
    assert status == 504
    assert json.loads(body)["instance"] == "urn:preheat:request:r-1"
    (late,) = function.events("deadline-exceeded")
    assert late["request_id"] == "r-1"
    assert as_sent(function.invoke(version_2("/invocations", b'{"text": "a"}', JSON)))[0] == 200
    assert len(function.events("ready")) == 1, "the model is still there"


def test_a_late_stream_is_a_504_too(zoo: Zoo, hurried: Start) -> None:
    function = hurried(zoo("Counts"))
    status, _, body = as_sent(function.invoke(version_2("/invocations", b"1001", JSON)))
    assert status == 504
    assert "time limit" in json.loads(body)["detail"]


@pytest.mark.parametrize(
    ("text", "times", "status", "base64"),
    [
        ("x", 6_291_000, 200, False),
        ('"', 1_500_000, 200, False),  # four bytes each as JSON in JSON
        ('"', 2_000_000, 200, True),
        ("x", 6_400_000, 500, False),
        ('"', 4_000_000, 500, False),
    ],
)
def test_an_answer_too_large_for_lambda_is_a_problem_that_says_so(
    zoo: Zoo, start: Start, text: str, times: int, status: int, base64: bool
) -> None:
    function = start(zoo("Long"))
    body = json.dumps({"text": text, "times": times}).encode()
    reply = function.invoke(version_2("/invocations", body, JSON))
    assert reply.value["statusCode"] == status
    assert reply.value["isBase64Encoded"] is base64
    sent = json.loads(as_sent(reply)[2])
    if status == 200:
        assert sent == text * times
    else:
        assert "Lambda hands on 6291556 at most (6 MB)" in sent["detail"]


def test_a_process_that_ends_is_replaced(zoo: Zoo, start: Start) -> None:
    function = start(zoo("Shout"))
    assert b"Runtime.ExitError" in function.invoke(version_2("/invocations", b'{"text": "exit"}', JSON)).body
    assert as_sent(function.invoke(version_2("/invocations", b'{"text": "a"}', JSON)))[0] == 200


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("Fails", "The handler failed in setup: FileNotFoundError: no model for zoo@dev"),
        ("Exits", "The handler failed in setup: SystemExit: no licence"),
        ("Missing", "zoo has no class 'Missing'"),
    ],
)
def test_a_start_that_fails_says_why(zoo: Zoo, start: Start, handler: str, said: str) -> None:
    function = start(zoo(handler))
    reply = function.invoke(version_2("/ping", None, {}, "GET"))
    assert reply.value["errorType"] == "PhaseFailed"
    assert said in reply.value["errorMessage"]
    (failed, *_) = function.events("failed")
    assert said in failed["message"]
    assert failed["phase"] == ("import" if handler == "Missing" else "setup")
