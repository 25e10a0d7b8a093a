"""Runs one task in a process of its own: `python -I -S -B -X utf8 start.py`, one JSON object in, one out.

In: {"task", "path": [folders to import from], "tmp": folder, ...}, whose rest the task reads. Out, last on
standard output: {"ok": true, "answer": {...}} or {"ok": false, "message", "traceback", ...}. Whatever else
writes to standard output reaches standard error.
"""

import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any


def main() -> None:
    """Run the task that standard input names."""
    document = json.load(sys.stdin)
    answers = os.dup(1)
    os.dup2(2, 1)
    sys.path[:0] = document["path"]
    os.chdir(document["tmp"])
    try:
        result = {"ok": True, "answer": run(document)}
    except BaseException as exc:  # noqa: BLE001 - the cause must reach the other process, whatever it is
        text = f"{type(exc).__name__}: {exc}"
        failed = {"ok": False, "phase": document["task"], "message": text, "hint": None, "mistakes": []}
        result = {**failed, "traceback": traceback.format_exc()}
    sys.stdout.flush()
    sys.stderr.flush()
    with open(answers, "wb") as out:  # noqa: PTH123 - a descriptor, not a path
        out.write(json.dumps(result).encode() + b"\n")
    os._exit(0 if result["ok"] else 1)  # threads of native libraries have nothing to say any more


def run(document: dict[str, Any]) -> dict[str, Any]:
    """Import the module of the task, which lies beside this one, and return what its `run` answers."""
    file = Path(__file__).with_name(f"{document['task']}.py")
    spec = importlib.util.spec_from_file_location(f"preheat_trial_{document['task']}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    answer: dict[str, Any] = module.run(document)
    return answer


if __name__ == "__main__":
    main()
