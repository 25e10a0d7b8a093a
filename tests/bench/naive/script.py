"""The same computation with no server at all: one sentence in, one vector out, default settings."""

import json
import sys

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

model, tokenizer_file, text = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
tokenizer = Tokenizer.from_file(tokenizer_file)
tokenizer.no_padding()
encoded = tokenizer.encode(text)
ids = np.array([encoded.ids], dtype=np.int64)
mask = np.array([encoded.attention_mask], dtype=np.int64)
feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
(hidden,) = session.run(["last_hidden_state"], feeds)
mean = hidden[0].mean(axis=0)
sys.stdout.write(json.dumps({"vector": (mean / np.linalg.norm(mean)).tolist()}))
