"""The pushed image as podman and runc run it: the local provider's answers, within bounds, to the end."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.asking import Asked, ask_endpoint
from tests.fakes.containers import Container, Podman
from tests.functional.images.conftest import Preheat

from preheat_providers.local.client import SupervisorClient

BODIES = [
    b'{"vector": [0.1, 0.2, 0.3, 0.4]}',
    b'{"vector": [1e-3, 2, -3.5, 4], "wait_s": 0.01}',
    b'{"vector": ["x"]}',
    b'{"vectors": []}',
    b"not json",
]
READ_COMMAND = "print(open('/proc/1/cmdline').read().replace(chr(0), ' '))"
CACHED = "import asyncio, pathlib; print(pathlib.Path(asyncio.__cached__).exists())"
STRICT = ("--read-only", "--memory", "256m", "--cap-drop", "all", "--security-opt", "no-new-privileges")


@pytest.fixture(scope="module")
def container(podman: Podman, image: str) -> Container:
    return podman.start(image, *STRICT)


@pytest.fixture(scope="module")
def local(preheat: Preheat, project: Path, shared: Path) -> Iterator[str]:
    """The endpoint of the same project, deployed to the local provider."""
    yield preheat("deploy", str(project), "--yes")["endpoint"]
    preheat("destroy", "demo", "--yes")
    SupervisorClient(shared / "home").shut_down()


def invoke(container: Container, **query: Any) -> tuple[int, Any]:
    body = json.dumps({"vector": [1, 2, 3, 4], **query}).encode()
    status, _, answer = ask_endpoint(container.endpoint, Asked(body))
    return status, json.loads(answer)


def get(container: Container, path: str) -> tuple[int, bytes]:
    status, _, answer = ask_endpoint(container.endpoint, Asked(None, {}, path, "GET"))
    return status, answer


def test_ping_answers_once_the_model_is_ready(container: Container) -> None:
    assert get(container, "/ping") == (200, b"")


@pytest.mark.parametrize("body", BODIES)
def test_the_answers_are_the_local_providers_byte_for_byte(
    container: Container, local: str, body: bytes
) -> None:
    assert ask_endpoint(container.endpoint, Asked(body)) == ask_endpoint(local, Asked(body))


def test_it_tells_the_same_of_itself_with_the_answers_to_its_examples(
    container: Container, local: str
) -> None:
    asked = Asked(None, {}, "/schema", "GET")
    here, there = (json.loads(ask_endpoint(each, asked)[2]) for each in (container.endpoint, local))
    assert len(here["answers"]) == 1
    assert here == there


def test_nothing_can_be_written_but_scratch_and_nobody_is_root(container: Container) -> None:
    assert invoke(container, write="here.txt")[0] == 200
    assert invoke(container, write="/opt/preheat/code/handler.py")[0] == 500
    assert invoke(container, uid=True)[1]["uid"] == 65532


def test_the_process_is_number_one_and_the_configuration_is_in_force(container: Container) -> None:
    state = container.state()
    assert state["Config"]["StopSignal"] in ("SIGTERM", 15)
    assert state["Config"]["User"] == "65532"
    assert container.podman.run("exec", container.id, "/usr/bin/python3.11", "-c", READ_COMMAND).startswith(
        "/usr/bin/python3.11 -I -S -B"
    )


def test_the_standard_library_is_byte_code_though_the_base_has_none(container: Container) -> None:
    assert container.podman.run("exec", container.id, "/usr/bin/python3.11", "-I", "-c", CACHED) == "True"


def test_a_request_over_the_memory_limit_ends_the_container_and_not_the_machine(
    podman: Podman, image: str
) -> None:
    container = podman.start(image, *STRICT, "--memory-swap", "256m")
    with pytest.raises(OSError):
        invoke(container, grow_mb=600)
    assert container.ended() == 137


def test_sigterm_answers_what_is_in_hand_and_ends(podman: Podman, image: str) -> None:
    container = podman.start(image, *STRICT)
    answers: list[tuple[int, Any]] = []
    asking = threading.Thread(target=lambda: answers.append(invoke(container, wait_s=5)))
    asking.start()
    while b"preheat_requests_in_flight 1" not in get(container, "/metrics")[1]:
        assert asking.is_alive()
    podman.run("kill", "--signal", "TERM", container.id)
    asking.join()
    assert answers[0][0] == 200
    assert container.ended() == 0
