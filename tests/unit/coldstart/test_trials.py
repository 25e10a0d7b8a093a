import json
from pathlib import Path

import pytest
from tests.fakes.starts import mark, sample

from preheat.coldstart.trials import padding_tokenizers, session_models, unpadded, untuned


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    tokenizer = tmp_path / "weights" / "t" / "tokenizer.json"
    tokenizer.parent.mkdir(parents=True)
    tokenizer.write_text(json.dumps({"model": {}, "padding": {"strategy": {"Fixed": 128}}}))
    longest = json.dumps({"padding": {"strategy": "BatchLongest"}})
    for name, content in (("longest.json", longest), ("list.json", "[]"), ("broken.json", "{")):
        (tmp_path / "weights" / name).write_text(content)
    return tmp_path / "weights"


def test_a_tokenizer_that_pads_to_a_fixed_length_is_found(weights: Path) -> None:
    assert list(padding_tokenizers(weights)) == [(weights / "t" / "tokenizer.json", 128)]


def test_the_copy_that_does_not_pad_leaves_the_weights_as_they_are(weights: Path, tmp_path: Path) -> None:
    tokenizer = weights / "t" / "tokenizer.json"
    before = tokenizer.read_text()
    copy = unpadded(weights, [tokenizer], tmp_path / "copy")
    assert json.loads((copy / "t" / "tokenizer.json").read_text()) == {"model": {}, "padding": None}
    assert (copy / "list.json").read_text() == "[]"
    assert tokenizer.read_text() == before


def test_models_that_were_tuned_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned" / "tuned.json").touch()
    models = [str(tmp_path / "model.onnx"), str(tmp_path / "tuned" / "model.onnx")]
    assert untuned(models) == (models[0],)


def test_a_session_of_bytes_has_no_file_to_open_again() -> None:
    name = "onnxruntime.InferenceSession"
    marks = (
        mark("load", name, 1, 2, file="/w/model.onnx"),
        mark("load", name, 2, 3, file=None),
        mark("load", "joblib.load", 3, 4, file="/w/trees"),
        mark("phase", "setup", 0, 9),
    )
    assert session_models(sample(marks=marks)) == ("/w/model.onnx",)
