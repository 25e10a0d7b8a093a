"""What a server is asked to be, as the flags that start it. Reads its arguments and nothing else."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DRAIN_S = 25.0
"""Kubernetes and SageMaker kill a container 30 s after they asked it to stop."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One server. The first two groups are for whoever starts it, the last for the server's own processes.

    `queue` bounds the requests in hand of a process; 0 derives it from the handler.
    `listener` is a descriptor of a bound socket, in place of `host` and `port`. `fresh` says why the
    workers must not be forked. A worker has the descriptor of its line to the host in `line`, its
    number in `slot`, and the host's folder in `folder`.
    """

    code: Path
    dependencies: Path
    weights: Path
    host: str = "127.0.0.1"
    port: int = 8080
    grpc_port: int | None = None
    workers: int = 1
    queue: int = 0
    drain_s: float = DRAIN_S
    token_env: str | None = None
    ping_decides: bool = False
    whole: bool = False
    circuit: bool = True
    access_log: bool = False

    stage: str = "dev"
    provider: str = "container"
    release: str = "0"

    listener: int | None = None
    fresh: str | None = None
    line: int | None = None
    slot: int = 0
    folder: Path | None = None


def read_config(code: Path, arguments: Sequence[str]) -> Config:
    """Return what `arguments` ask for; `code` is the layer that this module lies in. Exits on wrong use."""
    parser = _parser()
    config = Config(code=code, **vars(parser.parse_args(arguments)))
    if config.grpc_port is not None and config.workers > 1:
        parser.error("--grpc-port needs --workers 1: a connection of gRPC cannot be handed to a worker")
    return config


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="entry.py",
        allow_abbrev=False,
        description="Serve the handler of a bundle over HTTP. SIGTERM drains; a second one ends at once.",
    )
    add = parser.add_argument
    add("--dependencies", type=_folder, required=True, metavar="DIR", help="the layer `dependencies`")
    add("--weights", type=_folder, required=True, metavar="DIR", help="the layer `weights`")
    add("--host", default=Config.host, help="the address to listen on (%(default)s; 0.0.0.0 in a container)")
    add("--port", type=int, default=Config.port, help="the port; 0 takes a free one (%(default)s)")
    add("--grpc-port", type=int, metavar="PORT", help="serve the Open Inference Protocol over gRPC too")
    add("--workers", type=_count, default=Config.workers, help="processes with the model (%(default)s)")
    add("--queue", type=_count, default=Config.queue, help="requests in hand per process (derived)")
    add(
        "--drain-s",
        type=float,
        default=Config.drain_s,
        metavar="SECONDS",
        help="what requests in hand get after SIGTERM (%(default)g)",
    )
    add("--token-env", metavar="NAME", help="the variable with the token that callers must send")
    add(
        "--ping-decides",
        action="store_true",
        help="for a platform that replaces who fails /ping: 503 at once while loading, then 200 however busy",
    )
    add(
        "--whole",
        action="store_true",
        help="answer a stream in one piece, with its length: for a platform that hands on no stream",
    )
    add(
        "--no-circuit",
        dest="circuit",
        action="store_false",
        help="go on asking a model that fails again and again: for a queue that tries each request once",
    )
    add("--access-log", action="store_true", help="a line of JSON on standard output for each request")
    add("--stage", default=Config.stage, help="what the handler's Context says (%(default)s)")
    add("--provider", default=Config.provider, help="what the handler's Context says (%(default)s)")
    add("--release", default=Config.release, help="what the Context and /openapi.json say (%(default)s)")
    add("--listener", type=int, metavar="FD", help="a bound socket, in place of --host and --port")
    add("--fresh", metavar="REASON", help="start every worker as a new process instead of forking it")
    for name, kind in (("--line", int), ("--slot", int), ("--folder", Path)):
        add(name, type=kind, default=getattr(Config, name[2:]), help=argparse.SUPPRESS)
    return parser


def _folder(text: str) -> Path:
    return Path(text).absolute()


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number
