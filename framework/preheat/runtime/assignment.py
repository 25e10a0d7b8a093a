"""What the supervisor tells a process to be, in one JSON object on its standard input."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.runtime.beginning import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One worker to be: where its layers and sockets are, and its bounds. `concurrency` 0 derives it."""

    id: str
    control: str
    socket: str
    place: Place
    memory_mb: int
    concurrency: int = 0

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Assignment":
        """Read the supervisor's document."""
        return cls(
            id=document["id"],
            control=document["control"],
            socket=document["socket"],
            place=read_place(document),
            memory_mb=document["memory_mb"],
            concurrency=document.get("concurrency", 0),
        )


def read_place(document: Mapping[str, Any]) -> Place:
    """Read where a process runs from the document that starts it."""
    return Place(
        code=Path(document["code"]),
        weights=Path(document["weights"]),
        name=document["name"],
        stage=document["stage"],
        provider=document["provider"],
        release=str(document["release"]),
        tmp=Path(document["tmp"]),
        cpus=float(document["cpus"]),
    )
