"""Measure Preheat's serving beside its peers on this machine; every answer is verified."""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from tests.bench.serving import closed
from tests.bench.serving.chart import svg
from tests.bench.serving.contenders import ASGI, PEERS
from tests.bench.serving.dialects import WrongAnswer
from tests.bench.serving.environments import NotInstalled, install, install_tools, make_model
from tests.bench.serving.memory import memory
from tests.bench.serving.overload import overload
from tests.bench.serving.references import check_model
from tests.bench.serving.report import document, markdown
from tests.bench.serving.room import HERE, Room
from tests.bench.serving.run import Options, Run
from tests.bench.serving.servers import lay_out_project
from tests.bench.serving.soak import soak

SCENARIOS: dict[str, Callable[[Run], None]] = {
    "noop": closed.no_op,
    "embedding": closed.embedding,
    "mixed": closed.mixed,
    "memory": memory,
    "overload": overload,
}
FAMILIES = tuple(dict.fromkeys(peer.family for peer in PEERS))
RESULTS = HERE.parent / "results"
REPORTED = (*FAMILIES, "uvicorn", "uvloop", "nvidia-pytriton", "onnxruntime", "numpy", "tokenizers", "orjson")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.serving", description=__doc__)
    parser.add_argument(
        "--only",
        type=_listed(SCENARIOS),
        default=tuple(SCENARIOS),
        metavar="SCENARIO,...",
        help=f"of {', '.join(SCENARIOS)}",
    )
    parser.add_argument(
        "--peers",
        type=_listed(FAMILIES),
        default=(),
        metavar="PEER,...",
        help=f"of {', '.join(FAMILIES)}; all by default, and Preheat always",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load")
    parser.add_argument("--quick", action="store_true", help="one round of 1 s: does it work at all?")
    parser.add_argument(
        "--soak", type=float, metavar="MINUTES", help="instead: load Preheat alone, watch it grow"
    )
    parser.add_argument("--server-cpu", type=int, default=0)
    parser.add_argument("--client-cpu", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS, help="where serving.json, .md and .svg go")
    return parser.parse_args(arguments)


def _listed(known: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    def parse_list(text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
        return names

    return parse_list


def prepare(run: Run) -> None:
    """Install what is missing, make the model and check it. Raises NotInstalled or WrongAnswer."""
    install_tools()
    run.say("installing the peers and making the model, where they are missing")
    make_model(run.room)
    install(run.room, ASGI)  # the plain loop runs in it: without that there is nothing to compare with
    wanted = {peer.environment for peer in PEERS if peer.family in (run.options.families or FAMILIES)}
    for environment in sorted({*wanted, ASGI}, key=lambda one: one.name):
        try:
            versions = install(run.room, environment)
        except NotInstalled as exc:
            run.not_installed(environment.name, str(exc))
        else:
            run.versions[environment.name] = {name: versions[name] for name in REPORTED if name in versions}
    check_model(run.room)
    for leftovers in (run.room.logs, run.room.home):
        shutil.rmtree(leftovers, ignore_errors=True)
    run.room.home.mkdir(parents=True)
    lay_out_project(run.room)


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; print the tables and write them."""
    given = parse(arguments)
    console = Console()
    if (os.cpu_count() or 1) < 2:
        console.print("The benchmark needs two processors: one for the server, one for the clients.")
        return 1
    quick = given.quick
    options = Options(1 if quick else given.rounds, 1.0 if quick else given.seconds, frozenset(given.peers))
    run = Run(Room(server_cpu=given.server_cpu, client_cpu=given.client_cpu), options, console.log)
    try:
        prepare(run)
    except (NotInstalled, WrongAnswer) as exc:
        console.print(f"Nothing was measured. {exc}")
        return 1
    # What this process does while it measures belongs to the clients.
    os.sched_setaffinity(0, {run.room.client_cpu})
    if given.soak:
        console.print_json(json.dumps(asdict(soak(run, given.soak))))
        return 0
    for name in given.only:
        SCENARIOS[name](run)
    text = markdown(run)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "serving.json").write_text(json.dumps(document(run), indent=1) + "\n")
    (given.out / "serving.md").write_text(text)
    (given.out / "serving.svg").write_text(svg(run.record))
    console.print(Markdown(text))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
