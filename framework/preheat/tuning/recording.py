"""The real inputs of a model: the handler runs its examples, and what it feeds its sessions is kept.

Runs the bundle in its own interpreter, as the build's last step does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.bundle.apart import run_apart
from preheat.bundle.interpreter import Interpreter
from preheat.bundle.model import Bundle
from preheat.bundle.verify import SPARE_S
from preheat.errors import TuningError
from preheat.project.model import Project
from preheat.tuning.child import START
from preheat.tuning.subject import Subject

READY_MADE = "preheat_handlers.onnx:"
EXAMPLES = "def examples(self) -> list[Query]:\n    return [Query(...)]  # what callers send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What the sessions of one model were fed. `asked` is the file and line of the user that made them.

    `by_loader` says whether they were opened by preheat_handlers.onnx, which understands tuned folders, and
    `varied` whether any input had more than one value, as real ones have.
    """

    calls: tuple[Mapping[str, Any], ...]
    asked: str | None
    by_loader: bool
    varied: bool
    providers: tuple[str, ...]


def record(
    project: Project, bundle: Bundle, subject: Subject, interpreter: Interpreter, *, tmp: Path, folder: Path
) -> Recording:
    """Run the handler's examples and return what the model was fed; the arrays go to `folder`.

    `tmp` is an empty folder. Raises VerifyFailed as a build does, TuningError where nothing was fed.
    """
    layers = {layer.name: layer for layer in bundle.layers}
    limit_s = project.limits.setup_s + project.limits.timeout_s + SPARE_S
    answer = run_apart(
        project,
        layers,
        interpreter,
        START,
        tmp=tmp,
        limit_s=limit_s,
        task="record",
        path=[str(layers["code"].path), str(layers["dependencies"].path)],
        model_sha256=subject.model_sha256,
        calls=str(folder),
    )["answer"]
    verified = answer["verified"]
    if verified is not None and not verified["ok"]:
        raise TuningError(f"{verified['message']}\n{verified['traceback']}".rstrip(), hint=verified["hint"])
    examples = 0 if verified is None else len(verified["contract"]["examples"])
    return select(answer["sessions"], subject.name, handler=project.handler, examples=examples)


def select(sessions: Sequence[Mapping[str, Any]], weights: str, *, handler: str, examples: int) -> Recording:
    """Return the calls of the sessions of `weights`. Raises TuningError where there are none."""
    if not sessions:
        raise TuningError(
            f"{handler} makes no session of onnxruntime, and preheat tune tunes nothing else.",
            hint=f'self.session = onnxruntime.InferenceSession(ctx.weights["{weights}"])   # in setup',
        )
    ours = [session for session in sessions if session["weights"] == weights]
    if not ours:
        others = sorted({str(session["weights"] or session["path"] or "bytes") for session in sessions})
        raise TuningError(
            f"{handler} makes {len(sessions)} sessions, none of them of weights.{weights} but of "
            f"{', '.join(others)}.",
            hint=f'self.session = onnxruntime.InferenceSession(ctx.weights["{weights}"])   # in setup',
        )
    calls = [call for session in ours for call in session["calls"]]
    if not calls:
        nothing = f"never runs the session of {weights} in its examples" if examples else "has no examples()"
        raise TuningError(
            f"{handler} {nothing}, so there is no real input to measure and to compare with.",
            hint=EXAMPLES,
        )
    return Recording(
        calls=tuple(calls),
        asked=ours[0]["asked"],
        by_loader=ours[0]["by_loader"],
        varied=any(session["varied"] for session in ours),
        providers=tuple(ours[0]["providers"]),
    )


def require_real_inputs(recording: Recording, weights: str, *, handler: str) -> None:
    """See that answers to what was recorded can tell a good model from a bad one. Raises TuningError.

    Of an input of zeros, which OnnxHandler makes up where nobody says what an input is, products are zero
    whatever the weights are: every variant would pass for identical.
    """
    if not recording.varied:
        raise TuningError(
            f"The examples of {handler} feed {weights} one value throughout, as in an input of zeros: "
            "answers to that do not show what fewer bits or fused operators change.",
            hint=_examples_for(recording) if handler.startswith(READY_MADE) else EXAMPLES,
        )


def _examples_for(recording: Recording) -> str:
    """Return a handler to paste, whose example has the inputs of the model."""
    names = recording.calls[0]["names"]
    inputs = ", ".join(f'"{name}": numpy.load(HERE / "{name}.npy")' for name in names)
    return (
        '# handler.py; in preheat.toml: handler = "handler:Model"\n'
        "from pathlib import Path\n\nimport numpy\n\nfrom preheat_handlers.onnx import OnnxHandler\n\n"
        "HERE = Path(__file__).parent\n\n\nclass Model(OnnxHandler):\n    def examples(self):\n"
        f"        return [{{{inputs}}}]  # what callers send, by numpy.save"
    )
