"""The two programs, `preheat` and `deploy`. A command's module is imported when that command runs."""

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from preheat import __version__
from preheat.cli.boundary import run
from preheat.cli.render import Screen
from preheat.cli.tools import Tools


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is defined (`module:attribute` under preheat.cli), and its line in the help."""

    reference: str
    summary: str


SECTIONS = {
    "Make": {
        "init": Entry("init:init", "Start a project that deploys at once."),
        "check": Entry("check:check", "Find every mistake before anything is deployed."),
        "build": Entry("build:build", "Turn a project into bytes with a digest."),
        "coldstart": Entry("coldstart:coldstart", "Measure what a fresh process takes to its first answer."),
        "tune": Entry("tune:tune", "Find how an ONNX model loads and runs fastest."),
        "image": Entry("image:image", "Make a container image, without a container engine."),
        "plan": Entry("deploy:plan", "Show what a deploy would change."),
        "deploy": Entry("deploy:deploy", "Make a project a live endpoint."),
    },
    "Use": {
        "serve": Entry("serve:serve", "Serve a project in the foreground, as a container would."),
        "invoke": Entry("invoke:invoke", "Send one input and print the answer."),
        "status": Entry("observe:status", "Show what is deployed, with cold and warm latencies."),
        "logs": Entry("observe:logs", "Print the log of a function."),
    },
    "Release": {
        "releases": Entry("releases:releases", "List the numbered releases."),
        "rollback": Entry("releases:rollback", "Go back to an earlier release."),
        "promote": Entry("releases:promote", "Give the newest release all traffic, or a share of it."),
        "warm": Entry("warm:warm", "Show how many workers are kept ready, or change that at once."),
    },
    "Events": {
        "replay": Entry("events:replay", "Run the failed deliveries of triggers again."),
        "backfill": Entry("events:backfill", "Run on objects that already exist."),
    },
    "Account": {
        "bootstrap": Entry("bootstrap:bootstrap", "Set up once what deploys to an account need."),
    },
    "Clean up": {
        "destroy": Entry("destroy:destroy", "Remove everything that deploy made, with a receipt."),
        "prune": Entry("prune:prune", "Remove what no release and no recent build uses from the cache."),
    },
    "Shell": {
        "completion": Entry("completion:completion", "Print the shell's completion script."),
    },
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for, and knows its help line without that."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None for an unknown name."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` start with; an unknown one is an error with the nearest name."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            guess = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{guess}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help lines by section, without importing a command."""
        width = max(map(len, COMMANDS))
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), entry.summary) for name, entry in entries.items()])


def load(name: str) -> click.Command:
    """Import the command called `name`."""
    module, _, attribute = COMMANDS[name].reference.partition(":")
    command: click.Command = getattr(importlib.import_module(f"preheat.cli.{module}"), attribute)
    return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def preheat() -> None:
    """Deploy one model handler as an endpoint that scales to zero.

    \b
    Start here:
      preheat init demo && preheat deploy demo
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run `preheat` and return its exit code."""
    return run(preheat, sys.argv[1:] if args is None else args, program="preheat", tools=_tools())


def deploy_main(args: Sequence[str] | None = None) -> int:
    """Run `deploy`, which is `preheat deploy`, and return its exit code."""
    return run(load("deploy"), sys.argv[1:] if args is None else args, program="deploy", tools=_tools())


def _tools() -> Tools:
    return Tools(screen=Screen(stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr, environ=os.environ))
