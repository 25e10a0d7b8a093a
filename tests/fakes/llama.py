"""A package called llama_cpp for workers, or with TEST_LLAMA=real the real one, which has to be compiled.

What tests see of either is the same: tokens are bytes, the same seed gives the same text, and without one a
text is drawn from the seed before, the first from a constant (llama-cpp-python 0.3.36, `_create_completion`).
"""

import os
import subprocess
from pathlib import Path

from tests.fakes.environments import PYTHON, python_with
from tests.fakes.wheels import lay_installed

REAL = os.environ.get("TEST_LLAMA") == "real"
PACKAGES = ("gguf==0.19.0", "llama-cpp-python==0.3.36", "orjson>=3.10")
MAKER = Path(__file__).with_name("llama_model.py")
COLLECTION = """
import random


class Llama:
    def __init__(self, model_path, *, n_ctx, n_threads, n_threads_batch, use_mmap, verbose):
        assert use_mmap and not verbose
        with open(model_path, "rb") as file:
            if file.read(4) != b"GGUF":
                raise ValueError(f"Failed to load model from file: {model_path}")
        self.context, self.threads = n_ctx, (n_threads, n_threads_batch)
        self.seed = 0xFFFFFFFF

    def tokenize(self, text):
        assert isinstance(text, bytes)
        return [1, *text]

    def create_completion(self, prompt, *, max_tokens, temperature, seed, stop, stream):
        assert stream and len(self.tokenize(prompt.encode())) + max_tokens <= self.context
        self.seed = random.Random(self.seed).randint(0, 2**32) if seed is None else seed
        chance = random.Random(prompt if temperature == 0 else self.seed)
        yield {"choices": [{"text": "", "finish_reason": None}]}
        for _ in range(max_tokens):
            word = chance.choice("abcdefgh")
            if word in stop:
                return
            yield {"choices": [{"text": word, "finish_reason": None}]}
        yield {"choices": [{"text": "", "finish_reason": "length"}]}

    def close(self):
        self.context = 0
"""


def llama_packages(folder: Path) -> Path:
    """Return a folder with llama_cpp as a worker takes its dependencies; the fake is laid into `folder`."""
    if REAL:
        return python_with(*PACKAGES).parents[1] / "lib" / f"python{PYTHON}" / "site-packages"
    lay_installed(folder, "orjson")
    (folder / "llama_cpp").mkdir(parents=True)
    (folder / "llama_cpp" / "__init__.py").write_text(COLLECTION)
    return folder


def write_model(path: Path) -> Path:
    """Write a GGUF file to `path` that either loads: of one layer with random weights for the real one."""
    if REAL:
        subprocess.run([python_with(*PACKAGES), MAKER, path], check=True)
    else:
        path.write_bytes(b"GGUF")
    return path
