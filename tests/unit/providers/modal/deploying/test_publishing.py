"""The program that deploys, without Modal: what it says and how it ends."""

import os
import textwrap
from pathlib import Path

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


def test_values_of_secrets_are_no_business_of_the_program() -> None:
    environ = {"HUB": "1", "PATH": "2", "FILE": "3"}
    assert without(environ, ["env:HUB", "file:FILE", "modal:PATH"]) == {"PATH": "2", "FILE": "3"}
