"""Read the text in an image: lines with their boxes and confidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import onnxruntime
from detection import Detector
from recognition import Recogniser

import preheat

MIN_CONFIDENCE = 0.5


@dataclass
class Line:
    """One line of text; the box is left, top, right, bottom in pixels."""

    text: str
    box: tuple[int, int, int, int]
    confidence: float


@dataclass
class Page:
    """What an image says, in reading order."""

    width: int
    height: int
    lines: list[Line]


class Reader(preheat.Handler):
    """Reads printed text that runs left to right (PP-OCRv4, Latin and Chinese)."""

    def setup(self, ctx: preheat.Context) -> None:
        options = onnxruntime.SessionOptions()
        # One thread: a process with running threads cannot be forked into ready workers.
        options.intra_op_num_threads = 1
        self.detector = Detector(ctx.weights["detection"], options)
        self.recogniser = Recogniser(ctx.weights["recognition"], options)

    def predict(self, image: preheat.Image) -> Page:
        picture = image.pillow().convert("RGB")
        lines = []
        for box in self.detector.find(picture):
            text, confidence = self.recogniser.read(picture.crop((box.left, box.top, box.right, box.bottom)))
            if confidence >= MIN_CONFIDENCE:
                lines.append(Line(text, (box.left, box.top, box.right, box.bottom), round(confidence, 4)))
        return Page(picture.width, picture.height, lines)

    def examples(self) -> Iterable[preheat.Image]:
        picture = Path(__file__).parent / "images" / "hello.png"
        return [preheat.Image.from_path(picture)]
