"""The program that deploys, without Modal: what it says and how it ends."""

import os
import signal
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from preheat.errors import ProviderError
from preheat.progress import Event, Step
from preheat_providers.modal.deploying.publishing import publish, without

FAKE = """
import sys

class App:
    def deploy(self, name, environment_name, tag, strategy):
        print("building", name, environment_name, tag, strategy)
        {body}

app = App()
"""


def run(tmp_path: Path, body: str) -> list[str]:
    file = tmp_path / "modal_app.py"
    file.write_text(textwrap.dedent(FAKE).format(body=body))
    said: list[Event] = []
    environ = dict(os.environ)
    publish(file, "app", "prod", "r1.x", strategy="recreate", environ=environ, report=said.append)
    return [event.text for event in said if isinstance(event, Step)]


@contextmanager
def interrupted_at(function: Any) -> Iterator[None]:
    """Have a Ctrl-C come where this thread calls `function` in the block."""

    def interrupt(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is function.__code__:
            sys.setprofile(None)
            raise KeyboardInterrupt

    before = sys.getprofile()
    sys.setprofile(interrupt)
    try:
        yield
    finally:
        sys.setprofile(before)


def with_argument(text: str) -> list[int]:
    """Return the processes that have `text` as an argument."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if text.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def test_what_is_said_is_told_line_by_line(tmp_path: Path) -> None:
    assert run(tmp_path, r"print('\x1b[32mdone\x1b[0m'); print('  ')") == [
        "building app prod r1.x recreate",
        "done",
    ]


def test_an_image_that_fails_shows_what_was_said(tmp_path: Path) -> None:
    body = "print('no such package'); import modal; raise modal.exception.RemoteError('Image build failed')"
    with pytest.raises(ProviderError, match=r"could not build the image.*\n.*\nno such package"):
        run(tmp_path, body)


def test_what_modal_raises_means_what_it_means_here(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="does not accept the token") as raised:
        run(tmp_path, "import modal; raise modal.exception.AuthError('no')")
    assert "modal token new" in str(raised.value.hint)


def test_a_program_that_dies_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"(?s)ended with -9.*last words"):
        run(tmp_path, "print('last words', flush=True); import os; os.kill(os.getpid(), 9)")


def test_a_bug_of_ours_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="division by zero"):
        run(tmp_path, "1 / 0")


def test_a_ctrl_c_right_after_the_program_began_ends_it(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), interrupted_at(threading.Thread.start):
        run(tmp_path, "import signal; signal.pause()")
    left = with_argument(str(tmp_path / "modal_app.py"))
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert left == []


def test_values_of_secrets_are_no_business_of_the_program() -> None:
    environ = {"HUB": "1", "PATH": "2", "FILE": "3"}
    assert without(environ, ["env:HUB", "file:FILE", "modal:PATH"]) == {"PATH": "2", "FILE": "3"}
