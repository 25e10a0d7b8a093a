"""Runs `preheat` in this process, over fakes."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import click
from tests.fakes.bundle import FakeBuild
from tests.fakes.entry_points import registry_of
from tests.fakes.provider import InMemoryProvider
from tests.fakes.terminal import FakeTerminal

from preheat.cli.boundary import run
from preheat.cli.main import preheat
from preheat.cli.render import Screen
from preheat.cli.tools import Execute, Tools
from preheat.provider.registry import Registry


@dataclass(frozen=True)
class Outcome:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        assert self.out.count("\n") == 1
        return document


class NeverTimer(threading.Timer):
    """A timer whose time never comes."""

    def start(self) -> None: ...


@dataclass
class CommandLine:
    """`preheat` with a provider in memory that is called `local`. `tty` makes every stream a terminal."""

    provider: InMemoryProvider = field(default_factory=lambda: InMemoryProvider("local"))
    build: FakeBuild = field(default_factory=FakeBuild)
    environ: Mapping[str, str] = field(default_factory=lambda: {"NO_COLOR": "1"})
    tty: bool = False
    registry: Registry | None = None
    command: click.Command = preheat
    execute: Execute = os.execve
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    timer: Callable[[float, Callable[[], None]], threading.Timer] = NeverTimer
    out: FakeTerminal = field(default_factory=FakeTerminal)
    """What the last command has written to standard output so far."""

    def __call__(self, *args: str, stdin: bytes = b"") -> Outcome:
        self.out = out = FakeTerminal(tty=self.tty)
        err = FakeTerminal(tty=self.tty)
        typed = FakeTerminal(stdin, tty=self.tty)
        screen = Screen(stdin=typed, stdout=out, stderr=err, environ=self.environ)
        registry = self.registry or registry_of(self.provider)
        tools = Tools(
            screen=screen,
            registry=registry,
            build=self.build,
            execute=self.execute,
            clock=self.clock,
            sleep=self.sleep,
            timer=self.timer,
        )
        with redirect_stdout(out), redirect_stderr(err):  # where click itself prints the help
            code = run(self.command, args, program=self.command.name or "preheat", tools=tools)
        return Outcome(code, out.written, err.written)
