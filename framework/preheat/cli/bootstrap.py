"""`preheat bootstrap`: what an account needs before the first deploy to it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click

from preheat.cli import options
from preheat.cli.boundary import interruptible
from preheat.cli.problems import note
from preheat.cli.text import bold, columns, paste
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import ProviderError
from preheat.provider.protocol import Bootstrapped, Bootstraps, Groundwork

REMAINS = "Some of it may be set up. The same command again finishes it."
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")


def _repository(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not REPOSITORY.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no repository; one looks like OWNER/NAME.", ctx, param)
    return value


@options.command(
    "bootstrap",
    "preheat bootstrap --provider lambda",
    "preheat bootstrap --provider lambda --github acme/models --environment prod",
    "preheat bootstrap --provider lambda --template > bootstrap.json",
)
@options.provider
@click.option("--region", metavar="NAME", help="Where; without it, the region of your shell or profile.")
@click.option("--use-bucket", "bucket", metavar="NAME", help="A bucket for archives that exists already.")
@click.option(
    "--github",
    "repository",
    metavar="OWNER/REPO",
    callback=_repository,
    help="Let GitHub Actions of this repository deploy, without stored keys.",
)
@click.option("--branch", metavar="NAME", help="With --github: from this branch only.")
@click.option("--environment", metavar="NAME", help="With --github: in this environment only.")
@click.option("--template", is_flag=True, help="Print the platform's own template, and change nothing.")
@options.as_json
@pass_tools
def bootstrap(
    tools: Tools,
    provider: str,
    region: str | None,
    bucket: str | None,
    repository: str | None,
    branch: str | None,
    environment: str | None,
    template: bool,
) -> None:
    """Set up once what deploys to an account need.

    Running it again brings it up to date and keeps what was chosen before.
    """
    if (branch or environment) and repository is None:
        raise click.UsageError("--branch and --environment say which runs of --github OWNER/REPO may deploy.")
    if branch and environment:
        raise click.UsageError("GitHub names the branch or the environment of a run: give one of the two.")
    platform: object = tools.registry.get(provider)
    if not isinstance(platform, Bootstraps):
        raise ProviderError(
            f"Provider {provider!r} needs nothing set up.", hint=f"preheat deploy --provider {provider}"
        )
    if template:
        tools.screen.lines([platform.bootstrap_template().rstrip("\n")])
        return
    groundwork = Groundwork(
        region=region, bucket=bucket, repository=repository, branch=branch, environment=environment
    )
    with interruptible(lambda: REMAINS), tools.screen.progress() as report:
        done = platform.bootstrap(groundwork, report=report)
    tools.screen.result(document(done), lambda: lines(done))


def document(done: Bootstrapped) -> dict[str, Any]:
    """Return what is set up as JSON values."""
    return asdict(done) | {"notes": list(done.notes)}


def lines(done: Bootstrapped) -> Iterator[str]:
    """Yield what is set up, and what to write into preheat.toml."""
    yield f"{bold(done.place)}: {'set up' if done.changed else 'nothing to change'}"
    yield from ("  " + line for line in columns([(name, value) for name, value in done.made.items()]))
    if done.settings:
        yield ""
        yield "In preheat.toml:"
        yield paste(_table(done.provider, done.settings))
    for text in done.notes:
        yield from note(text)


def _table(provider: str, settings: Mapping[str, str]) -> str:
    return "\n".join([f"[provider.{provider}]", *(f'{key} = "{value}"' for key, value in settings.items())])
