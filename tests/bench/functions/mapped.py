"""Writes a model as `preheat tune` bakes it: optimised once, its weights apart: `mapped.py SOURCE FOLDER`."""

import sys

import onnxruntime

source, folder = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
options.optimized_model_filepath = f"{folder}/model.onnx"
prefix = "session.optimized_model_external_initializers"
options.add_session_config_entry(f"{prefix}_file_name", "model.data")
options.add_session_config_entry(f"{prefix}_min_size_in_bytes", "1024")
onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
