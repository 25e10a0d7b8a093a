import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.onnx_models import tuned

from preheat.errors import HandlerError
from preheat_handlers.onnx.tuned import Machine, read_tuned

HERE = Machine("1.31.1", "x86_64", frozenset({"avx", "avx2"}))


def test_a_manifest_is_read_whole(tmp_path: Path) -> None:
    found = read_tuned(tuned(tmp_path / "t", then={"options": {"x": 1}, "tolerance": 1e-4}))
    assert found.load.entries == {"session.disable_prepacking": "1"}
    assert found.then is not None
    assert (found.then.file, found.then.options, found.then.tolerance) == ("model.onnx", {"x": 1}, 1e-4)
    assert found.safe.options == {"graph_optimization_level": "all"}


def test_without_a_second_session_there_is_none(tmp_path: Path) -> None:
    assert read_tuned(tuned(tmp_path / "t", then=None)).then is None


@pytest.mark.parametrize(
    ("here", "why"),
    [
        (HERE, None),
        (replace(HERE, version="1.32.0"), "tuned with onnxruntime 1.31.1, and this is 1.32.0"),
        (replace(HERE, architecture="aarch64"), "tuned on x86_64, and this is aarch64"),
        (replace(HERE, features=frozenset({"avx"})), "another processor; this is one without avx2"),
        (
            replace(HERE, features=HERE.features | {"amx_tile"}),
            "another processor; this is one with amx_tile",
        ),
    ],
)
def test_a_recipe_holds_only_where_it_was_measured(tmp_path: Path, here: Machine, why: str | None) -> None:
    found = replace(read_tuned(tuned(tmp_path / "t")), measured_with=HERE).unfit(here)
    assert found is None if why is None else why in str(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "has format 2; this preheat reads 1"),
        ({"files": {"model.data": 1}}, r"model\.data has 16384 bytes, and tuned\.json says 1"),
        ({"files": {"gone.data": 1}}, r"gone\.data is missing"),
        ({"cpu": {}}, r"is incomplete: KeyError\('machine'\)"),
        ({"load": None}, "is incomplete"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(HandlerError, match=message):
        read_tuned(tuned(tmp_path / "t", **change))


def test_a_manifest_that_is_no_json_is_refused(tmp_path: Path) -> None:
    folder = tuned(tmp_path / "t")
    (folder / "tuned.json").write_text(json.dumps({"format": 1})[:-1])
    with pytest.raises(HandlerError, match="is no JSON"):
        read_tuned(folder)
