"""Setup, two forked copies, restore in each: what they hold. One JSON object in, one out; it ships nowhere.

In: as for preheat/runtime/verify.py, with "restore_limit_s". Out: {"ok": true, "setup": {"threads": [name],
"opened": [target], "found": [{"path", "kind", "what"}]}, "copies": [{"restore_ms", "values": {path:
{"kind", "digest"}}} or {"failed": why}]}, or {"ok": false, "phase", "message", "traceback", "hint",
"mistakes"}. No value of the handler's is told, only a digest. It runs in the bundle's own interpreter.
"""

import json
import os
import select
import sys
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from preheat.runtime.loader import Model
    from preheat.runtime.phases import PhaseClock
    from preheat.snapshots.values import Value, Window

COPIES = 2
UNREAD = "What the handler holds after restore cannot be looked at."


def main() -> None:
    """Look at the bundle that standard input describes."""
    document = json.load(sys.stdin)
    answers = os.dup(1)
    os.dup2(2, 1)
    sys.path[:0] = [document["code"], document["dependencies"]]
    os.chdir(document["tmp"])
    import preheat

    # What is not in the bundle, such as this module's neighbours, comes from where this file lies.
    preheat.__path__.append(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120 - no pathlib here
    result = look(document)
    with open(answers, "wb") as out:  # noqa: PTH123 - a descriptor, not a path
        out.write(json.dumps(result).encode() + b"\n")
    os._exit(0)


def look(document: dict[str, Any]) -> dict[str, Any]:
    """Run setup, and restore in each copy."""
    from preheat.interface.manifest import read_manifest
    from preheat.runtime.assignment import read_place
    from preheat.runtime.confine import time_limit
    from preheat.runtime.forking import open_files
    from preheat.runtime.loader import import_model, set_up
    from preheat.runtime.phases import PhaseClock, PhaseFailed
    from preheat.snapshots.gpu import watch_gpu
    from preheat.snapshots.graph import held
    from preheat.snapshots.values import kind_of

    place = read_place({"provider": "build", "release": "0", **document})
    manifest = read_manifest(place.code)
    before, clock, touched = open_files(), PhaseClock(), watch_gpu()
    began = (time.time(), time.monotonic())
    try:
        with time_limit(manifest.limits.setup_s):
            model = import_model(place, manifest, clock)
            set_up(model, clock)
    except PhaseFailed as failure:
        told = {"phase": failure.phase, "message": failure.message, "traceback": failure.traceback}
        return {"ok": False, **told, "hint": failure.hint, "mistakes": []}
    window = (began, (time.time(), time.monotonic()))
    holds = held(model.handler, document["code"])
    setup = {
        "threads": threads(),
        "opened": sorted(opened.split(" ", 1)[1] for opened in open_files() - before),
        "found": [*touched, *(item.document() for item in holds.items)],
    }
    days = [value for value in holds.values if kind_of(value.value, window) == "day"]
    runs = 0 if document["only_setup"] else COPIES
    there = partial(restored, model, clock, document["code"], window, days)
    copies = [copy(there, document["restore_limit_s"]) for _ in range(runs)]
    unread = next((each["unread"] for each in copies if "unread" in each), None)
    if unread is not None:
        told = {"phase": "snapshot", "message": UNREAD, "traceback": unread}
        return {"ok": False, **told, "hint": None, "mistakes": []}
    return {"ok": True, "setup": setup, "copies": copies}


def threads() -> list[str]:
    """Return the names of this process's threads but the main one."""
    own = str(os.getpid())
    names = []
    for task in os.listdir("/proc/self/task"):  # noqa: PTH208 - no pathlib here
        if task != own:
            try:
                with open(f"/proc/self/task/{task}/comm") as comm:  # noqa: PTH123
                    names.append(comm.read().strip())
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended by now
    return sorted(names)


def copy(look_there: "Callable[[], dict[str, Any]]", limit_s: float) -> dict[str, Any]:
    """Fork a copy, and return what `look_there` finds in it; what that raises is `unread`."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(_or_unread(look_there)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    told = b""
    deadline = time.monotonic() + limit_s
    with open(reading, "rb", buffering=0) as answer:  # noqa: PTH123 - a descriptor
        while select.select([answer], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = answer.read(1 << 16)
            if not part:
                break
            told += part
        else:
            os.kill(child, 9)
    os.waitpid(child, 0)
    try:
        answer_document: dict[str, Any] = json.loads(told)
    except ValueError:  # nothing, or a part of it
        return {"failed": f"it did not end within {limit_s:g} s, or ended the process."}
    return answer_document


def _or_unread(look_there: "Callable[[], dict[str, Any]]") -> dict[str, Any]:
    try:
        return look_there()
    except Exception:  # noqa: BLE001 - an object of the user's may raise anything when it is looked at
        return {"unread": traceback.format_exc()}


def restored(
    model: "Model", clock: "PhaseClock", code: str, window: "Window", days: "Sequence[Value]"
) -> dict[str, Any]:
    """Run restore and return how long it took and digests of what is there.

    A day that is none of `days`, those of setup, was made by restore and is left out.
    """
    from preheat.runtime.loader import restore
    from preheat.runtime.phases import PhaseFailed
    from preheat.snapshots.graph import held

    begun = time.perf_counter()
    try:
        restore(model, clock)
    except PhaseFailed as failure:
        return {"failed": failure.message}
    took_ms = (time.perf_counter() - begun) * 1000
    kept = {id(day.value) for day in days}
    values = {
        value.path: told
        for value in held(model.handler, code).values
        if (told := value.document(window))["kind"] != "day" or id(value.value) in kept
    }
    return {"restore_ms": took_ms, "values": values}


if __name__ == "__main__":
    main()
