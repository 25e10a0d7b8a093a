"""An account with endpoints: MiniStack, our control plane and our asynchronous endpoints, as one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.fakes.aws.cloud import Cloud, account
from tests.fakes.aws.ministack import Ministack
from tests.fakes.aws.registry_door import Door, registry_door
from tests.fakes.sagemaker.endpoint import AsyncEndpoint
from tests.fakes.sagemaker.invocation import AsyncConfig
from tests.fakes.sagemaker.plane import Endpoint, Plane, serving_plane
from tests.fakes.sagemaker.runtime_api import serving


def nothing(model: dict[str, Any]) -> str | None:
    """Start no container: requests wait."""
    del model
    return None


@dataclass
class Account:
    """What a test sees of it. `launch` starts the container of each model that an endpoint comes to run."""

    cloud: Cloud
    plane: Plane
    queues: dict[str, AsyncEndpoint]
    door: Door
    launch: Callable[[dict[str, Any]], str | None] = nothing
    running: dict[str, str] = field(default_factory=dict)

    def start(self, plane: Plane, endpoint: Endpoint) -> None:
        """Put the queue of an asynchronous endpoint before the container of its model."""
        config = plane.configs[endpoint.config]
        if "AsyncInferenceConfig" not in config or self.running.get(endpoint.name) == endpoint.config:
            return
        self.running[endpoint.name] = endpoint.config
        if endpoint.name not in self.queues:
            self.queues[endpoint.name] = AsyncEndpoint(
                endpoint.name,
                AsyncConfig.of(config["AsyncInferenceConfig"]),
                self.cloud.client("s3"),
                self._publish,
            )
        address = self.launch(plane.models[config["ProductionVariants"][0]["ModelName"]])
        if address is not None:
            self.queues[endpoint.name].add_instance(address)

    def _publish(self, topic: str, message: str) -> object:
        return self.cloud.client("sns").publish(TopicArn=topic, Message=message)


@contextmanager
def sagemaker_account() -> Iterator[Account]:
    """An account; the environment leads to it."""
    plane = Plane()
    queues: dict[str, AsyncEndpoint] = {}
    with ExitStack() as stack:
        address = stack.enter_context(serving_plane(plane))
        runtime = stack.enter_context(serving(queues))
        told = {"PREHEAT_TEST_PLANE": address, "PREHEAT_TEST_RUNTIME": runtime}
        server = Ministack("tests.fakes.sagemaker.stacks", told)
        cloud = stack.enter_context(account(server))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", address)
        environment.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", address)
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime)
        made = Account(cloud, plane, queues, stack.enter_context(registry_door(cloud)))
        plane.started = made.start
        yield made
        for each in queues.values():
            each.close()
