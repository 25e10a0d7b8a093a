import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from preheat.runtime.log import event_line, log_to_stderr, visible

TITLE = "\x1b]0;owned\x07\x1b[2J"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TITLE, r"\u001b]0;owned\u0007\u001b[2J"),
        ("\x9b31m red", r"\u009b31m red"),
        ("50 %\r100 %\x08\x7f", r"50 %\u000d100 %\u0008\u007f"),
        ("\u202egnp.exe\u2069\u200f", r"\u202egnp.exe\u2069\u200f"),
        ("one\u2028two", r"one\u2028two"),
        ("half \ud800", r"half \ud800"),
    ],
)
def test_what_would_act_on_a_terminal_is_shown_instead(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_text_of_every_script_its_lines_and_tabs_stay() -> None:
    text = "Größe: 3 µs\n\t日本語 שלום 👩‍🔬 a\xa0b"
    assert visible(text) == text


def test_an_event_is_one_line_that_says_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    event = {"message": f"zwei\nZeilen für {TITLE}\x9b2J", "half": "\ud800", "odd": {1}}
    log_to_stderr(event)
    line = capfd.readouterr().err
    assert line == event_line(event) + "\n"
    assert (line.count("\n"), "für" in line) == (1, True)
    assert not {"\x1b", "\x9b", "\x07"} & set(line)
    assert json.loads(line) == {**event, "odd": "{1}"}


@contextmanager
def standard_error(descriptor: int) -> Iterator[None]:
    before = os.dup(2)
    os.dup2(descriptor, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def test_a_log_whose_reader_is_gone_stops_nobody() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with standard_error(writer):
        os.close(writer)
        log_to_stderr({"message": "is anybody there?"})


def test_a_log_that_never_blocks_and_is_full_stops_nobody() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with standard_error(writer):
        os.close(writer)
        log_to_stderr({"message": "x" * 1_000_000})
    assert os.read(reader, 12) == b'{"message": '
    os.close(reader)
