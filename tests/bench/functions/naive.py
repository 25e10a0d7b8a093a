"""The embedding function as most people write it: default session, the AWS SDK at the top."""

import json
import os
from typing import Any

import boto3  # noqa: F401 - what most examples begin with, needed or not
import numpy as np
import onnxruntime
from tokenizers import Tokenizer

session = onnxruntime.InferenceSession(os.environ["MODEL"])
tokenizer = Tokenizer.from_file(os.environ["TOKENIZER"])
tokenizer.no_padding()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    encoded = tokenizer.encode(json.loads(event["body"])["text"])
    ids = np.array([encoded.ids], dtype=np.int64)
    mask = np.array([encoded.attention_mask], dtype=np.int64)
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (hidden,) = session.run(["last_hidden_state"], feeds)
    mean = hidden[0].mean(axis=0)
    vector = (mean / np.linalg.norm(mean)).tolist()
    return {"statusCode": 200, "body": json.dumps({"vector": vector})}
