"""The closed-loop scenarios. Every round starts each contender once, in turn."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException

from tests.bench.serving.answers import Vector, verify
from tests.bench.serving.contenders import GROUPED, Contender, Work, contenders
from tests.bench.serving.dialects import WrongAnswer
from tests.bench.serving.figures import Place, Point
from tests.bench.serving.load import LoadFailed, drive
from tests.bench.serving.processes import usage
from tests.bench.serving.references import expected, raw_loop
from tests.bench.serving.run import Run
from tests.bench.serving.servers import DidNotStart, running
from tests.bench.serving.texts import mixed_texts, short_sentences

RAW = "raw-loop"
RAW_BATCHES = (1, 8, 32)
WARM_UP_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who answers which texts, with how many requests under way at all times."""

    name: str
    work: Work
    who: Sequence[Contender]
    texts: Sequence[str]
    connections: Sequence[int]
    seconds: float


def no_op(run: Run) -> None:
    """Serve a model that does nothing: what is left is the framework."""
    who = contenders("noop", run.options.families)
    _play(run, Scenario("noop", "noop", who, short_sentences(), (1, 32), run.options.seconds))


def embedding(run: Run) -> None:
    """Serve MiniLM, each contender with its own batching; beside them the loop without a server."""
    who = contenders("embedding", run.options.families)
    scenario = Scenario("embedding", "embedding", who, short_sentences(), (1, 8, 32, 64), run.options.seconds)
    _play(run, scenario)


def mixed(run: Run) -> None:
    """Serve texts of 8 to 256 tokens, with and without grouping by length."""
    who = [one for one in contenders("embedding") if one.name in ("asgi-eager", "preheat")] + [GROUPED]
    _play(run, Scenario("mixed", "embedding", who, mixed_texts(), (32,), max(6.0, 3 * run.options.seconds)))


def _play(run: Run, scenario: Scenario) -> None:
    known = expected(run.room, scenario.work, scenario.texts)
    for number in range(run.options.rounds):
        if scenario.name == "embedding":
            _run_raw_loop(run, scenario, number)
        shift = number % len(scenario.who)
        for contender in (*scenario.who[shift:], *scenario.who[:shift]):
            if run.takes_part(contender, scenario.name):
                run.say(f"{scenario.name}, round {number + 1} of {run.options.rounds}: {contender.title}")
                _measure(run, scenario, contender, number, known)


def _measure(
    run: Run, scenario: Scenario, contender: Contender, number: int, known: Mapping[str, Vector]
) -> None:
    try:
        with running(run.room, contender, scenario.work, known) as server:
            verify(server.address, known)
            warm_up = min(1.0, scenario.seconds)
            drive(run.room, server.address, known, connections=WARM_UP_CONNECTIONS, seconds=warm_up)
            for connections in scenario.connections:
                seconds, before = scenario.seconds, usage(server.pid).cpu_s
                point = drive(run.room, server.address, known, connections=connections, seconds=seconds)
                point = point.with_cpu(usage(server.pid).cpu_s - before)
                run.record.add(Place(scenario.name, contender.name, connections), number, point)
    except DidNotStart as exc:
        run.leave_out(contender, scenario.name, str(exc))
    except (WrongAnswer, LoadFailed, OSError, HTTPException) as exc:
        run.skip(contender, scenario.name, str(exc) or type(exc).__name__)


def _run_raw_loop(run: Run, scenario: Scenario, number: int) -> None:
    run.say(f"embedding, round {number + 1} of {run.options.rounds}: the loop without a server")
    for batch in RAW_BATCHES:
        options = ("--batch", str(batch), "--seconds", str(scenario.seconds))
        command = raw_loop(run.room, scenario.texts, *options)
        done = subprocess.run(command, capture_output=True, check=True, env=run.room.variables())
        said = json.loads(done.stdout)
        items = round(said["items_per_s"] * scenario.seconds)
        point = Point(said["items_per_s"], None, None, items, cpu_us=said["cpu_us"])
        run.record.add(Place(scenario.name, RAW, batch), number, point)
