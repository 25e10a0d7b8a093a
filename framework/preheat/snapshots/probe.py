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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from preheat.runtime.loader import Model
    from preheat.runtime.phases import PhaseClock

COPIES = 2


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
    setup = {
        "threads": threads(),
        "opened": sorted(opened.split(" ", 1)[1] for opened in open_files() - before),
        "found": [*touched, *(item.document() for item in held(model.handler, document["code"]).items)],
    }
    copies = [] if document["only_setup"] else [copy(model, clock, document, window) for _ in range(COPIES)]
    return {"ok": True, "setup": setup, "copies": copies}


def threads() -> list[str]:
    """Return the names of this process's threads but the main one."""
    own = str(os.getpid())
    names = []
    for task in os.listdir("/proc/self/task"):  # noqa: PTH208 - no pathlib here
        if task != own:
            with open(f"/proc/self/task/{task}/comm") as comm:  # noqa: PTH123
                names.append(comm.read().strip())
    return sorted(names)


def copy(model: "Model", clock: "PhaseClock", document: dict[str, Any], window: Any) -> dict[str, Any]:
    """Fork a copy, run restore there, and return what it holds then."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(restored(model, clock, document["code"], window)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    told = b""
    deadline = time.monotonic() + document["restore_limit_s"]
    with open(reading, "rb", buffering=0) as answer:  # noqa: PTH123 - a descriptor
        while select.select([answer], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = answer.read(1 << 16)
            if not part:
                break
            told += part
        else:
            os.kill(child, 9)
    os.waitpid(child, 0)
    if not told:
        return {"failed": f"it did not end within {document['restore_limit_s']:g} s, or ended the process."}
    answer_document: dict[str, Any] = json.loads(told)
    return answer_document


def restored(model: "Model", clock: "PhaseClock", code: str, window: Any) -> dict[str, Any]:
    """Run restore and return how long it took and digests of what is there."""
    from preheat.runtime.loader import restore
    from preheat.runtime.phases import PhaseFailed
    from preheat.snapshots.graph import held

    begun = time.perf_counter()
    try:
        restore(model, clock)
    except PhaseFailed as failure:
        return {"failed": failure.message}
    took_ms = (time.perf_counter() - begun) * 1000
    values = {value.path: value.document(window) for value in held(model.handler, code).values}
    return {"restore_ms": took_ms, "values": values}


if __name__ == "__main__":
    main()
