"""What the right answers are, from the plain loop; and that the model itself is right."""

import json
import subprocess
from collections.abc import Mapping, Sequence

from tests.bench.serving.answers import Vector, compare
from tests.bench.serving.contenders import ASGI, Work
from tests.bench.serving.room import HERE, REPOSITORY, Room

ORACLE = REPOSITORY / "tests" / "functional" / "examples" / "minilm_float32.json"
"""MiniLM's forward pass in float64 NumPy, from the original weights; see make_minilm_float32.py beside it."""


def raw_loop(room: Room, texts: Sequence[str], *options: str) -> list[str]:
    """Return the command that runs the plain loop over `texts` on the servers' processor."""
    content = json.dumps(texts)
    file = room.folder / f"texts-{len(texts)}.json"
    file.write_text(content)
    script = str(HERE / "peers" / "raw_loop.py")
    files = ["--model", str(room.model), "--texts", str(file)]
    return room.on_server_cpu([str(room.python(ASGI.name)), script, *files, *options])


def expected(room: Room, work: Work, texts: Sequence[str]) -> Mapping[str, Vector]:
    """Return the right answer for each text: one text at a time, without a server."""
    if work == "noop":
        return {text: [float(len(text))] for text in texts}
    command = raw_loop(room, texts, "--embed")
    done = subprocess.run(command, capture_output=True, check=True, env=room.variables())
    return dict(zip(texts, json.loads(done.stdout), strict=True))


def check_model(room: Room) -> None:
    """Raise WrongAnswer unless the model agrees with the float64 forward pass."""
    known = {entry["text"]: entry["vector"] for entry in json.loads(ORACLE.read_text())}
    for text, vector in expected(room, "embedding", list(known)).items():
        compare(vector, known[text])
