"""The same embedding service as most people would write it: FastAPI, a default session, one file."""

import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from tokenizers import Tokenizer

model, tokenizer_file, port = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
tokenizer = Tokenizer.from_file(tokenizer_file)
tokenizer.no_padding()
app = FastAPI()


class Query(BaseModel):
    text: str


@app.post("/invocations")
def predict(query: Query) -> dict[str, list[float]]:
    encoded = tokenizer.encode(query.text)
    ids = np.array([encoded.ids], dtype=np.int64)
    mask = np.array([encoded.attention_mask], dtype=np.int64)
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (hidden,) = session.run(["last_hidden_state"], feeds)
    mean = hidden[0].mean(axis=0)
    return {"vector": (mean / np.linalg.norm(mean)).tolist()}


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
