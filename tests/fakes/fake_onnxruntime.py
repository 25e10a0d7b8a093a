"""A package called onnxruntime that opens files and counts, laid where a bundle has its packages."""

from pathlib import Path

COLLECTION = """
import json, os


class SessionOptions:
    def __init__(self):
        self.intra_op_num_threads = 0
        self.graph_optimization_level = 99
        self.optimized_model_filepath = ""
        self.entries = {}

    def add_session_config_entry(self, name, value):
        self.entries[name] = value


class InferenceSession:
    def __init__(self, path_or_bytes, sess_options=None, providers=None, provider_options=None, **named):
        sess_options = sess_options or SessionOptions()
        self.threads = sess_options.intra_op_num_threads
        sum(range(200_000))
        with open(path_or_bytes, "rb") as file:
            self.model = file.read()
        if sess_options.optimized_model_filepath:
            with open(sess_options.optimized_model_filepath, "wb") as file:
                file.write(self.model)
"""
INIT = """
from onnxruntime.capi.onnxruntime_inference_collection import InferenceSession, SessionOptions


class GraphOptimizationLevel:
    ORT_DISABLE_ALL, ORT_ENABLE_EXTENDED = 0, 2
"""


def lay_onnxruntime(folder: Path) -> None:
    """Write the package into `folder`."""
    package = folder / "onnxruntime" / "capi"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text(INIT)
    (package / "__init__.py").touch()
    (package / "onnxruntime_inference_collection.py").write_text(COLLECTION)
