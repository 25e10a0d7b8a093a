from collections.abc import Iterator, Mapping
from typing import Any

import click
import pytest
from tests.fakes.command_line import CommandLine
from tests.fakes.provider import InMemoryProvider

from preheat.cli.log_lines import log_event

ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"
SHOWN = r"\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e"


class HostileLog(InMemoryProvider):
    """A function whose callers have put `ATTACK` into what it logs."""

    def logs(self, name: str, stage: str, *, follow: bool) -> Iterator[Mapping[str, Any]]:
        yield {"time": "t", "level": "error", "message": f"no such label {ATTACK}", "text": [ATTACK]}


def lines_of(**event: Any) -> list[str]:
    """Return the lines of an event, without the colours that are ours."""
    return click.unstyle(log_event(event)).splitlines()


@pytest.mark.parametrize("field", ["time", "level", "message", "traceback", "event", "path"])
def test_no_field_of_an_event_acts_on_the_terminal(field: str) -> None:
    lines = lines_of(**{"message": "m", field: f"a {ATTACK} b"})
    assert f"a {SHOWN} b" in lines[-1].replace(r"\\", "\\")
    assert all(map(str.isprintable, lines))


def test_neither_does_the_name_of_a_field_nor_what_is_deep_in_one() -> None:
    (line,) = lines_of(**{"message": "m", f"k{ATTACK}": 1, "deep": [{ATTACK: ATTACK}]})
    assert line.count(SHOWN) == 3
    assert line.isprintable()


def test_lines_and_letters_stay_as_they_are() -> None:
    lines = lines_of(message="größer\n\tals 日本", traceback="a\n  b\n")
    assert [line.rstrip() for line in lines] == [" info    größer", "\tals 日本", "a", "  b"]


@pytest.mark.parametrize("tty", [True, False])
@pytest.mark.parametrize("options", [(), ("--json",), ("-f", "--json")])
def test_the_log_of_any_provider_is_printed_so(options: tuple[str, ...], tty: bool) -> None:
    cli = CommandLine(provider=HostileLog("local"), tty=tty)
    outcome = cli("logs", "demo", *options)
    assert (outcome.code, outcome.out.count("\n")) == (0, 1)
    assert SHOWN in outcome.out
    assert outcome.out.rstrip("\n").isprintable()
