"""A handler answers the same bytes in Modal's own container as on this machine: every project, twice."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.asking import JSON, Asked, ask_endpoint
from tests.fakes.modal.harbour import Harbour
from tests.functional.same_answers.conftest import PROJECTS, limit_bodies, local
from tests.functional.same_answers.test_same_answers import BAD, NESTED, infer_request, own_inputs

from preheat.deploy import deploy
from preheat.progress import quiet
from preheat_providers.local.provider import LocalProvider

__all__ = ["local"]

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("modal-running")]

ABOUT = re.compile(rb'(?<=<script type="application/json" id="about">).*?(?=</script>)')
"""What a page has been told of the project."""


@dataclass(frozen=True)
class Twins:
    """One project on both platforms. `examples` are the handler's own, as JSON."""

    name: str
    root: Path
    here: str
    there: str
    authorization: dict[str, str]
    examples: tuple[Any, ...]
    is_stream: bool


@pytest.fixture(scope="module", params=PROJECTS)
def twins(
    request: pytest.FixtureRequest,
    local: LocalProvider,
    harbour: Harbour,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Twins]:
    source = PROJECTS[request.param]
    root = Path(shutil.copytree(source, tmp_path_factory.mktemp("twins") / source.name))
    limit_bodies(root / "preheat.toml")
    deployed = deploy(root, provider=local, stage="dev", report=quiet)
    release, options = str(deployed.release), {"weights": "image"}
    shipped = harbour.ship(root, options=options, token=deployed.token, numbered=False, release=release)
    schema = json.loads(ask_endpoint(deployed.endpoint, Asked(None, path="/schema", method="GET"))[2])
    yield Twins(
        name=deployed.name,
        root=root,
        here=deployed.endpoint,
        there=str(shipped.http.base_url),
        authorization={"authorization": f"Bearer {deployed.token}"} if deployed.token else {},
        examples=tuple(schema["examples"]),
        is_stream=schema["stream"],
    )
    harbour.plane.drain(shipped.spec.app)
    local.destroy(deployed.name, "dev", report=quiet)


def same(twins: Twins, asked: Asked) -> int:
    """Ask both platforms and return the status."""
    asked = Asked(asked.body, {**twins.authorization, **asked.headers}, asked.path, asked.method)
    here, there = ask_endpoint(twins.here, asked), ask_endpoint(twins.there, asked)
    assert there == here
    return here[0]


def test_the_handlers_examples_and_inputs_like_them(twins: Twins) -> None:
    assert twins.examples
    for example in twins.examples:
        assert same(twins, Asked(json.dumps(example).encode())) == 200
    statuses = [same(twins, asked) for asked in own_inputs(twins.name, twins.root)]
    assert 200 in statuses


@pytest.mark.parametrize("asked", BAD.values(), ids=BAD)
def test_bad_inputs(twins: Twins, asked: Asked) -> None:
    assert same(twins, asked) < 500


def test_a_caller_without_the_token(twins: Twins) -> None:
    asked = Asked(json.dumps(twins.examples[0]).encode())
    here = ask_endpoint(twins.here, asked)
    assert here[0] == (401 if twins.authorization else 200)
    assert ask_endpoint(twins.there, asked) == here


@pytest.mark.parametrize("path", ["/ping", "/healthz", "/readyz", "/nowhere"])
def test_other_routes(twins: Twins, path: str) -> None:
    found = 404 if path == "/nowhere" else 200
    assert same(twins, Asked(None, {}, path, "GET")) == found
    assert same(twins, Asked(b"", {}, path, "DELETE")) == (405 if found == 200 else 404)


def page(body: bytes) -> tuple[bytes, Any]:
    """Return a page without what it has been told of the project, and that."""
    (about,) = ABOUT.findall(body)
    return ABOUT.sub(b"", body), json.loads(about)


def test_what_is_told_of_a_project(twins: Twins) -> None:
    """All but the answers to its examples, which the build knows."""

    def told(endpoint: str, path: str) -> tuple[bytes, Any]:
        status, _, body = ask_endpoint(endpoint, Asked(None, {}, path, "GET"))
        assert status == 200
        found = (b"", json.loads(body)) if path.endswith(("schema", "json")) else page(body)
        contract = found[1].get("contract", found[1])
        contract.pop("answers", None)
        return found

    for path in ("/schema", "/", "/docs", "/openapi.json"):
        assert told(twins.there, path) == told(twins.here, path), path


def test_the_inference_protocol(twins: Twins) -> None:
    model = f"/v2/models/{twins.name}"
    for path in ("/v2", "/v2/health/live", "/v2/health/ready", model, f"{model}/ready", "/v2/models/other"):
        assert same(twins, Asked(None, {}, path, "GET")) in (200, 404)
    described = json.loads(ask_endpoint(twins.here, Asked(None, twins.authorization, model, "GET"))[2])
    for body, status in (
        (infer_request(described["inputs"], twins.examples[0]), 200),
        (b"{}", 400),
        (NESTED, 400),
    ):
        assert same(twins, Asked(body, JSON, f"{model}/infer")) == (501 if twins.is_stream else status)
