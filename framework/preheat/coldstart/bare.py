"""The reference: an interpreter, and a session of each model. One JSON object in, one out.

In, on standard input: {"path": [FOLDER], "models": [FILE], "threads": N, "make": FOLDER or null}. A session
gets so many threads, and is otherwise as onnxruntime makes it. With "make", the models are written there
instead: optimised, their weights in files that onnxruntime maps.
Out, on the descriptor of its argument: {"import_ms", "session_ms"}.
It runs in the bundle's own Python with its packages, and ships in no bundle.
"""

import json
import os
import sys
import time
from typing import Any

LEAST_OUTSIDE_BYTES = "1024"
"""Smaller weights stay in the graph's own file."""
OUTSIDE = "session.optimized_model_external_initializers"


def main() -> None:
    """Do what standard input says."""
    asked = json.load(sys.stdin)
    sys.path[:0] = asked["path"]
    begun = time.perf_counter()
    if asked["models"]:
        import onnxruntime  # noqa: F401 - its import is timed apart from the sessions
    after_import = time.perf_counter()
    for number, model in enumerate(asked["models"]):
        if asked["make"]:
            make(model, os.path.join(asked["make"], str(number)))  # noqa: PTH118 - no pathlib here
        else:
            open_session(model, asked["threads"])
    told = {
        "import_ms": (after_import - begun) * 1000,
        "session_ms": (time.perf_counter() - after_import) * 1000,
    }
    os.write(int(sys.argv[1]), json.dumps(told).encode() + b"\n")


def open_session(model: str, threads: int) -> None:
    """Open a session as usual."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def make(model: str, into: str) -> None:
    """Write `model` optimised into the folder `into`, its weights in a file of their own."""
    import onnxruntime

    os.makedirs(into)  # noqa: PTH103 - no pathlib here
    options: Any = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = os.path.join(into, "model.onnx")  # noqa: PTH118
    options.add_session_config_entry(f"{OUTSIDE}_file_name", "model.data")
    options.add_session_config_entry(f"{OUTSIDE}_min_size_in_bytes", LEAST_OUTSIDE_BYTES)
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main()
