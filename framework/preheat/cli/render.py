"""The only place that prints: results to standard output, everything else to standard error.

With `json` on, standard output gets exactly one JSON object, whether the command works or fails.
Colours go to a terminal only, and never when NO_COLOR is set (no-color.org).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any, TextIO

import click

from preheat.cli import problems
from preheat.cli.progress import Progress
from preheat.errors import PreheatError

TEXTUAL = ("text/", "application/json", "application/problem+json", "application/x-ndjson")


class Screen:
    """The standard streams of one command."""

    def __init__(
        self, *, stdin: TextIO, stdout: IO[str], stderr: IO[str], environ: Mapping[str, str]
    ) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._stderr = stderr
        self._colour = False if environ.get("NO_COLOR") else None
        self.debug = environ.get("PREHEAT_DEBUG") == "1"
        self.json = False

    @property
    def on_terminal(self) -> bool:
        """Whether standard output is a terminal."""
        return self._stdout.isatty()

    @property
    def watched(self) -> bool:
        """Whether standard error is a terminal."""
        return self._stderr.isatty()

    def result(self, document: Mapping[str, Any], lines: Callable[[], Iterable[str]]) -> None:
        """Print what a command found out: `document` as JSON, or `lines` for a reader."""
        self.lines([json.dumps(document, ensure_ascii=False)] if self.json else lines())

    def lines(self, lines: Iterable[str]) -> None:
        """Print `lines` to standard output, each as soon as it comes."""
        for line in lines:
            click.echo(line, file=self._stdout, color=self._colour)

    def say(self, line: str) -> None:
        """Print `line` to standard error."""
        click.echo(line, file=self._stderr, color=self._colour)

    def read(self) -> bytes:
        """Return all of standard input."""
        return self._stdin.buffer.read()

    def body(self, chunks: Iterable[bytes], content_type: str) -> None:
        """Write an answer's body as it comes and nothing else; what is no text is kept off a terminal."""
        if self.on_terminal and not content_type.startswith(TEXTUAL):
            count = sum(map(len, chunks))
            self.say(f"{count} bytes of {content_type}. To keep them, add: > answer")
            return
        last = b""
        try:
            for chunk in chunks:
                click.echo(chunk, file=self._stdout, nl=False)
                last = chunk
        finally:
            if self.on_terminal and not last.endswith(b"\n"):
                click.echo(file=self._stdout)

    def error(self, error: PreheatError) -> None:
        """Print an error, its findings and the line to paste."""
        if self.json:
            self.lines([json.dumps(problems.error_document(error), ensure_ascii=False)])
        for line in problems.error(error):
            self.say(line)

    def agreed(self, question: str) -> bool:
        """Ask for a yes or no. Raises UsageError where nobody is there to answer."""
        if not (self._stdin.isatty() and self._stderr.isatty()):
            raise click.UsageError("This removes things, and nobody is there to agree. Add --yes.")
        click.echo(f"{question} [y/N] ", file=self._stderr, nl=False)
        return self._stdin.readline().strip().lower() in {"y", "yes"}

    def progress(self) -> Progress:
        """Return what draws the events of a long operation, if standard error is a terminal."""
        return Progress(self._stderr, colour=self._colour is None, say=self.say)
