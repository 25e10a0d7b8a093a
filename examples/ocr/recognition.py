"""What the text says: PP-OCR's recogniser over the lines that the detector found."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

HEIGHT = 48
"""The recogniser reads lines of this height in pixels."""


class Recogniser:
    """Reads one line of text at a time; the characters it knows are written in the model file."""

    def __init__(self, model: Path, options: onnxruntime.SessionOptions) -> None:
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        listed = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = ["", *listed, " "]  # class 0 is CTC's blank, the last one the space

    def read(self, line: Image.Image) -> tuple[str, float]:
        """Return the text of `line` (RGB, one line) and the mean confidence of its characters (0 to 1)."""
        width = max(HEIGHT, round(line.width * HEIGHT / line.height))
        pixels = np.asarray(line.resize((width, HEIGHT), Image.Resampling.BILINEAR), dtype=np.float32)
        normal = ((pixels[:, :, ::-1] / 255.0 - 0.5) / 0.5).transpose(2, 0, 1)[None]
        (probabilities,) = self._session.run(None, {"x": normal})
        return decode(probabilities[0], self._characters)


def decode(probabilities: NDArray[np.float32], characters: list[str]) -> tuple[str, float]:
    """Decode greedily (Graves et al., ICML 2006): best class of each step, repeats merged, blanks dropped."""
    classes = probabilities.argmax(axis=1)
    kept = (classes != 0) & np.concatenate([[True], classes[1:] != classes[:-1]])
    text = "".join(characters[index] for index in classes[kept])
    confidence = float(probabilities.max(axis=1)[kept].mean()) if kept.any() else 0.0
    return text, confidence
