"""What runs first in a local worker: `python -I -S -B -X utf8 entry.py`, its assignment as JSON on stdin.

Ships in every bundle for the local provider. Run as a script, so that nothing but the standard
library can be imported before the layers are on the path.
"""

import gc
import json
import os
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Read the assignment, take on its bounds, and become the worker or the zygote that it asks for."""
    gc.disable()  # what a start allocates stays: looking through it is lost time, until the worker is ready
    document = json.load(sys.stdin)
    with open(os.devnull) as nothing:  # noqa: PTH123 - pathlib costs a start more than the line is worth
        os.dup2(nothing.fileno(), 0)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path[:0] = [document["code"], document["dependencies"]]
    os.chdir(document["tmp"])

    from preheat.runtime.assignment import Assignment
    from preheat.runtime.confine import confine

    confine(memory_mb=document["memory_mb"], tmp_mb=document["tmp_mb"])
    assignment = Assignment.from_json(document)
    if document["zygote"]:
        from preheat.runtime.zygote import run_zygote

        run_zygote(assignment)
    from preheat.runtime.worker import run_worker

    run_worker(assignment)


if __name__ == "__main__":
    main()
