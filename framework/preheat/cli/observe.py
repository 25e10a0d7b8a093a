"""`preheat status` and `preheat logs`."""

import dataclasses
from typing import Any

import click

from preheat.cli import options, views
from preheat.cli.log_lines import log_event
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import NotDeployed
from preheat.provider.protocol import Status
from preheat.runtime.log import event_line


@options.command("status", "preheat status", "preheat status ocr --json", "preheat status ocr --stage prod")
@click.argument("name", required=False)
@options.provider
@click.option("--stage", metavar="NAME", help="The stage; without it every stage, or the only one of NAME.")
@options.as_json
@pass_tools
def status(tools: Tools, name: str | None, provider: str, stage: str | None) -> None:
    """Show what is deployed, with cold and warm latencies.

    With NAME and --json, prints that function's object; without NAME, {"functions": [...]}.
    """
    found = tools.registry.get(provider).status(name, stage)
    if name is None:
        documents = [_document(one) for one in found]
        tools.screen.result({"functions": documents}, lambda: views.statuses(found, provider))
        return
    one = _only(found, name, provider, stage)
    tools.screen.result(_document(one), lambda: views.status(one))


def _only(found: tuple[Status, ...], name: str, provider: str, stage: str | None) -> Status:
    if not found:
        where = f"{provider}, stage {stage}" if stage else provider
        raise NotDeployed(f"{name} is not deployed to {where}.", hint=f"preheat status --provider {provider}")
    if len(found) > 1:
        stages = [one.stage for one in found]
        raise click.UsageError(
            f"{name} is deployed to the stages {', '.join(stages)}. Add --stage {stages[0]}."
        )
    return found[0]


def _document(one: Status) -> dict[str, Any]:
    document = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    return {**document, "details": dict(one.details)}


@options.command("logs", "preheat logs ocr", "preheat logs ocr -f", "preheat logs ocr --json | jq .events")
@options.function
@click.option("--follow", "-f", is_flag=True, help="Go on printing events as they come.")
@options.as_json
@pass_tools
def logs(tools: Tools, name: str, provider: str, stage: str, follow: bool) -> None:
    """Print the log of a function, oldest event first.

    On a terminal an event is a line to read; elsewhere, and with -f --json, it is a line of JSON.
    With --json alone all events come in one object, {"events": [...]}.
    """
    screen = tools.screen
    events = tools.registry.get(provider).logs(name, stage, follow=follow)
    if screen.json and not follow:
        screen.lines([event_line({"events": [dict(event) for event in events]})])
    elif screen.json or not screen.on_terminal:
        screen.lines(map(event_line, events))
    else:
        screen.lines(map(log_event, events))
