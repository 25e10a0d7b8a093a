from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from preheat.errors import BadInput, HandlerError, HandlerFailed
from preheat.interface.codec import codec_for
from preheat.interface.importing import import_handler
from preheat.interface.place import pointer
from preheat.runtime.attempts import Raised, attempt
from preheat.runtime.failures import describe, request_error, user_traceback


def boom() -> None:
    try:
        {}["key"]  # type: ignore[index]
    except KeyError as exc:
        raise ValueError("secret") from exc


def raised_by(function: Any, *args: Any) -> BaseException:
    outcome = attempt(function, *args)
    assert isinstance(outcome, Raised)
    return outcome.error


def test_a_traceback_keeps_the_users_frames_and_causes_and_drops_ours() -> None:
    text = user_traceback(raised_by(boom))
    assert "KeyError: 'key'" in text
    assert 'raise ValueError("secret") from exc' in text
    assert "preheat/runtime" not in text


@pytest.mark.parametrize(
    "function",
    [
        partial(codec_for(int).encode, "x"),
        partial(import_handler, "nowhere:Model"),
    ],
)
def test_what_preheat_raised_with_none_of_the_users_code_under_way_has_no_traceback(function: Any) -> None:
    assert user_traceback(raised_by(function)) == ""


def test_nor_has_it_one_when_another_thread_raised_it() -> None:
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(codec_for(int).encode, "x")
    assert user_traceback(raised_by(outcome.result)) == ""


def test_of_what_preheat_raised_only_the_users_cause_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "imports_nothing.py").write_text("import not_there\n")
    text = user_traceback(raised_by(import_handler, "imports_nothing:Model"))
    assert text.splitlines()[1].endswith('imports_nothing.py", line 1, in <module>')
    assert text.endswith("    import not_there\nModuleNotFoundError: No module named 'not_there'\n")


def test_what_a_handler_raises_of_our_errors_keeps_its_own_frames() -> None:
    def refuse() -> None:
        try:
            boom()
        except ValueError as exc:
            raise HandlerError("no") from exc

    text = user_traceback(raised_by(refuse))
    assert 'raise HandlerError("no") from exc' in text
    assert 'raise ValueError("secret") from exc' in text


def test_a_mistake_of_ours_stays_whole() -> None:
    text = user_traceback(raised_by(pointer, 7))
    assert "preheat/interface" in text


def test_an_error_without_a_message_is_its_name() -> None:
    assert describe(MemoryError()) == "MemoryError"
    assert describe(ValueError("x")) == "ValueError: x"


@pytest.mark.parametrize(
    "error", [ValueError("secret"), MemoryError(), SystemExit(1), HandlerFailed("secret")]
)
def test_what_the_caller_is_told_has_no_internals_and_the_log_has_all(error: BaseException) -> None:
    log: list[dict[str, Any]] = []
    answer = request_error(error, request_id="r1", memory_mb=64, log=log.append)
    assert isinstance(answer, HandlerFailed)
    assert "secret" not in answer.message
    assert log[0]["request_id"] == "r1"
    assert describe(error) in log[0]["message"]


def test_an_error_that_the_handler_means_for_its_caller_passes_unlogged() -> None:
    log: list[dict[str, Any]] = []
    error = BadInput("no text in the picture")
    assert request_error(error, request_id="r1", memory_mb=None, log=log.append) is error
    assert log == []
