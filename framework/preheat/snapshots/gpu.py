"""Whether setup asks PyTorch for a GPU: what it hears before a snapshot stays true in every copy of it.

On a machine without GPUs, where snapshots are made, `torch.cuda.is_available()` freezes "there is none".
It runs beside the user's code and imports the standard library alone.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

MODULE = "torch.cuda"
ASKED = ("is_available", "device_count", "current_device", "get_device_name", "init", "_lazy_init")


def watch_gpu() -> list[dict[str, str]]:
    """Return a list to which each question to `torch.cuda` is added from now on, once."""
    seen: list[dict[str, str]] = []
    sys.meta_path.insert(0, _Finder(seen))
    return seen


class _Finder(importlib.abc.MetaPathFinder):
    """Lets others find the module, and wraps its functions once it is loaded."""

    def __init__(self, seen: list[dict[str, str]]) -> None:
        self._seen = seen

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Find `torch.cuda` as the others do."""
        if fullname != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            for name in ASKED:
                if hasattr(module, name):
                    setattr(module, name, self._told(name, getattr(module, name)))

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _told(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        item = {
            "path": f"{MODULE}.{name.removeprefix('_')}",
            "kind": "gpu-asked",
            "what": f"{MODULE}.{name}()",
        }

        def asked(*args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1).f_globals.get("__name__", "")
            if item not in self._seen and caller.partition(".")[0] != "torch":
                self._seen.append(item)
            return function(*args, **kwargs)

        return asked
