"""`preheat check`: every mistake that can be known before a deploy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from preheat.cli import options, problems
from preheat.cli.boundary import FAILED, interruptible
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import Located, PreheatError
from preheat.findings import Finding
from preheat.progress import Report, Step
from preheat.snapshots.lint import lint

if TYPE_CHECKING:
    from preheat.bundle.model import Bundle
    from preheat.deploy import Pipeline
    from preheat.project.model import Project

ALL = "all"


@options.command(
    "check",
    "preheat check",
    "preheat check examples/ocr --provider all --static",
    "preheat check --coldstart --provider aws_lambda",
)
@options.directory
@click.option(
    "--provider",
    metavar="NAME",
    default="local",
    show_default=True,
    help="The platform to check for, or all.",
)
@options.stage
@click.option("--static", is_flag=True, help="Only read the files: build and run nothing.")
@click.option("--snapshot", is_flag=True, help="Also run setup and two copies of it, and compare them.")
@click.option("--coldstart", is_flag=True, help="Also measure fresh processes against [coldstart].")
@options.as_json
@click.pass_context
@pass_tools
def check(
    tools: Tools,
    ctx: click.Context,
    directory: Path,
    provider: str,
    stage: str,
    static: bool,
    snapshot: bool,
    coldstart: bool,
) -> None:
    """Find every mistake before anything is deployed.

    Checks preheat.toml, what the platform can do, and the text of the handler. If all that is right,
    builds the bundle, loads the handler in a process of its own, and runs its examples. With --provider
    all, each finding says whose it is.

    With --snapshot, also finds what a snapshot (Lambda SnapStart, Modal) or a fork would freeze: random
    numbers, ids, clocks, sockets, clients, threads, the GPU, and a restore that takes too long. With
    --coldstart, starts fresh processes, and fails where they take longer than [coldstart] allows.
    """
    if static and (snapshot or coldstart):
        asked = "--snapshot" if snapshot else "--coldstart"
        raise click.UsageError(f"{asked} runs the handler, and --static runs nothing. Choose one.")
    names = tools.registry.names if provider == ALL else (provider,)
    with interruptible(lambda: "Nothing was deployed."), tools.screen.progress() as report:
        deeper = Deeper(build=not static, snapshot=snapshot, coldstart=coldstart)
        found = {name: _findings(tools, name, stage, directory, report, deeper) for name in names}
    unique = list(dict.fromkeys(finding for findings in found.values() for finding in findings))
    of = {finding: [name for name in names if finding in found[name]] for finding in unique}
    documents = [{**problems.finding_document(each), "providers": of[each]} for each in unique]
    tools.screen.result(
        {"ok": not unique, "providers": list(names), "findings": documents},
        lambda: _lines(of, names) if unique else [f"{directory.name}: nothing wrong for {', '.join(names)}"],
    )
    if unique:
        ctx.exit(FAILED)


def _lines(of: Mapping[Located, Sequence[str]], names: Sequence[str]) -> Iterator[str]:
    """Yield each finding, with the providers that it is of where more than one was asked."""
    for finding, found_by in of.items():
        told = "" if len(names) == 1 else ALL if len(found_by) == len(names) else ", ".join(found_by)
        yield from problems.finding(finding, of=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeper:
    """How far a check goes beyond reading files."""

    build: bool
    snapshot: bool
    coldstart: bool


def _findings(
    tools: Tools, name: str, stage: str, directory: Path, report: Report, deeper: Deeper
) -> tuple[Located, ...]:
    pipeline = tools.pipeline(name, stage, report)
    try:
        project = pipeline.project(directory)
        pipeline.check(project)
        if deeper.build:
            bundle = pipeline.bundle(project)
            if deeper.snapshot and (frozen := lint(project, bundle, report=report)):
                return frozen
            if deeper.coldstart and (slow := _over_budget(project, bundle, pipeline, report)):
                return slow
    except PreheatError as error:
        return error.findings or (Finding(message=error.message, fix=error.hint),)
    report(Step("check", f"{name}: nothing wrong"))
    return ()


def _over_budget(
    project: "Project", bundle: "Bundle", pipeline: "Pipeline", report: Report
) -> tuple[Located, ...]:
    from preheat.cli.coldstart_check import budget_findings

    return budget_findings(bundle, project, pipeline.provider, report)
