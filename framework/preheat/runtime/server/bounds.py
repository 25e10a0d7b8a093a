"""What an endpoint takes from its clients before an application sees anything of them, all in one place."""

import resource
from dataclasses import dataclass, field

CONNECTIONS = 4096
SPARE = 128
"""Descriptors that are left to the model, to the log and to everything else in the process."""


def _connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(CONNECTIONS, soft - SPARE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Times in seconds, sizes in bytes.

    `head_s` is also what the rest of a body gets that was not needed for its answer. `idle_s` is how
    long a connection stays open without a request. `stalled_s` is how long a client may take nothing
    of what is sent to it. `pipelined` requests may wait behind one of their connection.
    `connections` is CONNECTIONS, or what the process's limit of descriptors leaves.
    """

    head_s: float = 10.0
    head_bytes: int = 64 * 1024
    idle_s: float = 30.0
    stalled_s: float = 60.0
    pipelined: int = 100
    connections: int = field(default_factory=_connections)
