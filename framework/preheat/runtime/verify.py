"""Proof that a bundle works: `python -I -S -B -X utf8 verify.py`, one JSON object in, one out.

In: {"code", "dependencies", "weights", "name", "stage", "memory_mb", "tmp_mb", "cpus", "tmp", "only_setup"}.
Out: {"ok": true, "contract": {..., "examples", "answers"}, "phases": [{"name", "ms"}], "imported": [files]}
or {"ok": false, "phase", "message", "traceback", "hint", "mistakes": [{"message", "fix", "line", "file"}]},
where a file is relative to the code: the last thing on standard output; whatever the handler prints goes
to standard error. With "only_setup", it ends after setup and has no answers. It runs as a script in the
bundle's own interpreter, so it imports nothing of ours before the layers are on the path.
"""

import inspect
import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from preheat.interface.manifest import Manifest
    from preheat.runtime.beginning import Place
    from preheat.runtime.loader import Model
    from preheat.runtime.phases import PhaseClock, PhaseFailed


def main() -> None:
    """Verify the bundle that standard input describes; exit 0 when it works."""
    document = json.load(sys.stdin)
    answers = os.dup(1)
    os.dup2(2, 1)
    sys.path[:0] = [document["code"], document["dependencies"]]
    os.chdir(document["tmp"])
    result = verify(document)
    sys.stdout.flush()
    sys.stderr.flush()
    with open(answers, "wb") as out:  # noqa: PTH123 - a descriptor, not a path
        out.write(json.dumps(result).encode() + b"\n")
    os._exit(0 if result["ok"] else 1)  # as workers end: exit handlers are not part of the proof


def verify(document: dict[str, Any]) -> dict[str, Any]:
    """Take the handler through check, import, setup, restore, its examples and teardown."""
    from preheat.interface.manifest import read_manifest
    from preheat.runtime.assignment import read_place
    from preheat.runtime.confine import confine, time_limit
    from preheat.runtime.loader import import_model, restore, set_up
    from preheat.runtime.phases import PhaseClock, PhaseFailed

    confine(memory_mb=document["memory_mb"], tmp_mb=document["tmp_mb"])
    place = read_place({"provider": "build", "release": "0", **document})
    manifest = read_manifest(place.code)
    clock = PhaseClock()
    try:
        with time_limit(manifest.limits.setup_s):
            mistakes = _mistakes(manifest, place, clock)
            if mistakes:
                message = f"The handler {manifest.handler} is wrong."
                failed = {"ok": False, "phase": "check", "message": message, "traceback": "", "hint": None}
                return {**failed, "mistakes": mistakes}
            model = import_model(place, manifest, clock)
            set_up(model, clock)
            if not document["only_setup"]:
                restore(model, clock)
        examples: list[Any] = []
        answers: list[Any] = []
        if not document["only_setup"]:
            examples, answers = _run(model, clock, document["memory_mb"])
            with clock.phase("teardown"):
                model.handler.teardown(model.context)
    except PhaseFailed as failure:
        return _failed(failure, manifest, place, document["memory_mb"])
    return {
        "ok": True,
        "contract": {**model.contract.document(), "examples": examples, "answers": answers},
        "phases": [{"name": phase.name, "ms": phase.ms} for phase in clock.phases],
        "imported": _imported(),
    }


def _imported() -> list[str]:
    """Return the files of the modules that were imported, so that the build sees where each came from."""
    files = [
        vars(module).get("__file__") for module in list(sys.modules.values()) if hasattr(module, "__dict__")
    ]
    return sorted({file for file in files if isinstance(file, str)})


def _mistakes(manifest: "Manifest", place: "Place", clock: "PhaseClock") -> list[dict[str, Any]]:
    from preheat.interface.check import check_handler
    from preheat.interface.importing import import_handler

    with clock.phase("import"):
        handler = import_handler(manifest.handler).typed(place.context(manifest))
    source = os.path.relpath(str(sys.modules[handler.__module__].__file__), place.code)
    return [
        {"message": mistake.message, "fix": mistake.fix, "line": mistake.line, "file": source}
        for mistake in check_handler(handler)
    ]


def _failed(failure: "PhaseFailed", manifest: "Manifest", place: "Place", memory_mb: int) -> dict[str, Any]:
    """Return what is told of `failure`; of an example that does not fit, with the method that is to blame."""
    from preheat.interface.importing import import_handler
    from preheat.interface.mistake import line_of
    from preheat.runtime.examples import ExampleFailed

    answer = {"ok": False, "phase": failure.phase, "mistakes": [], "hint": failure.hint}
    unfit = failure.__cause__
    if isinstance(unfit, MemoryError):
        message = f"The handler ran out of memory in {failure.phase}: it has {memory_mb} MB."
        hint = f"memory_mb = {2 * memory_mb}  # in [resources]"
        return {**answer, "message": message, "traceback": failure.traceback, "hint": hint}
    if not isinstance(unfit, ExampleFailed) or failure.traceback:
        return {**answer, "message": failure.message, "traceback": failure.traceback}
    blamed = getattr(import_handler(manifest.handler), unfit.method)
    source = os.path.relpath(inspect.unwrap(blamed).__code__.co_filename, place.code)
    mistake = {"message": failure.message, "fix": failure.hint, "line": line_of(blamed), "file": source}
    message = f"The handler {manifest.handler} does not fit its own examples."
    return {**answer, "message": message, "traceback": "", "hint": None, "mistakes": [mistake]}


def _run(model: "Model", clock: "PhaseClock", memory_mb: int) -> tuple[list[Any], list[Any]]:
    """Run the examples with the model on this thread and the event loop on another, as in a worker."""
    import asyncio
    import threading

    from preheat.runtime.engine import ModelEngine
    from preheat.runtime.examples import run_examples
    from preheat.runtime.log import log_to_stderr
    from preheat.runtime.model_thread import ModelThread
    from preheat.runtime.phases import PhaseFailed

    events: list[dict[str, Any]] = []

    def log(event: dict[str, Any]) -> None:
        events.append(event)
        log_to_stderr(event)

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    model_thread = ModelThread()

    async def drive(examples: list[Any]) -> tuple[list[Any], list[Any]]:
        engine = ModelEngine(model, model_thread, memory_mb=memory_mb, log=log)
        return await run_examples(engine, model.contract, examples, logged=events)

    try:
        with clock.phase("examples"):
            done = asyncio.run_coroutine_threadsafe(drive(list(model.handler.examples())), loop)
            done.add_done_callback(lambda _: model_thread.shutdown())
            model_thread.run(model.contract.threads)
            return done.result()
    except PhaseFailed as failure:
        if events:  # the answer of a failed request has no traceback; the log has
            failure.traceback = events[-1].get("traceback", failure.traceback)
        raise


if __name__ == "__main__":
    main()
