"""A decoder in ONNX with a cache of keys and values, by the names that `optimum-cli export onnx` gives.

In: `input_ids` and `position_ids` (rows, new), `attention_mask` (rows, past + new), all int64, and
`past_key_values.N.key` and `.value` (rows, heads, past, width). Out: `logits` (rows, new, tokens), and the
cache with the new tokens as `present.N.key` and `.value`, which stays on the device from step to step.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Device = Literal["cpu", "cuda"]
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def open_session(model: bytes, device: Device) -> Any:
    """Return a session of `model` on `device`. Raises RuntimeError where onnxruntime took another one."""
    if device == "cuda":
        onnxruntime.preload_dlls()  # CUDA's libraries, from packages beside it
    options = onnxruntime.SessionOptions()
    # One thread: a process with running threads cannot be forked into ready workers.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=[PROVIDERS[device]])
    if session.get_providers()[0] != PROVIDERS[device]:
        raise RuntimeError(f"onnxruntime runs on {session.get_providers()[0]} here, and DEVICE is {device}")
    return session


class Decoder:
    """A session, and the shape of its cache: (name, heads, width) of each part."""

    def __init__(self, session: Any, device: Device) -> None:
        self.session = session
        self.device = device
        self.caches = tuple(
            (each.name.removeprefix("past_key_values"), each.shape[1], each.shape[3])
            for each in session.get_inputs()
            if each.name.startswith("past_key_values.")
        )

    def start(self, texts: Sequence[Sequence[int]]) -> "Rows":
        """Begin to decode `texts` together."""
        return Rows(self, texts)


class Rows:
    """Texts that are decoded together, one row each, padded on the left to the longest."""

    def __init__(self, decoder: Decoder, texts: Sequence[Sequence[int]]) -> None:
        self._decoder = decoder
        longest = max(map(len, texts))
        self._tokens = np.array([[0] * (longest - len(text)) + list(text) for text in texts], np.int64)
        self._mask = np.array([[0] * (longest - len(text)) + [1] * len(text) for text in texts], np.int64)
        self._cache: dict[str, Any] = {}

    def step(self) -> NDArray[np.float32]:
        """Return the logits of what comes next, (rows, tokens)."""
        binding = self._decoder.session.io_binding()
        rows, new = self._tokens.shape
        positions = np.maximum(self._mask.cumsum(axis=1) - 1, 0)[:, -new:]
        binding.bind_cpu_input("input_ids", self._tokens)
        binding.bind_cpu_input("position_ids", np.ascontiguousarray(positions))
        binding.bind_cpu_input("attention_mask", self._mask)
        binding.bind_output("logits", "cpu")
        for name, heads, width in self._decoder.caches:
            if name in self._cache:
                binding.bind_ortvalue_input(f"past_key_values{name}", self._cache[name])
            else:
                empty = np.empty((rows, heads, 0, width), np.float32)
                binding.bind_cpu_input(f"past_key_values{name}", empty)
            binding.bind_output(f"present{name}", self._decoder.device)
        self._decoder.session.run_with_iobinding(binding)
        logits, *caches = binding.get_outputs()
        self._cache = {name: cache for (name, _, _), cache in zip(self._decoder.caches, caches, strict=True)}
        found: NDArray[np.float32] = logits.numpy()[:, -1]
        return found

    def append(self, tokens: Sequence[int | None]) -> None:
        """Add one token to each row, for the next step; None is padding, for a row that is done."""
        self._tokens = np.array([token or 0 for token in tokens], np.int64)[:, None]
        new = np.array([token is not None for token in tokens], np.int64)[:, None]
        self._mask = np.concatenate([self._mask, new], axis=1)
