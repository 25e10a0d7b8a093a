"""Which weights are tuned."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.perceptrons import write_mlp

from preheat.bundle.cache import Cache
from preheat.bundle.weights.fetch import Fetcher
from preheat.errors import TuningError
from preheat.project.model import Project
from preheat.tuning.subject import choose_weights, companions, fetch_original

Read = Callable[[str], Project]
MODEL = '[weights.model]\nsource = "file:models/m.onnx"\n'
OTHER = '[weights.vocabulary]\nsource = "file:models/words.txt"\n'


@pytest.fixture(autouse=True)
def words(root: Path) -> None:
    (root / "models" / "words.txt").write_text("a\nb\n")


def test_the_only_onnx_model_needs_no_name(read: Read) -> None:
    assert choose_weights(read(MODEL + OTHER), None).name == "model"


@pytest.mark.parametrize(
    ("toml", "name", "message", "hint"),
    [
        ("", None, "has no ONNX model under [weights]", 'source = "file:models/model.onnx"'),
        (OTHER, None, "has no ONNX model under [weights]", None),
        (
            MODEL + MODEL.replace("model]", "second]"),
            None,
            "several ONNX models: model, second",
            "--weights model",
        ),
        (MODEL, "modle", "no [weights.modle]; it has: model", None),
        (MODEL + OTHER, "vocabulary", "which is no ONNX model", "--weights model"),
    ],
)
def test_weights_that_cannot_be_told_are_asked_for(
    read: Read, toml: str, name: str | None, message: str, hint: str | None
) -> None:
    with pytest.raises(TuningError) as raised:
        choose_weights(read(toml), name)
    assert message in raised.value.message
    assert hint is None or hint in (raised.value.hint or "")


def test_tuned_weights_are_taken_as_they_were_before(root: Path, read: Read) -> None:
    folder = root / "tuned" / "model"
    folder.mkdir(parents=True)
    origin = {"source": "file:models/m.onnx", "sha256": None}
    (folder / "tuned.json").write_text(json.dumps({"origin": origin}))
    project = read('[weights.model]\nsource = "file:tuned/model"\n')
    assert choose_weights(project, None).source == "file:models/m.onnx"


@pytest.mark.parametrize("text", ["", "{}", '{"origin": "m.onnx"}'])
def test_a_tuned_folder_that_does_not_know_its_origin_is_told(root: Path, read: Read, text: str) -> None:
    folder = root / "tuned" / "model"
    folder.mkdir(parents=True)
    (folder / "tuned.json").write_text(text)
    with pytest.raises(TuningError, match=r"tuned/model/tuned\.json") as raised:
        choose_weights(read('[weights.model]\nsource = "file:tuned/model"\n'), None)
    assert "original model" in (raised.value.hint or "")


def test_a_file_is_known_by_its_own_digest(read: Read, fetcher: Fetcher, cache: Cache) -> None:
    found = fetch_original(choose_weights(read(MODEL), None), fetcher, cache)
    assert found.model.name == "m.onnx"
    assert found.sha256 == found.model_sha256
    assert companions(found, ()) == ()


def test_a_folder_keeps_what_a_handler_reads_beside_the_model(
    root: Path, read: Read, fetcher: Fetcher, cache: Cache
) -> None:
    write_mlp(root / "bert" / "onnx" / "m.onnx", data="m.data")
    (root / "bert" / "tokenizer.json").write_text("{}")
    project = read('[weights.model]\nsource = "file:bert"\n')
    found = fetch_original(choose_weights(project, None), fetcher, cache)
    assert (found.model.parent / "m.data").is_file()
    assert [path.as_posix() for path in companions(found, ["m.data"])] == ["tokenizer.json"]
    assert found.sha256 != found.model_sha256


def test_a_folder_of_several_models_is_to_be_taken_apart(
    root: Path, read: Read, fetcher: Fetcher, cache: Cache
) -> None:
    write_mlp(root / "both" / "encoder.onnx")
    write_mlp(root / "both" / "decoder.onnx")
    project = read('[weights.model]\nsource = "file:both"\n')
    with pytest.raises(TuningError, match=r"with 2 \.onnx files") as raised:
        fetch_original(choose_weights(project, None), fetcher, cache)
    assert '[weights.encoder]\nsource = "file:both/encoder.onnx"' in (raised.value.hint or "")
