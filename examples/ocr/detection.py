"""Where the text is: the probability map of PP-OCR's detector, and the boxes in it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

THRESHOLD = 0.3
"""A pixel is text above this probability (PP-OCR's default)."""
MIN_SCORE = 0.5
"""A box counts when its pixels' mean probability reaches this (PP-OCR's default)."""
UNCLIP = 1.6
"""The map shows shrunken text; a box grows back by area * UNCLIP / perimeter (Liao et al., AAAI 2020)."""
LONGEST_SIDE = 1280


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels of the original image, with the detector's confidence."""

    left: int
    top: int
    right: int
    bottom: int
    score: float


class Detector:
    """Finds lines of text that run left to right; rotated text is not looked for."""

    def __init__(self, model: Path, options: onnxruntime.SessionOptions) -> None:
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def find(self, image: Image.Image) -> list[Box]:
        """Return the boxes of `image` (RGB) in reading order: by line, then left to right."""
        pixels, scale_x, scale_y = _prepare(image)
        (probabilities,) = self._session.run(None, {"x": pixels})
        boxes = [
            _grow(rows, columns, probabilities[0, 0], scale_x, scale_y, image.size)
            for rows, columns in components(probabilities[0, 0] > THRESHOLD)
        ]
        return reading_order([box for box in boxes if box is not None])


def components(mask: NDArray[np.bool_]) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return the pixels (rows, columns) of each 4-connected region of `mask`, by union of its runs."""
    padded = np.pad(mask.astype(np.int8), ((0, 0), (1, 1)))
    edges = np.diff(padded, axis=1)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    runs = [(int(row), int(first), int(last)) for (row, first), (_, last) in zip(starts, ends, strict=True)]
    parent = list(range(len(runs)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    above: list[int] = []
    current: list[int] = []
    row = -1
    for index, (run_row, first, last) in enumerate(runs):
        if run_row != row:
            above, current = (current if run_row == row + 1 else []), []
            row = run_row
        for other in above:
            if runs[other][1] < last and first < runs[other][2]:
                parent[root(other)] = root(index)
        current.append(index)
    regions: dict[int, list[int]] = {}
    for index in range(len(runs)):
        regions.setdefault(root(index), []).append(index)
    return [_pixels([runs[index] for index in members]) for members in regions.values()]


def reading_order(boxes: list[Box]) -> list[Box]:
    """Sort `boxes` into lines (centres closer than half a height) from the top, each from the left."""
    lines: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: box.top + box.bottom):
        if lines and _same_line(lines[-1][0], box):
            lines[-1].append(box)
        else:
            lines.append([box])
    return [box for line in lines for box in sorted(line, key=lambda box: box.left)]


def _same_line(first: Box, second: Box) -> bool:
    distance = abs((first.top + first.bottom) - (second.top + second.bottom)) / 2
    return distance < min(first.bottom - first.top, second.bottom - second.top) / 2


def _prepare(image: Image.Image) -> tuple[Floats, float, float]:
    shrink = min(1.0, LONGEST_SIDE / max(image.size))
    # The network halves its input five times, so both sides must be multiples of 32.
    width, height = (max(32, round(side * shrink / 32) * 32) for side in image.size)
    resized = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)
    normal = (resized[:, :, ::-1] / 255.0 - 0.5) / 0.5  # BGR, as the model was trained
    return normal.transpose(2, 0, 1)[None], image.size[0] / width, image.size[1] / height


def _pixels(runs: list[tuple[int, int, int]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows = np.concatenate([np.full(last - first, row, dtype=np.intp) for row, first, last in runs])
    columns = np.concatenate([np.arange(first, last, dtype=np.intp) for _, first, last in runs])
    return rows, columns


def _grow(
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    probabilities: Floats,
    scale_x: float,
    scale_y: float,
    size: tuple[int, int],
) -> Box | None:
    left, right = int(columns.min()), int(columns.max()) + 1
    top, bottom = int(rows.min()), int(rows.max()) + 1
    width, height = right - left, bottom - top
    score = float(probabilities[rows, columns].mean())
    if score < MIN_SCORE or min(width, height) < 3:
        return None
    margin = width * height * UNCLIP / (2 * (width + height))
    return Box(
        left=max(0, round((left - margin) * scale_x)),
        top=max(0, round((top - margin) * scale_y)),
        right=min(size[0], round((right + margin) * scale_x)),
        bottom=min(size[1], round((bottom + margin) * scale_y)),
        score=score,
    )
