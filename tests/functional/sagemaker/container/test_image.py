"""The image itself: built on Debian's Python, stored in a real registry, run by podman as SageMaker does."""

import json
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.asking import JSON, Asked, ask_endpoint
from tests.fakes.containers import Container, Podman, base_archive, check_tools, push_base, registry
from tests.fakes.projects import write_project
from tests.fakes.sagemaker.container import ContainerProcess
from tests.fakes.sagemaker.images import Made, make_image
from tests.functional.sagemaker.container.conftest import Start

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("images")]

TOML = """
python = "3.11"
requirements = ["numpy>=2"]

[env]
MODE = "quick"
"""
HANDLER = """
import os
import time

import numpy as np
import preheat


class Model(preheat.Handler):
    def predict(self, vector: list[float], call: preheat.Call) -> dict[str, str]:
        if vector == [0.0]:
            print("begun", flush=True)
            time.sleep(5)
        total = float(np.asarray(vector).sum())
        return {"sum": f"{total:.17g}", "uid": str(os.getuid()), "mode": os.environ["MODE"], "id": call.id}
"""
SERVE = ("serve",)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    check_tools()
    folder = tmp_path_factory.mktemp("sagemaker")
    with pytest.MonkeyPatch.context() as patch, registry(folder) as host:
        patch.setenv("PREHEAT_HOME", str(folder / "home"))
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        base = push_base(host, base_archive(), "base", folder=folder)
        yield make_image(write_project(folder / "demo", TOML, handler=HANDLER), host=host, base=base)


@pytest.fixture(scope="module")
def podman(made: Made) -> Iterator[Podman]:
    # Podman takes a path of 50 characters at most, and pytest's own are longer.
    podman = Podman(Path(tempfile.mkdtemp(prefix="podman-")))
    podman.run("pull", "--quiet", "--tls-verify=false", made.reference)
    yield podman
    podman.close()


def ask(container: Container, vector: list[float]) -> Any:
    headers = JSON | {"x-amzn-sagemaker-inference-id": "job-1"}
    status, _, body = ask_endpoint(container.endpoint, Asked(json.dumps(vector).encode(), headers))
    assert status == 200, body
    return json.loads(body)


def test_its_configuration_is_what_sagemaker_reads(made: Made, podman: Podman) -> None:
    [found] = json.loads(podman.run("image", "inspect", made.reference))
    assert found["Labels"]["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"
    assert found["User"] == "0"
    assert "8080/tcp" in found["Config"]["ExposedPorts"]
    assert not found["Config"].get("Cmd")


def test_served_as_root_it_answers_as_the_bare_process_does(
    made: Made, podman: Podman, start: Start, tmp_path: Path
) -> None:
    class Bare(ContainerProcess):
        def lay(self, folder: Path, source: str, limits: object) -> list[str]:
            code = made.layers(folder / "layers")
            return [str(code / "preheat_providers/sagemaker/shipped/entry.py"), "serve"]

    container = podman.start(made.reference, arguments=SERVE)
    assert ask_endpoint(container.endpoint, Asked(None, {}, "/ping", "GET"))[::2] == (200, b"")
    answer = ask(container, [0.1, 0.2, 0.3])
    assert (answer["uid"], answer["mode"]) == ("0", "quick")
    bare = start(kind=Bare, env={"MODE": "quick"})
    bare.until("ready")
    body = json.dumps([0.1, 0.2, 0.3]).encode()
    status, said = bare.ask("POST", "/invocations", body, {"x-request-id": "r-1"})
    assert (status, json.loads(said)["sum"]) == (200, answer["sum"])


def test_it_listens_where_a_pipeline_says(made: Made, podman: Podman) -> None:
    variables = ("--env", "SAGEMAKER_BIND_TO_PORT=8099")
    container = podman.start(made.reference, *variables, arguments=SERVE)
    asked = Asked(None, {}, "/ping", "GET")
    assert ask_endpoint(f"http://{container.host}:8099", asked)[0] == 200


def test_sigterm_as_process_one_answers_what_is_in_hand_and_ends(made: Made, podman: Podman) -> None:
    container = podman.start(made.reference, arguments=SERVE)
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(ask(container, [0.0])))
    asking.start()
    while b"preheat_requests_in_flight 1" not in metrics(container):
        assert asking.is_alive()
    podman.run("kill", "--signal", "TERM", container.id)
    asking.join()
    assert answers[0]["sum"] == "0"
    assert container.ended() == 0


def metrics(container: Container) -> bytes:
    return ask_endpoint(container.endpoint, Asked(None, {}, "/metrics", "GET"))[2]


def test_another_argument_than_serve_ends_it_with_the_reason(made: Made, podman: Podman) -> None:
    with pytest.raises(AssertionError, match="all it does is serve"):
        podman.start(made.reference, arguments=("train",))
