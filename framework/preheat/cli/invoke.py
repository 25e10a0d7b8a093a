"""`preheat invoke`: one input, one answer."""

import json
import mimetypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from preheat.cli import options
from preheat.cli.boundary import FAILED
from preheat.cli.tools import Tools, pass_tools
from preheat.interface.message import JSON_TYPE, Request
from preheat.provider.protocol import HandsOn, Incoming, Provider

UNNAMED = "application/octet-stream"
TENSOR = {".npy": "application/x-npy"}
"""Media types that `mimetypes` does not know."""
PATIENCE_S = 1.0
"""How long nobody is told that an answer is waited for."""


@options.command(
    "invoke",
    """preheat invoke demo --data '{"text": "hello"}'""",
    "preheat invoke ocr --data @receipt.png > lines.json",
    "cat input.json | preheat invoke demo --data -",
    "preheat invoke ocr --data @scan.pdf --async",
)
@options.function
@click.option(
    "--data", required=True, metavar="JSON|@FILE|-", help="The input: JSON, @ and a file's name, or -."
)
@click.option("--content-type", metavar="TYPE", help="The input's media type; guessed from the file's name.")
@click.option("--async", "later", is_flag=True, help="Queue it as a job, and print the job's id.")
@click.pass_context
@pass_tools
def invoke(
    tools: Tools,
    ctx: click.Context,
    name: str,
    provider: str,
    stage: str,
    data: str,
    content_type: str | None,
    later: bool,
) -> None:
    """Send one input and print the answer's body, and nothing else: of the local provider as it comes.

    Exits with 1 when the answer is an error; its body is printed all the same.
    """
    body, guessed = (tools.screen.read(), JSON_TYPE) if data == "-" else _read(data)
    media = content_type or guessed
    if media == JSON_TYPE and not data.startswith(("@", "-")):
        _refuse_no_json(data)
    request = Request(body=body, content_type=media, id=os.urandom(8).hex())
    if later:
        tools.screen.lines([tools.registry.get(provider).submit(name, stage, request)])
        return
    with (
        _patience(tools, name) as answered,
        _asked(tools.registry.get(provider), name, stage, request) as answer,
    ):
        tools.screen.body(_heard(answer.chunks, answered), answer.content_type)
    if answer.status >= 400:
        tools.screen.say(f"{name} answered with status {answer.status}.")
        ctx.exit(FAILED)


@contextmanager
def _patience(tools: Tools, name: str) -> Iterator[Callable[[], None]]:
    """Say on a terminal that an answer is waited for, unless what is yielded was called before long."""
    timer = tools.timer(PATIENCE_S, lambda: tools.screen.say(f"Waiting for the answer of {name} ..."))
    if tools.screen.watched:
        timer.start()
    try:
        yield timer.cancel
    finally:
        timer.cancel()


@contextmanager
def _asked(provider: Provider, name: str, stage: str, request: Request) -> Iterator[Incoming]:
    if isinstance(provider, HandsOn):
        with provider.ask(name, stage, request) as answer:
            yield answer
    else:
        whole = provider.invoke(name, stage, request)
        yield Incoming(status=whole.status, content_type=whole.content_type, chunks=iter((whole.body,)))


def _heard(chunks: Iterator[bytes], answered: Callable[[], None]) -> Iterator[bytes]:
    for chunk in chunks:
        answered()
        yield chunk


def _read(data: str) -> tuple[bytes, str]:
    if not data.startswith("@"):
        return data.encode(), JSON_TYPE
    file = Path(data[1:])
    guessed = TENSOR.get(file.suffix) or mimetypes.guess_type(file.name)[0] or UNNAMED
    try:
        return file.read_bytes(), guessed
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror}", param_hint="--data") from error


def _refuse_no_json(data: str) -> None:
    try:
        json.loads(data)
    except ValueError as error:
        quoted = json.dumps(data)
        message = f"this is not JSON ({error}). A text is written '{quoted}', a file @NAME."
        raise click.BadParameter(message, param_hint="--data") from error
