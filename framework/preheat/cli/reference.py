"""The page docs/cli.md, made of the commands themselves: `python -m preheat.cli.reference > docs/cli.md`."""

import inspect
import sys

import click

from preheat.cli.main import SECTIONS, load
from preheat.cli.options import Command, Group

HEAD = """\
# The command line

<!-- Made by `python -m preheat.cli.reference > docs/cli.md`; a test compares the two. -->

`deploy` is `preheat deploy`. `preheat COMMAND --help` says what is said here.

* **Output.** A command prints its result on standard output. Progress goes to standard error, and only
  to a terminal. With `--json` a command prints exactly one JSON object on standard output, whether it
  works or fails; a failure is `{"error": {"type", "message", "hint", "findings"}}`. The one exception
  is `preheat logs -f --json`, which prints one object a line for as long as it runs.
* **Exit codes.** 0: done. 1: failed. 2: wrong use, or (with `--exit-code`) a deploy would change
  something. 130: interrupted. 143: ended by SIGTERM, and tidied up as after an interrupt.
* **Environment.** `PREHEAT_HOME` moves all local state (default `~/.preheat`). `NO_COLOR` turns colours
  off. `PREHEAT_DEBUG=1` adds the traceback to an error.
* **Stages.** Every command works on one stage, `dev` unless `--stage` says otherwise.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [HEAD]
    for title, entries in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name in entries:
            command = load(name)
            parts.append(_command(command, f"preheat {name}", "###"))
            if isinstance(command, Group):
                inner = command.commands.items()
                parts += [_command(each, f"preheat {name} {below}", "####") for below, each in inner]
    return "\n".join(parts)


def _command(command: click.Command, name: str, level: str) -> str:
    context = click.Context(command, info_name=name, **command.context_settings)
    usage = " ".join(command.collect_usage_pieces(context))
    examples = "\n".join(command.examples) if isinstance(command, Command) else ""
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    records = [option.get_help_record(context) for option in options]
    rows = "\n".join(f"| `{record[0]}` | {record[1]} |" for record in records if record)
    table = f"| option | what it does |\n|---|---|\n{rows}\n\n" if rows else ""
    return (
        f"{level} {name}\n\n`{name} {usage}`\n\n{inspect.cleandoc(command.help or '')}\n\n"
        f"{table}```sh\n{examples}\n```\n"
    )


if __name__ == "__main__":
    sys.stdout.write(page())
