"""What a handler feeds its sessions while it runs its examples: in the bundle's own interpreter and packages.

In: what `preheat.runtime.verify` takes, "model_sha256" (of the original file), and "calls", a folder.
Out: {"verified": what verify answers, "sessions": [...]}; each session has "weights" (the name of the entry
it was made from, or null), "path", "providers", "asked" (the file and line that made it), "by_loader",
"varied" (whether an input had two values that differ, in one call or in two), and
"calls": [{"file", "names", "outputs"}]. The arrays of a call lie in `file` as array0, array1, ...
"""

import hashlib
import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

MOST_CALLS = 16
MOST_BYTES = 256_000_000
LOADER = "preheat_handlers.onnx"


def run(document: dict[str, Any]) -> dict[str, Any]:
    """Run the examples with an InferenceSession that remembers its inputs."""
    try:
        import onnxruntime
    except ModuleNotFoundError:
        return {"verified": None, "sessions": []}
    from preheat.interface.manifest import read_manifest
    from preheat.runtime.assignment import read_place
    from preheat.runtime.verify import verify

    place = read_place({"provider": "build", "release": "0", **document})
    weights = {
        name: os.path.realpath(path)
        for name, path in place.context(read_manifest(place.code)).weights.items()
    }
    recorder = Recorder(document["calls"], weights, document["code"], document["model_sha256"])
    onnxruntime.InferenceSession = recording(onnxruntime.InferenceSession, recorder)
    verified = verify(document)
    return {
        "verified": {**verified, "imported": []},
        "sessions": recorder.sessions,
    }


class Recorder:
    """Keeps the first calls of each session, at most MOST_CALLS and MOST_BYTES of them."""

    def __init__(self, folder: str, weights: dict[str, str], code: str, model_sha256: str) -> None:
        self.sessions: list[dict[str, Any]] = []
        self._folder = Path(folder)
        self._weights = weights
        self._code = os.path.realpath(code) + os.sep
        self._model_sha256 = model_sha256
        self._bytes = 0
        self._first: dict[tuple[int, str], Any] = {}

    def opened(self, session: Any, model: Any) -> int:
        """Note a new session of `model`, a path or bytes; return its number."""
        self.sessions.append(
            {
                "weights": self._entry(model),
                "path": os.fspath(model) if isinstance(model, str | os.PathLike) else None,
                "providers": session.get_providers(),
                "asked": self._asked(),
                "by_loader": self._by_loader(),
                "varied": False,
                "calls": [],
            }
        )
        return len(self.sessions) - 1

    def called(self, number: int, outputs: Any, feed: dict[str, Any]) -> None:
        """Keep what a session has been fed."""
        import numpy as np

        session = self.sessions[number]
        calls = session["calls"]
        arrays = {name: _array(value) for name, value in feed.items()}
        size = sum(array.nbytes for array in arrays.values())
        if len(calls) == MOST_CALLS or self._bytes + size > MOST_BYTES:
            return
        self._bytes += size
        for name, array in arrays.items():
            if array.size:
                first = self._first.setdefault((number, name), array.flat[0])
                session["varied"] = session["varied"] or bool((array != first).any())
        file = self._folder / f"session{number}-call{len(calls)}.npz"
        np.savez(file, **{f"array{index}": array for index, array in enumerate(arrays.values())})
        calls.append(
            {"file": str(file), "names": list(arrays), "outputs": list(outputs) if outputs else None}
        )

    def _entry(self, model: Any) -> str | None:
        if isinstance(model, bytes):
            ours = hashlib.sha256(model).hexdigest() == self._model_sha256
            return (
                next((name for name, path in self._weights.items() if _holds(path, model)), None)
                if ours
                else None
            )
        path = os.path.realpath(model)
        return next(
            (
                name
                for name, place in self._weights.items()
                if path == place or path.startswith(place + os.sep)
            ),
            None,
        )

    def _asked(self) -> str | None:
        """Return `file:line` of the user's code that asked for the session."""
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            file = os.path.realpath(frame.f_code.co_filename)
            inside = file.removeprefix(self._code)
            if inside != file and not inside.startswith(("preheat/", "preheat_")):
                return f"{inside}:{frame.f_lineno}"
            frame = frame.f_back
        return None

    def _by_loader(self) -> bool:
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if str(frame.f_globals.get("__name__", "")).startswith(LOADER):
                return True
            frame = frame.f_back
        return False


def recording(base: Any, recorder: Recorder) -> Any:
    """Return a subclass of InferenceSession that tells `recorder` of every session and call."""

    class InferenceSession(base):  # type: ignore[misc]
        def __init__(self, path_or_bytes: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(path_or_bytes, *args, **kwargs)
            self._number = recorder.opened(self, path_or_bytes)

        def run(self, output_names: Any, input_feed: Any, run_options: Any = None) -> Any:
            answer = super().run(output_names, input_feed, run_options)
            recorder.called(self._number, output_names, input_feed)  # what it does not take is no input
            return answer

    return InferenceSession


def _array(value: Any) -> Any:
    import numpy as np

    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    return array.astype(str) if array.dtype == object else array  # strings: an npz would pickle objects


def _holds(path: str, model: bytes) -> bool:
    return Path(path).is_file() and Path(path).stat().st_size == len(model)
