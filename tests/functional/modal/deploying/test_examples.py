"""A real model, streamed, from its folder to Modal's own container and back, with nothing changed for it."""

import json
import urllib.request
from pathlib import Path

import pytest
from tests.fakes.functions import Function, Functions
from tests.fakes.modal.account import SETTINGS
from tests.fakes.modal.plane import ControlPlane
from tests.fakes.patience import PATIENCE_S

from preheat_providers.modal.provider import ModalProvider

EXAMPLES = Path(__file__).parents[4] / "examples"
PROMPT = {"text": "one two three. one two three. one ", "max_tokens": 12}


@pytest.fixture
def generate(provider: ModalProvider, tmp_path: Path) -> Function:
    folder = tmp_path / "examples"
    folder.mkdir()
    return Functions(provider, folder, projects=EXAMPLES, settings=SETTINGS).fresh("generate")


def test_the_example_that_generates_text_deploys_and_streams(
    generate: Function, provider: ModalProvider, plane: ControlPlane
) -> None:
    deployed = generate.deploy()
    asked = urllib.request.Request(
        f"{deployed.endpoint}/invocations",
        json.dumps(PROMPT).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        pieces = [json.loads(line) for line in answer]
    assert "".join(pieces).startswith("two three")
    assert len(pieces) > 1
    [weights] = {
        path for path in plane.volume(f"preheat-{generate.name}-dev-data").files() if "model" in path
    }
    assert weights.endswith("model.onnx")
    assert generate.plan().changes == ()
    provider.destroy(generate.name, "dev", report=lambda _: None)
