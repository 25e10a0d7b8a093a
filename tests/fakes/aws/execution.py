"""MiniStack with Lambda's real runtime in it: the program that `tests.fakes.aws.ministack` starts.

MiniStack creates stacks, keeps versions, polls queues and asks IAM. It would run a function by a worker
of its own, in its own Python. Here AWS's interface emulator and Lambda's own Python client run it instead
(`tests.fakes.lambda_emulator`). What of MiniStack is replaced for that, in `main`:

    the worker and who calls it     one event in one execution environment; MiniStack's pool keeps them
    the engine for images           the same (`tests.fakes.aws.image_functions`), where MiniStack wants Docker
    what an alias points to         MiniStack keeps the weights of an alias, and does not use them
    the pace of the schedules       looked at every second, and not every ten
    names that are taken            refused, as CloudFormation does
    connections, API destinations   made by stacks, too; EventBridge has them
    a stack in review               takes a second change set, as in CloudFormation
    the lines of a function's log   each has an id, as every line in CloudWatch
    the metrics of a function       also by alias, as Lambda counts them
"""

import io
import json
import os
import random
import re
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import cloudwatch, cloudwatch_logs, lambda_svc, scheduler
from tests.fakes.aws.api_destinations import know_api_destinations
from tests.fakes.aws.image_functions import image_emulator
from tests.fakes.aws.reviews import keep_waiting_stacks
from tests.fakes.aws.taken import refuse_taken_names
from tests.fakes.lambda_emulator import HANDLER, PYTHON, Emulator, Reply, Unpacked

CLIENT = Path(os.environ.pop("PREHEAT_TEST_CLIENT"))
"""The Python that stands for that of Lambda's runtime."""

PLATFORM = re.compile(r"\d\d \w{3} \d{4} \d\d:\d\d:\d\d,\d{3} \[|(START|END|REPORT) RequestId: ")
"""What the emulator writes of itself; MiniStack writes the like."""

Record = dict[str, Any]


class Environment(lambda_runtime.Worker):  # type: ignore[misc]  # MiniStack carries no types
    """One execution environment of a function's version, as MiniStack's pool keeps them."""

    def __init__(self, name: str, config: Mapping[str, Any], code: bytes) -> None:
        super().__init__(name, config, code)
        self._running = ExitStack()
        self._emulator: Emulator | None = None
        self._told = 0

    def _spawn(self) -> None:
        """Leave it to the first event: the emulator starts the function no earlier."""

    def _discard_tmpdir(self) -> None:
        self._running.close()

    def answer(self, event: object) -> tuple[Reply, str]:
        """Run one event and return what came of it, and what the function has written since the last one."""
        with self._lock:
            if self._emulator is None:
                self._emulator = self._running.enter_context(self._started())
            reply = self._emulator.invoke(event)
            said = self._emulator.lines[self._told :]
            self._told += len(said)
        return reply, "\n".join(line for line in said if not PLATFORM.match(line))

    def _started(self) -> Emulator:
        config = self.config
        if config["PackageType"] == "Image":
            return image_emulator(config, variables(config), CLIENT)
        assert (config["Handler"], config["Runtime"]) == (HANDLER, f"python{PYTHON}"), config
        layers = [lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers", ())]
        return Emulator(
            Unpacked(task=laid(self.code_zip), opt=laid(*layers)),
            python=CLIENT,
            env=variables(config),
            timeout_s=config["Timeout"],
            memory_mb=config["MemorySize"],
        )


@cache
def laid(*archives: bytes) -> Path:
    """Return a folder with what is in `archives`, each laid over the ones before."""
    folder = Path(tempfile.mkdtemp(prefix="unpacked-"))
    for archive in archives:
        zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
    return folder


def variables(config: Mapping[str, Any]) -> dict[str, str]:
    """Return what Lambda sets for this function, and the address of what stands for AWS."""
    _, region = lambda_runtime._account_region_from_function_config(config)
    own: dict[str, str] = config.get("Environment", {}).get("Variables", {})
    return {
        **own,
        "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": config["Version"],
        "AWS_LAMBDA_LOG_GROUP_NAME": config.get("LoggingConfig", {}).get("LogGroup", ""),
        "AWS_LAMBDA_LOG_FORMAT": config.get("LoggingConfig", {}).get("LogFormat", "Text"),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **lambda_runtime.execution_credentials(config),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
    }


def execute(function: Record, event: object, request_id: str) -> Record:
    """Run one event in an environment that is free, or in a new one."""
    config = function["config"]
    environment, _ = lambda_runtime.acquire_worker(
        config["FunctionName"], config, function["code_zip"], qualifier=config["Version"]
    )
    begun = time.monotonic()
    try:
        reply, log = environment.answer(event)
    finally:
        lambda_runtime.release_worker(environment)
    result = result_of(reply)
    count(config, failed=result.get("error", False), ms=(time.monotonic() - begun) * 1000)
    return result | {"log": log}


def count(config: Mapping[str, Any], *, failed: bool, ms: float) -> None:
    """Count an event for the aliases that lead to this version."""
    name, version = config["FunctionName"], config["Version"]
    for alias, record in lambda_svc._functions[name]["aliases"].items():
        if version in {record["FunctionVersion"], *weights_of(record)}:
            dimensions = {"FunctionName": name, "Resource": f"{name}:{alias}"}
            cloudwatch.record_metric("AWS/Lambda", "Invocations", 1, "Count", dimensions)
            cloudwatch.record_metric("AWS/Lambda", "Errors", int(failed), "Count", dimensions)
            cloudwatch.record_metric("AWS/Lambda", "Duration", ms, "Milliseconds", dimensions)


def result_of(reply: Reply) -> Record:
    """Return what came of an event as MiniStack says it."""
    try:
        value = reply.value
    except json.JSONDecodeError:  # the emulator's own text when the time was up
        message = reply.body.decode(errors="replace")
        return {"body": {"errorType": "Sandbox.Timedout", "errorMessage": message}, "error": True}
    failed = lambda_svc._classify_function_error(value, "")
    return {"body": value, "error": True, "function_error": failed} if failed else {"body": value}


def drawn(function: Record | None, qualifier: str | None) -> str | None:
    """Return the version that an alias's weights give this call, or `qualifier` if it is no such alias."""
    aliases = (function or {}).get("aliases", {})
    left = random.random()
    for version, weight in weights_of(aliases.get(qualifier, {})).items():
        left -= weight
        if left < 0:
            return str(version)
    return qualifier


def weights_of(alias: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the shares of the versions beside the one that an alias leads to."""
    weights: Mapping[str, float] = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return weights


def main() -> None:
    """Serve until a signal."""
    invoke, by_reference = lambda_svc._invoke, lambda_svc._get_func_record_for_ref_in_scope

    async def routed_invoke(
        name: str, event: object, headers: Mapping[str, str], path: str | None, query: Mapping[str, Any]
    ) -> Any:
        given = path or lambda_svc._qp_first(query or {}, "Qualifier") or None
        return await invoke(name, event, headers, drawn(lambda_svc._functions.get(name), given), query)

    def routed_reference(reference: str, *, account_id: str, region: str) -> Any:
        name, _, alias = reference.partition(":")
        function = lambda_svc._functions.get_scoped(account_id, region, name)
        version = drawn(function, alias or None)
        return by_reference(f"{name}:{version}" if version else name, account_id=account_id, region=region)

    lambda_runtime._worker_class_for = lambda config: Environment
    lambda_svc._execute_function_warm = lambda_svc._execute_function_docker = execute
    lambda_svc._invoke = routed_invoke
    lambda_svc._get_func_record_for_ref_in_scope = routed_reference
    scheduler._SCHEDULE_TICK_INTERVAL = 1
    append = cloudwatch_logs._append_log_events
    cloudwatch_logs._append_log_events = lambda stream, events: append(
        stream, [{"eventId": uuid.uuid4().hex, **event} for event in events]
    )
    refuse_taken_names()
    know_api_destinations()
    keep_waiting_stacks()
    sys.argv[1:] = []
    app.main()


if __name__ == "__main__":
    main()
