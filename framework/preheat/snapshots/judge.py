"""What two runs of setup, and the copies made of each, say about a handler. Pure.

A value that every setup makes anew, and that all copies of one setup hold alike after restore, was frozen:
a random number, an id, a time. What differs between the copies was made in restore, and what is the same in
both runs is a constant, but for a day.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from preheat.findings import Finding

RESTORE_LIMIT_S = 10.0
"""What Lambda gives all hooks after a restore, as of 2026-11-21:
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html."""
GPU_DEVICES = "/dev/nvidia"
FROZEN = {
    "generator": (
        "{path} is a random number generator of its own: all copies of a snapshot draw the same numbers.",
        "def restore(self, ctx): {path} = ...  # or draw from the random module, which is reseeded",
    ),
    "id": (
        "{path} is an id that setup makes: all copies of a snapshot have the same.",
        "def restore(self, ctx): {path} = ...",
    ),
    "clock": (
        "{path} is the time of setup: in a snapshot it stands still, for weeks if need be.",
        "def restore(self, ctx): {path} = ...",
    ),
    "day": (
        "{path} is the day of setup: in a snapshot it stands still, for weeks if need be.",
        "def restore(self, ctx): {path} = ...",
    ),
    "value": (
        "{path} is made anew by each setup and the same in all copies of a snapshot: a random number, "
        "a token, or a measured time.",
        "def restore(self, ctx): {path} = ...  # if the copies must differ in it",
    ),
}
"""Per kind of value: the message, and the fix."""
HELD = {
    "socket": (
        "{path} is an open socket ({what}): after a restore the other end is gone, and forks share it.",
        "def restore(self, ctx): {path} = ...",
    ),
    "client": (
        "{path} is a client ({what}): a snapshot freezes its connections, and credentials that expire.",
        "def restore(self, ctx): {path} = ...",
    ),
    "gpu": (
        "{path} is on the GPU ({what}): no CPU snapshot and no fork keeps a GPU's memory.",
        'def restore(self, ctx): ...  # move it to "cuda" here',
    ),
    "gpu-asked": (
        "setup asks for the GPU ({what}): snapshots are made where there may be none, and the answer stays.",
        "def restore(self, ctx): ...  # ask here",
    ),
}

Find = Callable[[str, str, str | None], Finding]
"""Returns the finding for a path, a message and a fix, at the line of the path."""


def judge(first: Mapping[str, Any], second: Mapping[str, Any], find: Find) -> tuple[Finding, ...]:
    """Return what a snapshot would freeze. Both are answers of the probe."""
    setup = first["setup"]
    findings = [
        *_held(setup["found"], find),
        *_opened(setup, find),
        *_threads(setup["threads"], find),
    ]
    copies: Sequence[Mapping[str, Any]] = first["copies"]
    failed = next((copy["failed"] for copy in copies if "failed" in copy), None)
    if failed is not None:
        message = f"restore fails in a copy of this process: {failed}"
        return (
            *findings,
            find("restore", message, "def restore(self, ctx): ...  # runs after each fork, too"),
        )
    if copies:
        findings += _slow(copies, find)
        findings += _frozen(copies, second["copies"][0].get("values", {}), find)
    return tuple(findings)


def _held(found: Sequence[Mapping[str, str]], find: Find) -> Iterator[Finding]:
    for item in found:
        message, fix = HELD[item["kind"]]
        yield find(item["path"], message.format(**item), fix.format(**item))


def _opened(setup: Mapping[str, Any], find: Find) -> Iterator[Finding]:
    """Yield what is open though no path leads to it."""
    opened: Sequence[str] = setup["opened"]
    devices = sorted({target for target in opened if target.startswith(GPU_DEVICES)})
    if devices:
        message = (
            f"setup opens the GPU ({', '.join(devices)}): no CPU snapshot and no fork keeps a GPU's memory."
        )
        yield find("setup", message, "def restore(self, ctx): ...  # first touch the GPU here")
    known = sum(item["kind"] == "socket" for item in setup["found"])
    sockets = sum(target.startswith("socket:") for target in opened) - known
    if sockets > 0:
        count = f"{sockets} open socket{'s' if sockets > 1 else ''}"
        message = f"setup leaves {count}: no snapshot keeps the other end."
        yield find("setup", message, "def restore(self, ctx): ...  # connect here")


def _threads(threads: Sequence[str], find: Find) -> Iterator[Finding]:
    if threads:
        names = ", ".join(sorted(set(threads)))
        count = f"{len(threads)} thread{'s' if len(threads) > 1 else ''}"
        message = (
            f"setup leaves {count} running ({names}): a fork has none of them, and may wait for one for ever."
        )
        fix = "options.intra_op_num_threads = 1  # ONNX Runtime; start threads of your own in restore"
        yield find("setup", message, fix)


def _slow(copies: Sequence[Mapping[str, Any]], find: Find) -> Iterator[Finding]:
    took_s = max(copy["restore_ms"] for copy in copies) / 1000
    if took_s > RESTORE_LIMIT_S:
        limit = f"Lambda ends it after {RESTORE_LIMIT_S:g} s (SnapStartTimeoutException)"
        message = f"restore takes {took_s:.1f} s, and {limit}."
        yield find(
            "restore", message, "def setup(self, ctx): ...  # what needs no network, GPU or credential"
        )


def _frozen(copies: Sequence[Mapping[str, Any]], other: Mapping[str, Any], find: Find) -> Iterator[Finding]:
    one, two = (copy["values"] for copy in copies)
    for path, value in one.items():
        kind = value["kind"]
        alike = two.get(path) == value
        anew = path in other and other[path]["digest"] != value["digest"]
        if kind in FROZEN and alike and (anew or kind == "day"):
            message, fix = FROZEN[kind]
            yield find(path, message.format(path=path), fix.format(path=path))
