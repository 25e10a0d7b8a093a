"""Makes the session of a model as onnxruntime does by itself, or ours of its tuned folder, and times it.

`sessions.py default|ours|steady MODEL FOLDER` writes JSON: how many milliseconds making it took, or what one
call takes of each in turn, once ours has swapped.
"""

import json
import statistics
import sys
import time

import numpy as np
import onnxruntime

from preheat.interface.starting import START
from preheat_handlers.onnx import open_session

RUNS = 300
TOKENS = 12

what, model, folder = sys.argv[1:]


def default() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options)


def steady() -> dict[str, float]:
    ids = np.arange(1000, 1000 + TOKENS, dtype=np.int64)[None]
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    theirs, ours = default(), open_session(folder)
    START.settled = True
    first, swap = ours.onnx, ours.swap
    before = ours.run(None, feeds)
    if swap is not None and swap.thread is not None:
        swap.thread.join()
        assert ours.onnx is not first
    after, original = ours.run(None, feeds), theirs.run(None, feeds)
    spent: dict[str, list[float]] = {"default": [], "ours": []}
    for _ in range(RUNS):
        for name, session in (("default", theirs), ("ours", ours)):
            begun = time.perf_counter()
            session.run(None, feeds)
            spent[name].append((time.perf_counter() - begun) * 1000)
    apart = {"swap": before, "default": original}
    return {name: statistics.median(figures) for name, figures in spent.items()} | {
        f"deviation from {name}": float(np.abs(other[0] - after[0]).max() / np.abs(other[0]).max())
        for name, other in apart.items()
    }


begun = time.perf_counter()
if what == "steady":
    found = steady()
elif what == "default":
    session = default()
    found = {"ms": (time.perf_counter() - begun) * 1000}
else:
    session = open_session(folder)
    found = {"ms": (time.perf_counter() - begun) * 1000}
sys.stdout.write(json.dumps(found) + "\n")
