"""An account with endpoints: MiniStack, our control plane and our asynchronous endpoints, as one."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pytest
from tests.fakes.aws.cloud import Cloud, account
from tests.fakes.aws.ministack import Ministack
from tests.fakes.aws.registry_door import Door, registry_door
from tests.fakes.sagemaker.endpoint import COMPLETED, AsyncEndpoint
from tests.fakes.sagemaker.invocation import AsyncConfig
from tests.fakes.sagemaker.plane import Endpoint, Plane, serving_plane
from tests.fakes.sagemaker.running import Instance, fetch
from tests.fakes.sagemaker.runtime_api import serving

from preheat_providers.sagemaker.template.names import VARIANT

STREAM = "main/i-0"


class Running(Protocol):
    """A container that runs, as what starts one gives it."""

    @property
    def address(self) -> str:
        """Where it answers."""
        ...

    def new_lines(self) -> list[str]:
        """Return the lines that it has written since this was asked last."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def nothing(model: dict[str, Any]) -> Running | None:
    """Start no container: requests wait."""
    del model
    return None


@dataclass
class Account:
    """What a test sees of it. `launch` starts the container of each model that an endpoint comes to run."""

    cloud: Cloud
    plane: Plane
    door: Door
    folder: Path
    queues: dict[str, AsyncEndpoint] = field(default_factory=dict)
    direct: dict[str, str] = field(default_factory=dict)
    launch: Callable[[dict[str, Any]], Running | None] = nothing
    running: dict[str, Running] = field(default_factory=dict)
    _configs: dict[str, str] = field(default_factory=dict)
    _replaced: dict[str, list[Running]] = field(default_factory=dict)
    _telling: threading.RLock = field(default_factory=threading.RLock)
    """Held while CloudWatch is told: requests end at the same time, and one log stream is made once."""

    def as_process(self, model: dict[str, Any]) -> Running:
        """Start the image of a model as a process of this machine, and wait for it: a `launch`."""
        container = model["PrimaryContainer"]
        scratch = self.folder / f"{len(list(self.folder.iterdir()))}"
        scratch.mkdir()
        image = fetch(container["Image"], self.door, self.folder)
        instance = Instance(image, container["Environment"], scratch / "log")
        try:
            assert instance.until_well(), instance.new_lines()
        except BaseException:
            instance.close()
            raise
        return instance

    def start(self, plane: Plane, endpoint: Endpoint) -> None:
        """Have the container of its model answer for an endpoint, in place of the one before."""
        config, name = plane.configs[endpoint.config], endpoint.name
        if self._configs.get(name) == endpoint.config:
            return
        self._configs[name] = endpoint.config
        if "AsyncInferenceConfig" in config and name not in self.queues:
            self.queues[name] = AsyncEndpoint(
                name,
                AsyncConfig.of(config["AsyncInferenceConfig"]),
                self.cloud.client("s3"),
                self._publish,
                told=self._count,
            )
        before = self.running.pop(name, None)
        running = self.launch(plane.models[config["ProductionVariants"][0]["ModelName"]])
        if running is not None:
            self.running[name] = running
            self._connect(name, running)
        if before is not None:
            self._replaced.setdefault(name, []).append(before)
            if name in self.queues:
                self.queues[name].remove_instance(before.address)

    def end(self, name: str) -> None:
        """End the queue and the containers of an endpoint."""
        self._configs.pop(name, None)
        self.direct.pop(name, None)
        if name in self.queues:
            self.queues.pop(name).close()
        last = self.running.pop(name, None)
        for each in (*self._replaced.pop(name, ()), *([last] if last else [])):
            each.close()

    def close(self) -> None:
        """End all that runs."""
        for name in list(self._configs):
            self.end(name)

    def _connect(self, name: str, running: Running) -> None:
        if name in self.queues:
            self.queues[name].add_instance(running.address)
        else:
            self.direct[name] = running.address

    def _publish(self, topic: str, message: str) -> object:
        return self.cloud.client("sns").publish(TopicArn=topic, Message=message)

    def _count(self, endpoint: AsyncEndpoint, how: str, seconds: float) -> None:
        """Have CloudWatch know of a request what SageMaker tells it: figures, and what was written."""
        figures = {"InvocationsProcessed": 1.0, "InvocationFailures": float(how != COMPLETED)}
        by_endpoint = [{"Name": "EndpointName", "Value": endpoint.name}]
        by_variant = [*by_endpoint, {"Name": "VariantName", "Value": VARIANT}]
        data = [
            {"MetricName": key, "Value": each, "Dimensions": by_endpoint} for key, each in figures.items()
        ]
        latency = {"MetricName": "ModelLatency", "Value": seconds * 1e6, "Dimensions": by_variant}
        with self._telling:
            client = self.cloud.client("cloudwatch")
            client.put_metric_data(Namespace="AWS/SageMaker", MetricData=[*data, latency])
            if endpoint.name in self.running and (lines := self.running[endpoint.name].new_lines()):
                self.write_log(f"/aws/sagemaker/Endpoints/{endpoint.name}", *lines)

    def write_log(self, group: str, *lines: str) -> None:
        """Write lines as a container does."""
        with self._telling:
            logs, moment = self.cloud.client("logs"), int(time.time() * 1000)
            if not logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=STREAM)["logStreams"]:
                logs.create_log_stream(logGroupName=group, logStreamName=STREAM)
            events = [{"timestamp": moment, "message": line} for line in lines]
            logs.put_log_events(logGroupName=group, logStreamName=STREAM, logEvents=events)


@contextmanager
def sagemaker_account() -> Iterator[Account]:
    """An account; the environment leads to it."""
    plane = Plane()
    queues: dict[str, AsyncEndpoint] = {}
    direct: dict[str, str] = {}
    with ExitStack() as stack:
        address = stack.enter_context(serving_plane(plane))
        runtime = stack.enter_context(serving(queues, direct))
        told = {"PREHEAT_TEST_PLANE": address, "PREHEAT_TEST_RUNTIME": runtime}
        server = Ministack("tests.fakes.sagemaker.stacks", told)
        cloud = stack.enter_context(account(server))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", address)
        environment.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", address)
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sagemaker-")))
        door = stack.enter_context(registry_door(cloud))
        made = Account(cloud, plane, door, folder, queues, direct)
        plane.started, plane.ended = made.start, made.end
        stack.callback(made.close)
        yield made
