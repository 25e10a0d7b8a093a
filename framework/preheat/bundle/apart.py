"""The user's code in a process of its own: the bundle's interpreter, one JSON object in, one out.

Starts that process and nothing else. The developer's environment does not reach it: no site
packages, no variables but a few, an empty home.
"""

import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from preheat.bundle.interpreter import Interpreter
from preheat.bundle.model import Layer, LayerName
from preheat.bundle.script import Ended, run_script
from preheat.errors import BundleError
from preheat.findings import Finding
from preheat.interface.threads import library_environment
from preheat.project.model import Project

INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "https_proxy",
    "http_proxy",
    "no_proxy",
)


class VerifyFailed(BundleError):
    """The handler failed on its own examples. `traceback` is text from the other process."""

    def __init__(
        self,
        phase: str,
        message: str,
        traceback: str,
        *,
        hint: str | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(f"{message}\n{traceback}".rstrip(), hint=hint, findings=findings)
        self.phase = phase
        self.traceback = traceback


def run_apart(
    project: Project,
    layers: Mapping[LayerName, Layer],
    interpreter: Interpreter,
    script: Path,
    *,
    tmp: Path,
    limit_s: float,
    **more: object,
) -> dict[str, Any]:
    """Run `script` over `layers` and return its answer. `tmp` is an empty folder. Raises VerifyFailed.

    Without the GPU that the project asks for, it is told to end after setup, which touches none.
    """
    document: dict[str, object] = {
        "code": str(layers["code"].path),
        "dependencies": str(layers["dependencies"].path),
        "weights": str(layers["weights"].path),
        "name": project.name,
        "stage": project.stage,
        "memory_mb": project.resources.memory_mb,
        "tmp_mb": project.resources.tmp_mb,
        "cpus": project.resources.cpu,
        "tmp": str(tmp),
        "only_setup": lacks_gpu(project),
        **more,
    }
    try:
        ended = run_script(
            interpreter,
            script,
            document,
            variables=environment(project, tmp),
            folder=tmp,
            limit_s=limit_s,
        )
    except TimeoutError as exc:
        raise VerifyFailed(
            "verification",
            f"The handler did not get through its examples within {limit_s:g} s.",
            "",
            hint="Make setup faster, or raise setup_s under [limits] or timeout_s under [resources].",
        ) from exc
    if ended.code == -signal.SIGALRM:
        setup_s = project.limits.setup_s
        message = f"setup took longer than setup_s, which is {setup_s:g} s."
        raise VerifyFailed("setup", message, "", hint=f"setup_s = {2 * setup_s:g}  # in [limits]")
    answer = _answer(ended)
    if not answer["ok"]:
        raise _failure(answer, project, layers["code"])
    return answer


def lacks_gpu(project: Project, devices: Path = Path("/dev")) -> bool:
    """Say whether `project` asks for a GPU and this machine has none."""
    return project.resources.gpu is not None and not any(devices.glob("nvidia[0-9]*"))


def environment(project: Project, tmp: Path) -> dict[str, str]:
    """Return the variables of the process: few of ours, the project's own, the secrets at hand."""
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "HOME": str(tmp),
        "TMPDIR": str(tmp),
        **library_environment(max(1, int(project.resources.cpu))),
        **project.env,
        **_secrets(project),
    }


def _secrets(project: Project) -> dict[str, str]:
    found = {}
    for name, reference in project.secrets.items():
        kind, _, place = reference.partition(":")
        if kind == "env" and place in os.environ:
            found[name] = os.environ[place]
        elif kind == "file" and (path := project.root / Path(place).expanduser()).is_file():
            found[name] = path.read_text(encoding="utf-8").strip()
    return found


def _answer(ended: Ended) -> dict[str, Any]:
    if ended.last_line is None:
        raise VerifyFailed("verification", f"The handler failed: {_died(ended)}", ended.told)
    try:
        answer: dict[str, Any] = json.loads(ended.last_line)
    except ValueError as exc:
        message = "The handler's process wrote something else than its answer."
        raise VerifyFailed("verification", message, ended.output[-1000:]) from exc
    return answer


def _died(ended: Ended) -> str:
    return f"the process {ended.how}{' and no answer' if ended.code >= 0 else ''}."


def _failure(answer: Mapping[str, Any], project: Project, code: Layer) -> VerifyFailed:
    """Return the failure in terms of the project's own files, of which the layer holds copies."""
    traceback = answer["traceback"].replace(f'"{code.path}/', '"')
    findings = [_finding(mistake, project) for mistake in answer["mistakes"]]
    return VerifyFailed(answer["phase"], answer["message"], traceback, hint=answer["hint"], findings=findings)


def _finding(mistake: Mapping[str, Any], project: Project) -> Finding:
    """Return a mistake with its place, unless that is in the file of a package."""
    file = project.root / mistake["file"]
    if not file.is_file():
        return Finding(message=mistake["message"], fix=mistake["fix"])
    return Finding(message=mistake["message"], file=file, line=mistake["line"], fix=mistake["fix"])
