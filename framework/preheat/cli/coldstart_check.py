"""What `preheat check --coldstart` finds: a budget of preheat.toml that a measurement does not keep."""

from preheat.bundle.model import Bundle
from preheat.cli.coldstart_views import verdict_text
from preheat.cli.text import human_ms
from preheat.coldstart.measuring import measure
from preheat.coldstart.model import Result
from preheat.coldstart.rounds import STAGE, Asked
from preheat.coldstart.subject import rehearses, subject_of
from preheat.findings import Finding
from preheat.progress import Notice, Report
from preheat.project.document import FILE, read_document
from preheat.project.model import Project
from preheat.provider.protocol import Provider

ROOM = 1.2
"""What a budget that we suggest leaves for a slower day."""


def budget_findings(
    bundle: Bundle, project: Project, provider: Provider, report: Report
) -> tuple[Finding, ...]:
    """Measure `bundle` and return what is wrong with its start; a budget that is kept is said by a notice.

    Raises PreheatError where a start fails.
    """
    subject = subject_of(bundle, project, rehearses(provider))
    result = measure(subject, Asked(savings=False), report=report)
    found = finding_of(result, project)
    if found is not None:
        return (found,)
    if result.verdict is not None:
        report(Notice(STAGE, f"{result.provider}: {verdict_text(result.verdict)} ({_took(result)})."))
    return ()


def finding_of(result: Result, project: Project) -> Finding | None:
    """Return what is wrong with a measured start: a budget that is not kept, or none to keep."""
    if result.verdict is None:
        head = result.figures[0]
        return Finding(
            message=f"There is no budget to check in [coldstart]. Measured: {_took(result)}.",
            file=project.root / FILE,
            key="coldstart",
            fix=f"[coldstart]\nratio = {head.ratio * ROOM:.1f}",
        )
    if result.verdict.kept:
        return None
    key = ("coldstart", result.verdict.key)
    return Finding(
        message=f"{verdict_text(result.verdict)} ({_took(result)}).",
        file=project.root / FILE,
        line=read_document(project.root).line(key),
        key=".".join(key),
        fix=f"preheat coldstart --provider {result.provider}  # says what takes the time",
    )


def _took(result: Result) -> str:
    head = result.figures[0]
    return (
        f"{human_ms(head.total_ms.p50)} to the first answer, p95 {human_ms(head.total_ms.p95)}; "
        f"an interpreter that opens the same models {human_ms(head.bare_ms)}; {result.runs} fresh processes"
    )
