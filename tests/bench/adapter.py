"""What stands between an event of a Function URL and predict: time per event, in this process.

Each round times a batch of events by each way, in turn, with a predict that does nothing. The bare
function parses, calls and prints JSON, and checks nothing. Run: `python -m tests.bench.adapter [ROUNDS]`.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel
from tests.bench.table import show
from tests.fakes.lambda_events import Context, version_2
from tests.fakes.lambda_function import function_of

import preheat
from preheat.runtime.serial import SignalAlarm
from preheat_providers.aws_lambda.shipped.looping import Loop

EVENTS = 2000
BARE = "bare function"
OURS = "preheat, hot path"
PREDICT = "predict alone"
HEADERS = {
    "content-type": "application/json",
    "user-agent": "Mozilla/5.0",
    "x-amzn-tls-version": "TLSv1.3",
    "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-port": "443",
    "accept-encoding": "gzip, deflate, br",
}
EVENT = version_2("/invocations", b'{"text": "hello", "times": 2}', HEADERS)


class Query(BaseModel):
    text: str
    times: int


class Model(preheat.Handler):
    def predict(self, query: dict[str, Any]) -> dict[str, Any]:
        return query


def ways() -> dict[str, Callable[[], object]]:
    """Return what is timed."""
    model = Model()
    query = json.loads(EVENT["body"])
    function = function_of(Model, Loop(), alarm=SignalAlarm())
    app = FastAPI()

    @app.post("/invocations")
    def endpoint(query: Query) -> dict[str, Any]:
        return model.predict(query.model_dump())

    adapter = Mangum(app, lifespan="off")
    context = Context()

    def bare(event: dict[str, Any]) -> dict[str, Any]:
        answer = model.predict(json.loads(event["body"]))
        return {
            "statusCode": 200,
            "headers": {"content-type": "application/json"},
            "body": json.dumps(answer),
        }

    return {
        PREDICT: lambda: model.predict(query),
        BARE: lambda: bare(EVENT),
        OURS: lambda: function.handle(EVENT, context),
        "preheat, the surface behind Mangum": lambda: function.web()(EVENT, context),
        "FastAPI + Mangum": lambda: adapter(dict(EVENT), context),  # type: ignore[arg-type]
    }


def main(rounds: int = 15) -> None:
    """Print the table."""
    timed = ways()
    figures: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(rounds + 1):
        for name, call in timed.items():
            events = EVENTS if name in (PREDICT, BARE, OURS) else EVENTS // 20
            begun = time.perf_counter()
            for _ in range(events):
                call()
            if number:
                figures[name].append((time.perf_counter() - begun) / events * 1e6)
    aims = {OURS: "predict + 20 us"}
    show("Time per event in the adapter", figures, baseline=BARE, unit="us", aims=aims)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
