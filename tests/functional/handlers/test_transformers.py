"""Pipelines over models of two layers, which tests/fakes/pipelines.py makes and asks where torch is."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.code_layer import add_handlers, make_code_layer
from tests.fakes.supervisor import FakeSupervisor
from tests.fakes.torch_programs import run_with_torch, torch_packages

from preheat.interface.threads import library_environment

pytestmark = [pytest.mark.index, pytest.mark.xdist_group("torch")]
Answer = dict[str, Any]
LONG = " ".join(["the oven to 200 degrees ."] * 10)
"""62 tokens, of which a model takes 32."""
ASKED: dict[str, tuple[str, str, list[Any]]] = {
    "classes": ("TextClassification", "classes", ["preheat the oven", "200 degrees ."]),
    "long class": ("TextClassification", "classes", [LONG]),
    "likeliest": ("Likeliest", "classes", [LONG]),
    "spans": ("TokenClassification", "spans", ["preheat the oven"]),
    "long spans": ("TokenClassification", "spans", [LONG]),
    "vector": ("FeatureExtraction", "vectors", ["preheat the oven"]),
    "headless": ("FeatureExtraction", "spans", ["preheat"]),  # a model without the pooler that AutoModel has
    "vectors": ("FeatureExtraction", "vectors", ["preheat the oven", "preheat the oven to 200 degrees ."]),
    "class of one that cannot pad": ("TextClassification", "scores", ["preheat the oven"]),
    "classes of one that cannot pad": (
        "TextClassification",
        "scores",
        ["preheat the oven", "the oven to 200 degrees ."],
    ),
    "vector of one that cannot pad": ("FeatureExtraction", "ends", ["preheat the oven"]),
    "vectors of one that cannot pad": (
        "FeatureExtraction",
        "ends",
        ["preheat the oven", "the oven to 200 degrees ."],
    ),
    "no end": ("FeatureExtraction", "endless", ["preheat"]),
    "text": ("TextGeneration", "text", [{"text": "preheat", "max_tokens": 4}]),
    "too much": ("TextGeneration", "text", [{"text": "preheat", "max_tokens": 400}]),
    "no class head": ("TextClassification", "text", ["preheat"]),
    "pickle": ("FeatureExtraction", "pickled", ["preheat"]),
    "no model": ("FeatureExtraction", "empty", ["preheat"]),
    "no tokenizer": ("FeatureExtraction", "mute", ["preheat"]),
    "broken": ("FeatureExtraction", "broken", ["preheat"]),
    "no weights": ("FeatureExtraction", "", ["preheat"]),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def said(models: Path) -> dict[str, Answer]:
    """What the handlers said to ASKED, from one process: importing torch takes seconds."""
    asked = [dict(zip(("handler", "model", "inputs"), each, strict=True)) for each in ASKED.values()]
    done = run_with_torch("-m", "tests.fakes.pipelines", models, given=json.dumps(asked))
    assert done.returncode == 0, done.stderr
    return dict(zip(ASKED, json.loads(done.stdout), strict=True))


def test_a_text_gets_its_classes_likeliest_first(said: dict[str, Answer]) -> None:
    first, second = said["classes"]["answer"]
    assert {label["label"] for label in first} == {"LABEL_0", "LABEL_1", "LABEL_2"}
    assert sum(label["score"] for label in first) == pytest.approx(1)
    assert first[0]["score"] >= first[1]["score"]
    assert first != second
    assert len(said["long class"]["answer"]) == 3


def test_an_option_of_a_subclass_is_one_more(said: dict[str, Answer]) -> None:
    assert said["likeliest"]["answer"] == said["long class"]["answer"][:1]


def test_spans_are_parts_of_the_text(said: dict[str, Answer]) -> None:
    text, spans = "preheat the oven", said["spans"]["answer"]
    assert spans
    assert all(span["text"] == text[span["start"] : span["end"]] for span in spans)


def test_a_text_that_is_too_long_for_the_model_has_its_spans_to_the_end(said: dict[str, Answer]) -> None:
    spans = said["long spans"]["answer"]
    assert all(span["text"] == LONG[span["start"] : span["end"]] for span in spans)
    assert all(one["end"] <= next_one["start"] for one, next_one in pairwise(spans))
    assert spans[-1]["end"] == len(LONG)


def test_vectors_have_unit_length_and_do_not_depend_on_company(said: dict[str, Answer]) -> None:
    alone, together = said["vector"]["answer"], said["vectors"]["answer"]
    assert np.linalg.norm(alone) == pytest.approx(1)
    assert np.allclose(alone, together[0], atol=1e-6)
    assert not np.allclose(alone, together[1], atol=1e-2)
    assert np.linalg.norm(said["headless"]["answer"]) == pytest.approx(1)


def test_a_tokenizer_that_has_nothing_to_pad_with_takes_the_end_of_a_text(said: dict[str, Answer]) -> None:
    alone, together = (said[f"vector{s} of one that cannot pad"]["answer"] for s in ("", "s"))
    assert np.allclose(alone, together[0], atol=1e-6)
    one, several = (said[f"class{s} of one that cannot pad"]["answer"] for s in ("", "es"))
    assert [label["label"] for label in several[0]] == [label["label"] for label in one]
    assert np.allclose([label["score"] for label in several[0]], [label["score"] for label in one], atol=1e-6)


def test_weights_are_mapped_and_not_copied(said: dict[str, Answer]) -> None:
    mapped = {case: each["mapped"] for case, each in said.items() if "answer" in each}
    assert not mapped.pop("headless"), "its pooler is in no file"
    assert all(mapped.values()), mapped


def test_a_text_goes_on_as_far_as_it_fits(said: dict[str, Answer]) -> None:
    assert isinstance(said["text"]["answer"], str)
    assert said["too much"]["message"] == (
        "The text has 3 tokens; with max_tokens=400 that is more than the 32 which fit."
    )


@pytest.mark.parametrize(
    ("case", "message", "hint"),
    [
        ("pickle", "pickled has no .safetensors file; a pickle runs", 'model.save_pretrained("model")'),
        ("no model", "empty has no config.json.", 'tokenizer.save_pretrained("model")'),
        ("no tokenizer", "mute has no tokenizer: ", 'tokenizer.save_pretrained("model")'),
        ("no weights", "FeatureExtraction has no weights 'model'.", '[weights.model]\nsource = "file:model"'),
        (
            "no end",
            "The tokenizer of endless has no pad_token and no eos_token",
            'tokenizer.pad_token = "..."',
        ),
        ("broken", "broken does not load for feature-extraction: ", ""),
        (
            "no class head",  # which transformers would make at random, and answer with
            "text has no weights score.weight, which text-classification needs: its model is GPT2LMHead",
            'transformers.AutoModelForSequenceClassification.from_pretrained(...).save_pretrained("model")',
        ),
    ],
)
def test_a_folder_that_cannot_answer_is_said(
    said: dict[str, Answer], case: str, message: str, hint: str
) -> None:
    assert said[case]["message"].startswith(message)
    assert (said[case]["hint"] or "").startswith(hint) or hint in said[case]["hint"]


@pytest.mark.runtime
@pytest.mark.usefixtures("said")
def test_a_zygote_with_a_pipeline_forks_and_its_children_answer_alike(models: Path, tmp_path: Path) -> None:
    handler = "preheat_handlers.transformers:TextClassification"
    code = make_code_layer(tmp_path / "code", "", handler=handler, weights={"model": "classes"})
    places = {"dependencies": str(torch_packages()), "weights": str(models)}

    async def scenario() -> None:
        async with FakeSupervisor() as supervisor:
            env = library_environment(1)
            await supervisor.start(add_handlers(code), env=env, zygote=True, memory_mb=4096, **places)
            zygote = await supervisor.event("w1-zygote", "zygote")
            assert zygote["fork"] == {"safe": True, "reason": None}
            await supervisor.event("w1", "ready")
            (supervisor.folder / "tmp-w2").mkdir()
            place = {"socket": supervisor.socket("w2"), "tmp": str(supervisor.folder / "tmp-w2")}
            supervisor.tell("w1-zygote", {"op": "fork", "id": "w2", **place})
            await supervisor.event("w2", "ready")
            one, two = [await supervisor.ask(worker, "preheat the oven") for worker in ("w1", "w2")]
            assert (one.status, two.status) == (200, 200)
            assert one.body == two.body
            assert b"LABEL_0" in one.body
            for worker in ("w1", "w2"):
                supervisor.tell(worker, {"op": "drain"})
                assert (await supervisor.event(worker, "exited"))["code"] == 0
            supervisor.tell("w1-zygote", {"op": "drain"})
            assert await supervisor.ended() == 0

    asyncio.run(scenario())
