"""The options that commands share, and the kind of command that ends its help with examples."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from preheat.cli.boundary import JSON
from preheat.cli.extras import require
from preheat.project.model import DEFAULT_STAGE
from preheat.provider.registry import Registry

PICTURES = (".svg", ".png", ".pdf")
Function = TypeVar("Function", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose help ends with examples to paste."""

    def __init__(self, *args: Any, examples: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples after the options."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(" " * formatter.current_indent + example + "\n")


class Group(Command, click.Group):
    """A command that has commands of its own."""


def group(name: str, *examples: str) -> Callable[[Callable[..., Any]], Group]:
    """Make a group called `name` of a function; its docstring is the help."""
    settings = {"help_option_names": ["-h", "--help"]}
    return click.group(name, cls=Group, examples=examples, context_settings=settings)


def command(name: str, *examples: str) -> Callable[[Callable[..., Any]], Command]:
    """Make a command called `name` of a function; its docstring is the help."""
    settings = {"help_option_names": ["-h", "--help"]}
    return click.command(name, cls=Command, examples=examples, context_settings=settings)


def _providers(_ctx: click.Context, _option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in Registry.installed().names if name.startswith(incomplete)]


class Directory(click.Path):
    """The folder of a project."""

    def __init__(self) -> None:
        super().__init__(exists=True, file_okay=False, resolve_path=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder. A file in it, such as preheat.toml, is wrong use with the line to paste."""
        if ctx is not None and (file := Path(value)).is_file():
            line = f"{ctx.command_path} {shlex.quote(str(file.parent))}"
            self.fail(f"{value!r} is a file; name its folder: {line}", param, ctx)
        return super().convert(value, param, ctx)


directory = click.argument("directory", metavar="[DIR]", default=".", type=Directory())
function_name = click.argument("name", metavar="NAME")
provider = click.option(
    "--provider",
    metavar="NAME",
    default="local",
    show_default=True,
    shell_complete=_providers,
    help="The platform to use.",
)
stage = click.option(
    "--stage", metavar="NAME", default=DEFAULT_STAGE, show_default=True, help="Such as dev or prod."
)
as_json = click.option(
    JSON, is_flag=True, expose_value=False, help="Print one JSON object on standard output."
)
"""The boundary reads it itself, before click does."""
yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
upgrade = click.option("--upgrade", is_flag=True, help="Lock the newest allowed packages again.")


def _picture(_ctx: click.Context, _option: click.Parameter, file: Path | None) -> Path | None:
    """Refuse now, and not after minutes of work, what could not be drawn then. Raises MissingExtra."""
    if file is None:
        return None
    if file.suffix not in PICTURES:
        raise click.BadParameter(f"{file.name} must end in {', '.join(PICTURES)}.")
    if not file.absolute().parent.is_dir():
        raise click.BadParameter(f"There is no folder {file.parent}.")
    require("matplotlib")
    return file


def plot(what: str) -> Callable[[Function], Function]:
    """Add --plot, which draws `what` into a file."""
    return click.option(
        "--plot",
        "picture",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_picture,
        help=f"Draw {what} (svg, png, pdf). Needs preheat[measure].",
    )


def function(body: Function) -> Function:
    """Add what finds a deployed function: NAME, --provider and --stage."""
    return function_name(provider(stage(body)))
