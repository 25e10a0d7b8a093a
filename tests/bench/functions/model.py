"""Writes a model again as float32, by onnxruntime itself: `model.py SOURCE OUT [DATA]`.

The int8 model that examples/embeddings has is dequantised whenever a session is made of it; here that is done
once, and nothing else. DATA names the file beside OUT that takes the weights; without it they are in OUT.
"""

import sys

import onnxruntime

source, out, *data = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
options.optimized_model_filepath = out
if data:
    prefix = "session.optimized_model_external_initializers"
    options.add_session_config_entry(f"{prefix}_file_name", data[0])
    options.add_session_config_entry(f"{prefix}_min_size_in_bytes", "1024")
onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
