"""The embedding function as FastAPI behind Mangum: default session, imports as in the examples."""

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel
from tokenizers import Tokenizer

session = onnxruntime.InferenceSession(os.environ["MODEL"])
tokenizer = Tokenizer.from_file(os.environ["TOKENIZER"])
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


handler = Mangum(app, lifespan="off")
