import json

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
