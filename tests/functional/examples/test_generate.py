"""What `generate` writes, beside what its model is said to do, computed without a model."""

import json
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.asking import JSON, Asked, ask_endpoint
from tests.fakes.environments import python_with
from tests.functional.examples.conftest import EXAMPLES, Run

from preheat.project.config import load_project
from preheat_providers.modal.limits import project_findings as modal_findings
from preheat_providers.modal.options import SCHEMA as MODAL
from preheat_providers.modal.options import Options as ModalOptions
from preheat_providers.sagemaker.limits import project_findings as sagemaker_findings
from preheat_providers.sagemaker.options import SCHEMA as SAGEMAKER
from preheat_providers.sagemaker.options import Options as SageMakerOptions

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("examples")]

ONNX = "onnx==1.23.2"
END = 256
TEXTS = [
    "one two three. one two three. one ",
    "The quick brown fox. The ",
    "abcabx ab",
    "a-b-c a-d-c b-d a-b-c a-d-c b-",
    "\u00dcberraschung, \u00dcber",
    "aaa",
    "x" * 300 + "y x",
    "nothing twice",
    "new",
    "",
]
EVENTS = {**JSON, "accept": "text/event-stream"}


def continuation(text: str, most: int) -> str:
    """Return what followed the last place with the same byte and the likest two before it, repeatedly."""
    tokens = [END, *text.encode()]
    for _ in range(most):
        now = len(tokens) - 1
        places = [place for place in range(1, now + 1) if tokens[place - 1] == tokens[now] != END]
        if not places:
            break
        tokens.append(tokens[max(places, key=lambda place: rank(tokens, place))])
    return bytes(tokens[1 + len(text.encode()) :]).decode("utf-8", "replace")


def rank(tokens: Sequence[int], place: int) -> tuple[int, int, int]:
    """Return how alike what led to `place` is to what leads on from the end, the nearest byte first."""

    def alike(back: int) -> int:
        one, other = tokens[max(len(tokens) - 1 - back, 0)], tokens[max(place - 1 - back, 0)]
        return 0 if END in (one, other) else 8 - 2 * (one ^ other).bit_count()

    return alike(1), alike(2), place


@pytest.fixture(scope="module")
def endpoint(preheat: Run, deployed: Callable[[str], None]) -> str:
    deployed("generate")
    status = json.loads(preheat("status", "generate", "--json").stdout)
    return str(status["endpoint"])


def generate(endpoint: str, text: str, **given: Any) -> str:
    status, _, body = ask_endpoint(endpoint, Asked(json.dumps({"text": text, **given}).encode()))
    assert status == 200, body
    return "".join(map(json.loads, body.splitlines()))


@pytest.mark.parametrize("text", TEXTS)
def test_the_model_goes_on_with_what_repeats(endpoint: str, text: str) -> None:
    assert generate(endpoint, text) == continuation(text, 64)


def test_texts_that_come_together_get_the_answers_that_each_gets_alone(endpoint: str) -> None:
    """Of many lengths, and some done so long before the others that their rows would leave the context."""
    asked = [(text, min(most, 511 - len(text.encode()))) for text in TEXTS for most in (1, 7, 400)]

    def ask(each: tuple[str, int]) -> str:
        return generate(endpoint, each[0], max_tokens=each[1])

    with ThreadPoolExecutor(len(asked)) as callers:
        assert list(callers.map(ask, asked)) == [continuation(*each) for each in asked]


def test_a_character_comes_whole_and_each_as_an_event_of_its_own(endpoint: str) -> None:
    asked = Asked(json.dumps({"text": "\u00e4\u00f6 \u00e4", "max_tokens": 5}).encode(), EVENTS)
    _, kind, body = ask_endpoint(endpoint, asked)
    assert kind.startswith("text/event-stream")
    pieces = [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith('data: "')]
    assert pieces == ["\u00f6", " ", "\u00e4"]


def test_a_seed_makes_chance_the_same_again_and_another_one_does_not(endpoint: str) -> None:
    def drawn(seed: int | None) -> str:
        return generate(endpoint, TEXTS[0], max_tokens=200, temperature=2, seed=seed)

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(8)}) > 1
    assert len({drawn(None) for _ in range(8)}) > 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"max_tokens": 512}, "max_tokens is 512"),
        ({"temperature": -1}, "temperature is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"text": "x" * 500}, "more than the 512 that fit"),
    ],
)
def test_what_the_model_cannot_take_is_the_callers_mistake(
    endpoint: str, given: dict[str, Any], said: str
) -> None:
    status, _, body = ask_endpoint(endpoint, Asked(json.dumps({"text": "x", **given}).encode()))
    assert status == 400
    assert said in body.decode()


def test_the_script_writes_the_models_bytes_again(tmp_path: Path) -> None:
    source = EXAMPLES / "generate"
    script = tmp_path / "make_model.py"
    script.write_bytes((source / "make_model.py").read_bytes())
    subprocess.run([python_with(ONNX), script], check=True)
    assert (tmp_path / "model.onnx").read_bytes() == (source / "model.onnx").read_bytes()


@pytest.mark.parametrize("stage", ["dev", "gpu"])
def test_the_same_folder_fits_sagemaker_and_modal(stage: str) -> None:
    schemas = {"sagemaker": SAGEMAKER, "modal": MODAL}
    project = load_project(EXAMPLES / "generate", stage, provider_schemas=schemas)
    assert (project.resources.gpu is not None) == (stage == "gpu")
    findings: Sequence[object] = (
        *sagemaker_findings(project, SageMakerOptions()),
        *modal_findings(project, ModalOptions()),
    )
    assert not findings
