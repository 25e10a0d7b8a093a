"""What a handler holds: its attributes and the globals of the user's modules, and what those contain.

It goes into containers and into instances of the user's own classes; of what libraries made it only says
what kind of thing it is. It runs beside the user's code and imports the standard library alone.
"""

import datetime
import hashlib
import random
import re
import socket
import sys
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

MOST_NODES = 50_000
MOST_ENTRIES = 1000
"""Of one container: what follows is more of the same."""
LEAST_TELLING = 4
"""Shorter texts and numbers of fewer digits are no ids."""
UUID_TEXT = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
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

Window = tuple[tuple[float, float], tuple[float, float]]
"""When setup began and ended, each by the wall clock and the monotonic one, in seconds."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a snapshot should not hold, at `path`."""

    path: str
    kind: str
    what: str

    def document(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {"path": self.path, "kind": self.kind, "what": self.what}


@dataclass(frozen=True, slots=True)
class Value:
    """A plain value or a generator's state, at `path`."""

    path: str
    value: Any

    def document(self, window: Window) -> dict[str, str]:
        """Return what kind it is, and a digest of it."""
        kind, told = _kind(self.value, window), self.value
        if kind == "generator":
            told = state_of(self.value)
        return {"kind": kind, "digest": hashlib.sha256(repr(told).encode()).hexdigest()}


@dataclass(slots=True)
class Held:
    """What was found."""

    items: list[Item] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)


def held(handler: object, code: str) -> Held:
    """Look at `handler` and at the globals of the user's modules, whose files lie below `code`."""
    found = Held()
    queue: deque[tuple[str, Any]] = deque(_roots(handler, code))
    seen: set[int] = set()
    kept: list[Any] = []  # an address is an identity only while what lives there is alive
    while queue and len(seen) < MOST_NODES:
        path, value = queue.popleft()
        if id(value) in seen and not _plain(value):
            continue
        seen.add(id(value))
        kept.append(value)
        if _plain(value) or state_of(value) is not None:
            found.values.append(Value(path, value))
        elif (item := _item(path, value)) is not None:
            found.items.append(item)
        else:
            queue.extend(_inside(path, value, code))
    return found


def state_of(value: object) -> object:
    """Return the state of a random number generator, or None for anything else."""
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        return value.getstate()
    kind = type(value)
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    thing: Any = value
    if name == "numpy.Generator":
        return repr(thing.bit_generator.state)
    if name == "numpy.RandomState":
        return repr(thing.get_state(legacy=False))
    if name == "torch.Generator":
        return bytes(thing.get_state().tolist())
    return None


def _roots(handler: object, code: str) -> Iterator[tuple[str, Any]]:
    yield from ((f"self.{name}", value) for name, value in vars(handler).items())
    for name, module in sorted(sys.modules.items()):
        if _users(module, code):
            for key, value in vars(module).items():
                if not key.startswith("__") and not isinstance(value, ModuleType | type):
                    yield f"{name}.{key}", value


def _users(module: ModuleType | None, code: str) -> bool:
    """Say whether a module is the user's own."""
    file = getattr(module, "__file__", None)
    if module is None or not isinstance(file, str) or not file.startswith(code):
        return False
    return not module.__name__.partition(".")[0].startswith("preheat")


def _plain(value: object) -> bool:
    simple = str | bytes | int | float | uuid.UUID | datetime.datetime
    return isinstance(value, simple) and not isinstance(value, bool)


def _kind(value: object, window: Window) -> str:
    """Return what a value is: `clock`, `id`, `generator`, or `value`; `small` where it says nothing."""
    (wall, ticks), (wall_after, ticks_after) = window
    if isinstance(value, datetime.datetime):
        return "clock" if wall - 1 <= value.timestamp() <= wall_after + 1 else "value"
    if isinstance(value, int | float):
        seconds = float(value)
        for scale in (1, 1e3, 1e6, 1e9):
            if wall - 1 <= seconds / scale <= wall_after + 1 or ticks <= seconds / scale <= ticks_after:
                return "clock"
        return "small" if isinstance(value, int) and abs(value) < 10**LEAST_TELLING else "value"
    if isinstance(value, uuid.UUID) or (isinstance(value, str) and UUID_TEXT.fullmatch(value)):
        return "id"
    if isinstance(value, str | bytes):
        return "value" if len(value) >= LEAST_TELLING else "small"
    return "generator"


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
    elif isinstance(value, list | tuple | deque):  # a set has no order, so no paths
        for number, entry in zip(range(MOST_ENTRIES), value, strict=False):
            yield f"{path}[{number}]", entry
    elif isinstance(module := sys.modules.get(type(value).__module__), ModuleType):
        if _users(module, code):
            names = [*getattr(value, "__dict__", ()), *_slots(type(value))]
            yield from ((f"{path}.{name}", getattr(value, name)) for name in names if hasattr(value, name))
        elif hasattr(value, "parameters") and type(value).__module__ != "builtins":
            yield from ((f"{path}.parameters()", entry) for entry in _parameters(value))


def _slots(kind: type) -> list[str]:
    return [name for base in kind.__mro__ for name in getattr(base, "__slots__", ()) if name != "__dict__"]


def _parameters(value: Any) -> list[Any]:
    """Return the first parameter of a PyTorch module: where it lies, the others lie too."""
    parameters = value.parameters() if "torch" in sys.modules and callable(value.parameters) else ()
    return [next(iter(parameters))] if hasattr(parameters, "__next__") else []
