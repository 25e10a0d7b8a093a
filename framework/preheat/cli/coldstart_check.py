"""What `preheat check --coldstart` finds: a budget of preheat.toml that a measurement does not keep."""

from preheat.bundle.model import Bundle
from preheat.cli.coldstart_views import verdict_text
from preheat.cli.text import human_ms
from preheat.coldstart.measuring import Asked, measure
from preheat.coldstart.subject import rehearses, subject_of
from preheat.findings import Finding
from preheat.progress import Report
from preheat.project.document import FILE, read_document
from preheat.project.model import Project
from preheat.provider.protocol import Provider

SUGGESTED = "[coldstart]\nratio = {ratio:.1f}"
ROOM = 1.2
"""What a budget that we suggest leaves for a slower day."""


def budget_findings(
    bundle: Bundle, project: Project, provider: Provider, report: Report
) -> tuple[Finding, ...]:
    """Measure `bundle` and return what is wrong with its start. Raises PreheatError where it fails."""
    subject = subject_of(bundle, project, rehearses(provider))
    result = measure(subject, Asked(savings=False), report=report)
    head = result.figures[0]
    took = f"{human_ms(head.total_ms.p50)} to the first answer, p95 {human_ms(head.total_ms.p95)}"
    bare = f"an interpreter that opens the same models {human_ms(head.bare_ms)}"
    if result.verdict is None:
        return (
            Finding(
                message=f"There is no budget to check in [coldstart]. Measured: {took}; {bare}.",
                file=project.root / FILE,
                key="coldstart",
                fix=SUGGESTED.format(ratio=head.ratio * ROOM),
            ),
        )
    if result.verdict.kept:
        return ()
    key = ("coldstart", result.verdict.key)
    return (
        Finding(
            message=f"{verdict_text(result.verdict)} ({took}; {bare}; {result.runs} fresh processes).",
            file=project.root / FILE,
            line=read_document(project.root).line(key),
            key=".".join(key),
            fix=f"preheat coldstart --provider {provider.name}  # says what takes the time",
        ),
    )
