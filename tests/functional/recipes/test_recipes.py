"""The scripts of examples/recipes, run as docs/recipes.md says, and what they write served by a handler."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.code_layer import add_handlers, make_code_layer
from tests.fakes.handlers import Started, context
from tests.fakes.supervisor import FakeSupervisor
from tests.fakes.torch_programs import ROOT, run_with_torch, torch_packages

from preheat.interface.threads import library_environment
from preheat_handlers.onnx import OnnxHandler

pytestmark = [pytest.mark.index, pytest.mark.xdist_group("torch")]
RECIPES = ROOT / "examples" / "recipes"
CLASSES = "preheat_handlers.transformers:TextClassification"


def report(recipe: str, *arguments: object) -> dict[str, Any]:
    """Run a recipe; return what it printed."""
    done = run_with_torch(RECIPES / recipe, *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def on_page(title: str) -> dict[str, Any]:
    """Return the report that docs/recipes.md shows below the heading `title`."""
    page = (ROOT / "docs" / "recipes.md").read_text()
    text = page.partition(f"\n## {title}\n")[2].partition("```json\n")[2].partition("```")[0]
    found: dict[str, Any] = json.loads(text)
    return found


def served(code: Path, weights: Path, *inputs: object) -> list[Any]:
    """Start a worker with torch on `code`, and return its answers."""

    async def scenario() -> list[Any]:
        async with FakeSupervisor() as supervisor:
            places = {"dependencies": str(torch_packages()), "weights": str(weights)}
            await supervisor.start(code, env=library_environment(1), memory_mb=4096, **places)
            await supervisor.event("w1", "ready")
            answers = [await supervisor.ask("w1", each) for each in inputs]
            assert [answer.status for answer in answers] == [200] * len(inputs), answers
            supervisor.tell("w1", {"op": "drain"})
            assert await supervisor.ended() == 0
            return [json.loads(answer.body) for answer in answers]

    return asyncio.run(scenario())


def test_pruning_zeroes_weights_and_takes_neurons_out(tmp_path: Path) -> None:
    found = report("prune.py", tmp_path, "--share", "0.25")
    original, zeros, neurons = (found[name] for name in ("original", "zeros", "neurons"))
    assert zeros["zeros"] == pytest.approx(0.25, abs=0.001)
    assert zeros["bytes"] == original["bytes"]
    assert zeros["gzip_bytes"] < 0.9 * original["gzip_bytes"]
    taken_out = 2 * 64 * (64 + 64 + 1)  # of two layers, a quarter of 256: a row, its bias, a column
    assert neurons["parameters"] == original["parameters"] - taken_out
    assert neurons["bytes"] < original["bytes"] - 4 * taken_out + 1000
    assert found["deviation"] < 1e-4
    for name, shown in on_page("Pruning").items():
        assert {key: found[name][key] for key in ("parameters", "bytes")} == {
            key: shown[key] for key in ("parameters", "bytes")
        }
    code = add_handlers(make_code_layer(tmp_path / "code", "", handler=CLASSES, weights={"model": "neurons"}))
    (answer,) = served(code, tmp_path, "the oven is hot today")
    assert len(answer) == 3


def test_a_merged_adapter_answers_as_base_and_adapter_did(tmp_path: Path) -> None:
    found = report("merge_lora.py", tmp_path)
    assert found["deviation"] < 1e-4 < found["adapter_changes"]
    again = report("merge_lora.py", tmp_path / "again", *at(tmp_path))
    assert again["labels"] == found["labels"]
    config = json.loads((tmp_path / "merged" / "config.json").read_bytes())
    assert config["architectures"] == ["BertForSequenceClassification"]


def test_an_adapter_brings_the_labels_that_its_base_has_not(tmp_path: Path) -> None:
    done = run_with_torch("-m", "tests.fakes.recipe_models", tmp_path)
    assert done.returncode == 0, done.stderr
    adapter = ("--model", tmp_path / "base", "--adapter", tmp_path / "adapter")
    assert report("merge_lora.py", tmp_path / "out", *adapter)["deviation"] < 1e-4
    config = json.loads((tmp_path / "out" / "merged" / "config.json").read_bytes())
    assert len(config["id2label"]) == 5


def test_other_architectures_are_pruned_and_distilled_too(tmp_path: Path) -> None:
    done = run_with_torch("-m", "tests.fakes.recipe_models", tmp_path)
    assert done.returncode == 0, done.stderr
    pruned = report("prune.py", tmp_path / "pruned", "--model", tmp_path / "distilbert")
    assert pruned["deviation"] < 1e-4
    assert pruned["neurons"]["parameters"] == pruned["original"]["parameters"] - 2 * 16 * (32 + 32 + 1)
    assert pruned["zeros"]["zeros"] == pytest.approx(0.25, abs=0.001)
    config = json.loads((tmp_path / "pruned" / "neurons" / "config.json").read_bytes())
    assert config["hidden_dim"] == 48
    taught = report("distill.py", tmp_path / "taught", "--model", tmp_path / "distilbert", "--steps", 2)
    assert taught["parameters"]["student"] < taught["parameters"]["teacher"]


def test_too_few_texts_to_distil_with_are_said(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("the oven is hot\n" * 4)
    done = run_with_torch(RECIPES / "distill.py", tmp_path / "out", "--texts", tmp_path / "texts.txt")
    assert done.returncode == 1
    assert "There are 4 texts, of which one in 5 is kept aside: take more." in done.stderr


def at(folder: Path) -> tuple[object, ...]:
    return ("--model", folder / "model", "--adapter", folder / "adapter")


def test_a_student_of_half_the_layers_learns_what_its_teacher_says(tmp_path: Path) -> None:
    found = report("distill.py", tmp_path)
    assert found["after"]["divergence"] < 0.1 * found["before"]["divergence"]
    assert found["after"]["same_label"] > found["before"]["same_label"] + 0.3
    assert found["parameters"] == on_page("Distillation")["parameters"]
    assert found["parameters"]["student"] < 0.6 * found["parameters"]["teacher"]
    assert (tmp_path / "student" / "model.safetensors").is_file()


def test_an_export_is_verified_and_the_ready_made_handler_runs_it(tmp_path: Path) -> None:
    found = report("export_onnx.py", tmp_path)
    assert found["deviation"] < 1e-4
    assert found["batches"] == 23
    started = Started(OnnxHandler, context(tmp_path, model=tmp_path / "onnx"))
    assert started.contract.batching is not None
    feeds = [(np.full(shape, 6), np.ones(shape, int)) for shape in ((1, 4), (2, 3))]
    names = ("input_ids", "attention_mask")
    one, two = started.ask(
        *({name: array.tolist() for name, array in zip(names, each, strict=True)} for each in feeds)
    )
    assert np.shape(one["logits"]) == (1, 3)
    assert np.allclose(two["logits"][0], two["logits"][1])


def test_an_export_that_answers_otherwise_is_not_written(tmp_path: Path) -> None:
    done = run_with_torch(RECIPES / "export_onnx.py", tmp_path, "--tolerance", "0")
    assert done.returncode == 1
    assert "of the largest number; nothing was written." in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_mapped_model_is_served(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    done = run_with_torch(RECIPES / "mapped.py", weights)
    assert done.returncode == 0, done.stderr
    source = (RECIPES / "mapped.py").read_text()
    code = make_code_layer(
        tmp_path / "code", source, handler="app:Classifier", weights={"model": weights.name}
    )
    zeros, ones = served(code, tmp_path, {"values": [0.0] * 16}, {"values": [1.0] * 16})
    assert sum(zeros) == pytest.approx(1)
    assert zeros != ones


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
def test_its_weights_lie_in_the_mapped_file_and_answers_are_those_of_a_copy(tmp_path: Path) -> None:
    done = run_with_torch("-m", "tests.fakes.mapped_weights", RECIPES / "mapped.py", tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == {"mapped": True, "identical": True, "inference": True, "incomplete": found["incomplete"]}
    assert "has no scale: register" in found["incomplete"]
