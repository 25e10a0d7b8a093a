from typing import Any

import pytest

from preheat.errors import BadInput, HandlerFailed
from preheat.interface.codec import codec_for
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


def test_a_traceback_that_has_only_our_frames_stays_whole() -> None:
    text = user_traceback(raised_by(codec_for(int).encode, "x"))
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
