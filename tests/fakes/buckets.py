"""Puts files into folders that stand for buckets, and waits for what comes out."""

import json
from pathlib import Path
from typing import Any

from preheat.project.model import ObjectCreated


def uploads(**changes: Any) -> ObjectCreated:
    """The trigger of most tests: `uploads` to `results/out/`."""
    values: dict[str, Any] = {"name": "uploads", "bucket": "uploads", "output": "results/out"}
    return ObjectCreated(**{**values, **changes})


def put(home: Path, key: str, body: bytes, *, bucket: str = "uploads") -> Path:
    """Write an object as `cp` does."""
    path = home / "buckets" / bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def results(home: Path, *, bucket: str = "results") -> dict[str, bytes]:
    """Return every object of a bucket, also what should not be there."""
    root = home / "buckets" / bucket
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def letters(home: Path, function: str = "ocr@dev") -> list[dict[str, Any]]:
    """Return the dead letters of a function."""
    found = sorted((home / "dead-letters" / function).glob("*/*.json"))
    return [json.loads(path.read_bytes()) for path in found]
