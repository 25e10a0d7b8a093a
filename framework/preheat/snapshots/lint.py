"""`preheat check --snapshot`: runs setup twice, and copies of it, in the bundle's interpreter, and judges.

Starts those processes and nothing else; they see of this machine what the build's own run sees.
"""

import tempfile
from functools import partial
from pathlib import Path

from preheat.bundle.apart import run_apart
from preheat.bundle.interpreter import find_interpreter, runs_here
from preheat.bundle.model import Bundle
from preheat.errors import BundleError
from preheat.findings import Finding
from preheat.progress import Report, Step
from preheat.project.model import Project
from preheat.snapshots.judge import RESTORE_LIMIT_S, judge
from preheat.snapshots.place import place_in
from preheat.snapshots.probe import COPIES

SCRIPT = Path(__file__).parent / "probe.py"
STAGE = "snapshot"
RUNS = 2
"""What differs between them was made by setup: see judge."""
SPARE_S = 10.0
"""What starting the interpreter may take, and what restore may take beyond its limit, to be measured."""


def lint(project: Project, bundle: Bundle, *, report: Report) -> tuple[Finding, ...]:
    """Return what a snapshot of the handler would freeze. Raises BundleError where it cannot run here.

    Without the GPU that the project asks for, restore does not run, and only setup is judged.
    """
    interpreter = find_interpreter(bundle.target.python)
    if interpreter is None or not runs_here(bundle.target):
        target = f"Python {bundle.target.python} on {bundle.target.platform}"
        raise BundleError(
            f"The bundle is for {target}, which this machine is not, so no snapshot can be tried.",
            hint=f"uv python install {bundle.target.python}"
            if interpreter is None
            else "preheat check --snapshot  # without --provider: for this machine",
        )
    restore_limit_s = RESTORE_LIMIT_S + SPARE_S
    answers = []
    with tempfile.TemporaryDirectory(prefix="preheat-snapshot-") as tmp:
        for number in range(1, RUNS + 1):
            report(Step(STAGE, f"running setup, {number} of {RUNS}, and restore in {COPIES} copies of it"))
            answers.append(
                run_apart(
                    project,
                    {layer.name: layer for layer in bundle.layers},
                    interpreter,
                    SCRIPT,
                    tmp=Path(tmp),
                    limit_s=project.limits.setup_s + COPIES * restore_limit_s + SPARE_S,
                    restore_limit_s=restore_limit_s,
                )
            )
    first, second = answers
    return judge(first, second, partial(place_in, project))
