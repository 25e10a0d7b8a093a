"""From `module:Class` to the class, and what is said where there is none."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import preheat
from preheat.interface.importing import import_handler


@pytest.fixture
def module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[[str], str]:
    monkeypatch.syspath_prepend(tmp_path)
    name = "imported_" + str(abs(hash(request.node.nodeid)))

    def write(source: str) -> str:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        return name

    return write


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import unheard_of_package.sub", "line 1: there is no module 'unheard_of_package'"),
        ("x = 1\ndef broken(:\n  pass", "line 2: invalid syntax"),
        ("x = 1\n\nraise KeyError('a')", "line 3: KeyError: 'a'"),
        ("raise SystemExit(3)", "line 1: SystemExit: 3"),
        ("def f():\n    return 1 / 0\nf()", "line 2: ZeroDivisionError"),
        ("Model = 3", "does not derive from preheat.Handler"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_where(
    module: Callable[[str], str], source: str, message: str
) -> None:
    with pytest.raises(preheat.HandlerError) as caught:
        import_handler(f"{module(source)}:Model")
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("imported", "package"),
    [("PIL", "pillow"), ("cv2", "opencv-python-headless"), ("torchaudio", "torchaudio")],
)
def test_a_missing_package_is_named_as_the_index_has_it(
    module: Callable[[str], str], imported: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, imported, None)  # as where it is not installed
    with pytest.raises(preheat.HandlerError) as caught:
        import_handler(f"{module(f'import {imported}')}:Model")
    assert caught.value.hint == f'Add "{package}" to requirements in preheat.toml.'


def test_a_missing_module_may_be_the_users_own(module: Callable[[str], str]) -> None:
    with pytest.raises(preheat.HandlerError) as caught:
        import_handler(f"{module('import unheard_of_package.sub')}:Model")
    assert (caught.value.hint or "").startswith("If it is yours, write unheard_of_package.py beside")


def test_a_module_that_is_missing_in_a_package_asks_for_no_package(module: Callable[[str], str]) -> None:
    with pytest.raises(preheat.HandlerError, match=r"no module 'json\.nothing'") as caught:
        import_handler(f"{module('import json.nothing')}:Model")
    assert caught.value.hint is None


def test_a_misspelt_class_has_the_nearest_one_as_hint(module: Callable[[str], str]) -> None:
    name = module("import preheat\nclass Embedder(preheat.Handler): ...\nclass Other(preheat.Handler): ...")
    with pytest.raises(preheat.HandlerError) as caught:
        import_handler(f"{name}:Embeder")
    assert caught.value.hint == f'handler = "{name}:Embedder"'


def test_a_missing_module_is_told_which_file_to_write() -> None:
    with pytest.raises(preheat.HandlerError) as caught:
        import_handler("unheard_of_module:Model")
    assert "There is no module 'unheard_of_module'" in caught.value.message
    assert "unheard_of_module.py" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "reference", ["", "handler", "handler:", ":Model", "a b:C", "handler.py:Model:x", "../x:Y"]
)
def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(preheat.HandlerError, match="names no handler"):
        import_handler(reference)
