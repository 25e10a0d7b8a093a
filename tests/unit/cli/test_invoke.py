import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.fakes.command_line import CommandLine, NeverTimer
from tests.fakes.provider import InMemoryProvider

from preheat.errors import ProviderError
from preheat.interface.message import Request
from preheat.provider.protocol import Incoming


class HandsOnProvider(InMemoryProvider):
    """Hands on what `chunks` gives, as the answer of `content_type`."""

    def __init__(self, chunks: Callable[[], Iterator[bytes]], content_type: str) -> None:
        super().__init__("local")
        self._chunks = chunks
        self._content_type = content_type

    @contextmanager
    def ask(self, name: str, stage: str, request: Request) -> Iterator[Incoming]:
        yield Incoming(status=200, content_type=self._content_type, chunks=self._chunks())


def two_items() -> Iterator[bytes]:
    yield b"1\n"
    yield b"2"


def half() -> Iterator[bytes]:
    yield b"1\n"
    raise ProviderError("The answer broke off.", hint="preheat logs demo")


def streaming(
    chunks: Callable[[], Iterator[bytes]], *, content_type: str = "application/x-ndjson"
) -> CommandLine:
    cli = CommandLine(provider=HandsOnProvider(chunks, content_type))
    assert cli("deploy").code == 0
    return cli


class Impatient(threading.Timer):
    """A timer whose time has come when it starts."""

    def start(self) -> None:
        self.function()


def test_a_stream_is_printed_as_it_comes(root: Path) -> None:
    printed: list[str] = []

    def watched() -> Iterator[bytes]:
        yield b"1\n"
        printed.append(cli.out.written)
        yield b"2\n"

    cli = streaming(watched)
    assert cli("invoke", "demo", "--data", "1").out == "1\n2\n"
    assert printed == ["1\n"]


def test_what_came_of_a_stream_that_breaks_off_is_printed_and_it_ends_with_1(root: Path) -> None:
    outcome = streaming(half)("invoke", "demo", "--data", "1")
    assert (outcome.code, outcome.out) == (1, "1\n")
    assert outcome.err == "error: The answer broke off.\n  preheat logs demo\n"


def test_on_a_terminal_the_answer_ends_its_line(root: Path) -> None:
    cli = streaming(two_items)
    assert cli("invoke", "demo", "--data", "1").out == "1\n2"
    cli.tty = True
    assert cli("invoke", "demo", "--data", "1").out == "1\n2\n"


def test_a_stream_that_is_no_text_is_kept_off_a_terminal(root: Path) -> None:
    cli = streaming(two_items, content_type="image/png")
    cli.tty = True
    outcome = cli("invoke", "demo", "--data", "1")
    assert (outcome.out, outcome.err) == ("", "3 bytes of image/png. To keep them, add: > answer\n")


@pytest.mark.parametrize(
    ("tty", "timer", "said"), [(True, Impatient, True), (True, NeverTimer, False), (False, Impatient, False)]
)
def test_a_long_wait_is_said_on_a_terminal(
    deployed: CommandLine, tty: bool, timer: type[threading.Timer], said: bool
) -> None:
    deployed.tty, deployed.timer = tty, timer
    assert ("Waiting for the answer of demo" in deployed("invoke", "demo", "--data", "1").err) is said


def test_nobody_waits_once_the_answer_begins(root: Path) -> None:
    timers: list[NeverTimer] = []
    cancelled: list[bool] = []

    def timer(interval: float, function: Callable[[], None]) -> NeverTimer:
        timers.append(NeverTimer(interval, function))
        return timers[-1]

    def watched() -> Iterator[bytes]:
        yield b"1"
        cancelled.append(timers[0].finished.is_set())

    cli = streaming(watched)
    cli.timer = timer
    cli("invoke", "demo", "--data", "1")
    assert cancelled == [True]
