from pathlib import Path

import pytest

from preheat.errors import HandlerError
from preheat.interface.handler import Context, Weights


def context(tmp_path: Path, **weights: Path) -> Context:
    known = Weights(weights)
    return Context(name="m", stage="dev", provider="local", release="1", tmp=tmp_path, weights=known)


def test_weights_are_found_by_their_names(tmp_path: Path) -> None:
    assert context(tmp_path, model=tmp_path).weights["model"] == tmp_path
    assert context(tmp_path, model=tmp_path).weights.get("labels") is None
    assert "labels" not in context(tmp_path, model=tmp_path).weights


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("modle", "preheat.toml has no weights 'modle'; there is 'model'.", 'ctx.weights["model"]'),
        (
            "labels",
            "preheat.toml has no weights 'labels'; there is 'model'.",
            '[weights.labels]\nsource = "file:PATH"',
        ),
    ],
)
def test_weights_that_are_not_declared_are_told_with_those_that_are(
    tmp_path: Path, name: str, message: str, hint: str
) -> None:
    with pytest.raises(HandlerError) as caught:
        context(tmp_path, model=tmp_path).weights[name]
    assert (str(caught.value), caught.value.hint) == (message, hint)
    assert isinstance(caught.value, KeyError)


def test_without_weights_it_says_that_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(HandlerError, match="there are none"):
        context(tmp_path).weights["model"]


def test_a_secret_that_is_not_set_is_told_with_the_lines_to_paste(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOPE", raising=False)
    monkeypatch.setenv("KEY", "hunter2")
    assert context(tmp_path).secret("KEY") == "hunter2"
    with pytest.raises(HandlerError, match="The secret 'NOPE' is not set") as caught:
        context(tmp_path).secret("NOPE")
    assert caught.value.hint == '[secrets]\nNOPE = "env:NOPE"'
    assert isinstance(caught.value, KeyError)
