"""`preheat completion`: names and options by the Tab key."""

import click
from click.shell_completion import get_completion_class

from preheat.cli import options
from preheat.cli.main import load
from preheat.cli.tools import Tools, pass_tools


@options.command(
    "completion",
    'eval "$(preheat completion bash)"',
    "preheat completion zsh >> ~/.zshrc",
    "preheat completion fish > ~/.config/fish/conf.d/preheat.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
@pass_tools
def completion(tools: Tools, ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL, for `preheat` and for `deploy`."""
    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"click has no completion for {shell}.")
    programs = {"preheat": ctx.find_root().command, "deploy": load("deploy")}
    tools.screen.lines(
        script(command, {}, name, f"_{name.upper()}_COMPLETE").source() for name, command in programs.items()
    )
