"""`preheat coldstart`: what a fresh process takes to its first answer, phase by phase."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from preheat.cli import coldstart_views, options
from preheat.cli.boundary import FAILED, interruptible
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import NotDeployed, ProviderError

if TYPE_CHECKING:
    from preheat.coldstart.model import Condition
    from preheat.coldstart.subject import Earlier, Subject

BOTH = "both"
REMAINS = "Every process was ended; the bundle stays in the cache."


@options.command(
    "coldstart",
    "preheat coldstart",
    "preheat coldstart examples/ocr --provider aws_lambda --cores one",
    "preheat coldstart -n 15 --plot coldstart.svg --compare 3",
    "preheat coldstart --json | jq .total_ms.p50",
)
@options.directory
@click.option(
    "-n",
    "runs",
    metavar="N",
    type=click.IntRange(min=3),
    default=7,
    show_default=True,
    help="Fresh processes under each condition.",
)
@options.provider
@options.stage
@click.option(
    "--cache",
    type=click.Choice(["warm", "cold", BOTH]),
    default=BOTH,
    show_default=True,
    help="Whether the bundle's files are in the page cache.",
)
@click.option(
    "--cores",
    type=click.Choice(["all", "one", BOTH]),
    default=BOTH,
    show_default=True,
    help="Which processors a process may use.",
)
@click.option("--drop-caches", is_flag=True, help="Empty the whole page cache before a cold start (root).")
@click.option("--compare", "release", metavar="RELEASE", type=click.IntRange(min=1), help="A local release.")
@click.option("--no-savings", is_flag=True, help="Do not try what might make it shorter.")
@options.plot("the waterfall of phases")
@options.as_json
@click.pass_context
@pass_tools
def coldstart(
    tools: Tools,
    ctx: click.Context,
    directory: Path,
    runs: int,
    provider: str,
    stage: str,
    cache: str,
    cores: str,
    drop_caches: bool,
    release: int | None,
    no_savings: bool,
    picture: Path | None,
) -> None:
    """Measure what a fresh process takes to its first answer.

    Builds the bundle, starts it N times through the provider's own entry, and asks it the handler's first
    example. Names what takes the time, and what would save some. A budget in [coldstart] of preheat.toml
    that is not kept makes it fail.
    """
    from preheat.coldstart.document import document
    from preheat.coldstart.measuring import measure
    from preheat.coldstart.rounds import Asked
    from preheat.coldstart.subject import rehearses, subject_of

    with interruptible(lambda: REMAINS), tools.screen.progress() as report:
        pipeline = tools.pipeline(provider, stage, report)
        platform = rehearses(pipeline.provider)
        project = pipeline.project(directory)
        pipeline.check(project)
        subject = subject_of(pipeline.bundle(project), project, platform)
        asked = Asked(
            conditions=_conditions(cache, cores),
            runs=runs,
            savings=not no_savings,
            drop_everything=drop_caches,
        )
        earlier = None if release is None else _earlier(tools, subject, release)
        result = measure(subject, asked, report=report, earlier=earlier)
    tools.screen.result(document(result), lambda: coldstart_views.result(result))
    if picture is not None:
        from preheat.coldstart.plot import draw

        draw(result, picture)
    if result.verdict is not None and not result.verdict.kept:
        ctx.exit(FAILED)


def _conditions(cache: str, cores: str) -> "tuple[Condition, ...]":
    from preheat.coldstart.model import Condition

    every = [
        Condition("warm", "all"),
        Condition("warm", "one"),
        Condition("cold", "all"),
        Condition("cold", "one"),
    ]
    return tuple(each for each in every if cache in (each.cache, BOTH) and cores in (each.cores, BOTH))


def _earlier(tools: Tools, subject: "Subject", number: int) -> "Earlier":
    """Return a release of the same function, whose layers are in the cache.

    Raises ProviderError where the provider's releases run elsewhere, NotDeployed for one that is not there.
    """
    from preheat.bundle.cache import Cache
    from preheat.bundle.record import load_bundle
    from preheat.coldstart.subject import Earlier
    from preheat.project.home import home

    name, stage = subject.project.name, subject.project.stage
    provider = tools.registry.get(subject.bundle.target.provider)
    if not provider.capabilities.runs_from_cache:
        raise ProviderError(
            f"Releases on {provider.name} run elsewhere; --compare starts those of this machine.",
            hint=f"preheat coldstart --provider local --compare {number}",
        )
    known = {release.number: release for release in provider.releases(name, stage)}
    if number not in known:
        have = ", ".join(map(str, sorted(known))) or "none"
        raise NotDeployed(
            f"{name} ({stage}) has no release {number}; there is {have}.", hint=f"preheat releases {name}"
        )
    bundle = load_bundle(Cache(home() / "cache"), known[number].digest)
    if bundle is None:
        raise NotDeployed(
            f"The layers of release {number} of {name} are no longer in the cache.",
            hint=f"preheat releases {name}  # and compare with a later one",
        )
    return Earlier(number, subject.of(bundle))
