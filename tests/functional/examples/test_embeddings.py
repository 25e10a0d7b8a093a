"""The vectors agree with the original float32 model, computed independently (make_minilm_float32.py)."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.functional.examples.conftest import Run

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("examples")]

REFERENCE = json.loads((Path(__file__).parent / "minilm_float32.json").read_text())


def embed(preheat: Run, text: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    answer = preheat("invoke", "embeddings", "--data", json.dumps({"text": text}))
    return np.array(json.loads(answer.stdout)["vector"], dtype=np.float64)


@pytest.fixture(scope="module", autouse=True)
def _endpoint(deployed: Callable[[str], None]) -> None:
    deployed("embeddings")


@pytest.mark.parametrize("known", REFERENCE, ids=lambda known: known["text"])
def test_a_vector_agrees_with_the_original_model(preheat: Run, known: dict[str, object]) -> None:
    vector = embed(preheat, str(known["text"]))
    assert vector.shape == (384,)
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    assert vector @ np.array(known["vector"]) > 0.999


def test_sentences_of_one_meaning_are_closer_than_others(preheat: Run) -> None:
    mat, rug, markets = (embed(preheat, known["text"]) for known in REFERENCE)
    assert mat @ rug > 0.7
    assert mat @ markets < 0.2


def test_a_wrong_key_names_the_nearest_one(preheat: Run, environment: dict[str, str]) -> None:
    import subprocess

    done = subprocess.run(
        ["preheat", "invoke", "embeddings", "--data", '{"txt": "hello"}'],
        env=environment,
        capture_output=True,
    )
    assert done.returncode == 1
    assert b"/txt" in done.stdout
    assert b"text" in done.stdout
