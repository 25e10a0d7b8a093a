"""`preheat check`: every mistake that can be known before a deploy."""

from pathlib import Path

import click

from preheat.cli import options, problems
from preheat.cli.boundary import FAILED, interruptible
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import Located, PreheatError
from preheat.findings import Finding
from preheat.progress import Report, Step

ALL = "all"


@options.command("check", "preheat check", "preheat check examples/ocr --provider all --static")
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
@options.as_json
@click.pass_context
@pass_tools
def check(tools: Tools, ctx: click.Context, directory: Path, provider: str, stage: str, static: bool) -> None:
    """Find every mistake before anything is deployed.

    Checks preheat.toml, what the platform can do, and the text of the handler. If all that is right,
    builds the bundle, loads the handler in a process of its own, and runs its examples.
    """
    names = tools.registry.names if provider == ALL else (provider,)
    with interruptible(lambda: "Nothing was deployed."), tools.screen.progress() as report:
        found = {name: _findings(tools, name, stage, directory, report, static) for name in names}
    unique = list(dict.fromkeys(finding for findings in found.values() for finding in findings))
    documents = [problems.finding_document(finding) for finding in unique]
    tools.screen.result(
        {"ok": not unique, "providers": list(names), "findings": documents},
        lambda: (
            problems.findings(unique)
            if unique
            else [f"{directory.name}: nothing wrong for {', '.join(names)}"]
        ),
    )
    if unique:
        ctx.exit(FAILED)


def _findings(
    tools: Tools, name: str, stage: str, directory: Path, report: Report, static: bool
) -> tuple[Located, ...]:
    pipeline = tools.pipeline(name, stage, report)
    try:
        project = pipeline.project(directory)
        pipeline.check(project)
        if not static:
            pipeline.bundle(project)
    except PreheatError as error:
        return error.findings or (Finding(message=error.message, fix=error.hint),)
    report(Step("check", f"{name}: nothing wrong"))
    return ()
