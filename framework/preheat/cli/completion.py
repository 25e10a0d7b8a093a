"""`preheat completion`: names and options by the Tab key."""

import click
from click.shell_completion import get_completion_class

from preheat.cli import options
from preheat.cli.tools import Tools, pass_tools

VARIABLE = "_PREHEAT_COMPLETE"


@options.command(
    "completion",
    'eval "$(preheat completion bash)"',
    "preheat completion zsh >> ~/.zshrc",
    "preheat completion fish > ~/.config/fish/completions/preheat.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
@pass_tools
def completion(tools: Tools, ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL."""
    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"click has no completion for {shell}.")
    tools.screen.lines([script(ctx.find_root().command, {}, "preheat", VARIABLE).source()])
