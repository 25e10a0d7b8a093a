"""What a handler holds: its attributes and the globals of the user's modules, and what those contain.

It goes into containers, into the user's own classes and into instances of them; of what libraries made it
only says what kind of thing it is. It runs beside the user's code and imports the standard library alone.
"""

import socket
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from preheat.snapshots.values import MOST_ENTRIES, Value, is_plain, is_value

MOST_NODES = 50_000
CLIENTS = (
    ("botocore", ("BaseClient", "Session")),
    ("boto3", ("Session", "ServiceResource")),
    ("requests", ("Session",)),
    ("httpx", ("BaseClient",)),
    ("aiohttp", ("ClientSession",)),
    ("urllib3", ("PoolManager", "HTTPConnectionPool")),
    ("redis", ("Redis",)),
    ("pymongo", ("MongoClient",)),
    ("psycopg", ("Connection",)),
    ("psycopg2", ("connection",)),
    ("sqlalchemy", ("Engine",)),
    ("grpc", ("Channel",)),
    ("google", ("Client", "BaseClient")),
)
"""By top-level package: base classes of what keeps connections, and with a cloud's also credentials."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a snapshot should not hold, at `path`."""

    path: str
    kind: str
    what: str

    def document(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {"path": self.path, "kind": self.kind, "what": self.what}


@dataclass(slots=True)
class Held:
    """What was found."""

    items: list[Item] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)


def held(handler: object, code: str) -> Held:
    """Look at `handler` and at the globals of the user's modules, whose files lie below `code`.

    What the user's classes of `handler` hold counts as its own, and as no other global.
    """
    found = Held()
    queue: deque[tuple[str, Any]] = deque(_roots(handler, code))
    seen = {id(each) for each in type(handler).__mro__}
    kept: list[Any] = []  # an address is an identity only while what lives there is alive
    while queue and len(seen) < MOST_NODES:
        path, value = queue.popleft()
        if id(value) in seen and not is_plain(value):
            continue
        seen.add(id(value))
        kept.append(value)
        if is_value(value):
            found.values.append(Value(path, value))
        elif (item := _item(path, value)) is not None:
            found.items.append(item)
        else:
            queue.extend(_inside(path, value, code))
    return found


def _roots(handler: object, code: str) -> Iterator[tuple[str, Any]]:
    held_by = [each for each in reversed(type(handler).__mro__) if _is_users(each, code)]
    attributes = {name: value for each in [*held_by, handler] for name, value in vars(each).items()}
    yield from ((f"self.{name}", attributes[name]) for name in attributes if not name.startswith("__"))
    for name, module in sorted(sys.modules.items()):
        if _users(module, code):
            for key, value in vars(module).items():
                if not key.startswith("__") and not isinstance(value, ModuleType):
                    yield f"{name}.{key}", value


def _users(module: ModuleType | None, code: str) -> bool:
    """Say whether a module is the user's own."""
    file = getattr(module, "__file__", None)
    if module is None or not isinstance(file, str) or not file.startswith(code):
        return False
    return not module.__name__.partition(".")[0].startswith("preheat")


def _is_users(kind: type, code: str) -> bool:
    return _users(sys.modules.get(kind.__module__), code)


def _item(path: str, value: object) -> Item | None:
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, socket.socket):
        return Item(path, "socket", name)
    package = kind.__module__.partition(".")[0]
    bases = {base.__name__ for base in kind.__mro__}
    for library, classes in CLIENTS:
        # botocore makes its clients' classes as it goes; their bases tell.
        if any(base.__module__.partition(".")[0] == library for base in kind.__mro__) and bases & {*classes}:
            return Item(path, "client", name)
    if package == "onnxruntime" and any("CUDA" in each for each in _providers(value)):
        return Item(path, "gpu", f"{name} on CUDA")
    if package == "torch" and _on_gpu(value):
        return Item(path, "gpu", f"{name} on CUDA")
    return None


def _providers(value: Any) -> list[str]:
    return list(value.get_providers()) if hasattr(value, "get_providers") else []


def _on_gpu(value: Any) -> bool:
    return getattr(value, "is_cuda", False) is True


def _inside(path: str, value: Any, code: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for number, (key, entry) in enumerate(value.items()):
            if number == MOST_ENTRIES:
                return
            yield f"{path}[{key!r:.40}]", entry
    elif isinstance(value, list | tuple | deque):
        for number, entry in zip(range(MOST_ENTRIES), value, strict=False):
            yield f"{path}[{number}]", entry
    elif isinstance(value, set | frozenset):  # has no order, so no paths
        entries = (entry for _, entry in zip(range(MOST_ENTRIES), value, strict=False))
        yield from ((path, entry) for entry in entries if _item(path, entry) is not None)
    elif isinstance(value, type):
        if _is_users(value, code):
            name = f"{value.__module__}.{value.__qualname__}"
            yield from (
                (f"{name}.{key}", each) for key, each in vars(value).items() if not key.startswith("__")
            )
    elif _is_users(type(value), code):
        names = [*getattr(value, "__dict__", ()), *_slots(type(value))]
        yield from ((f"{path}.{name}", getattr(value, name)) for name in names if hasattr(value, name))
    elif type(value).__module__ != "builtins" and hasattr(value, "parameters"):
        yield from ((f"{path}.parameters()", entry) for entry in _parameters(value))


def _slots(kind: type) -> list[str]:
    return [name for base in kind.__mro__ for name in getattr(base, "__slots__", ()) if name != "__dict__"]


def _parameters(value: Any) -> list[Any]:
    """Return the first parameter of a PyTorch module: where it lies, the others lie too."""
    parameters = value.parameters() if "torch" in sys.modules and callable(value.parameters) else ()
    return [next(iter(parameters))] if hasattr(parameters, "__next__") else []
