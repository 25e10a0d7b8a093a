"""MiniStack with endpoints in it: the program that `tests.fakes.sagemaker.account` starts.

MiniStack knows neither SageMaker nor Application Auto Scaling. Here its CloudFormation makes and removes
models, configs and endpoints in the test's own control plane (`tests.fakes.sagemaker.plane`), tells it
whether an endpoint is scaled, and takes policies for made. Functions run by the handler that their
configuration names, and find endpoints at the test's own address. What EventBridge calls is called
asynchronously, with the retries and the destination that the function is configured with; MiniStack has these
for all other callers.
"""

import json
import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import eventbridge, lambda_svc, s3
from ministack.services.cloudformation import provisioners, stacks
from tests.fakes.aws import execution
from tests.fakes.lambda_emulator import Emulator, Unpacked

PLANE, RUNTIME = os.environ["PREHEAT_TEST_PLANE"], os.environ["PREHEAT_TEST_RUNTIME"]
POLL_S = 0.02
BUSY = ("Creating", "Updating")
Json = dict[str, Any]
KINDS = {
    "AWS::SageMaker::Model": ("Model", "ModelName"),
    "AWS::SageMaker::EndpointConfig": ("EndpointConfig", "EndpointConfigName"),
    "AWS::SageMaker::Endpoint": ("Endpoint", "EndpointName"),
}
TARGET, POLICY = "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"
UPDATED = ("EndpointName", "EndpointConfigName", "DeploymentConfig", "RetainAllVariantProperties")


def call(operation: str, **asked: Any) -> Json:
    """Make one call of SageMaker's API. Raises ValueError with what it answers."""
    request = urllib.request.Request(
        PLANE, json.dumps(asked).encode(), {"x-amz-target": f"SageMaker.{operation}"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request) as answer:
            found: Json = json.loads(answer.read())
            return found
    except urllib.error.HTTPError as error:
        with error:
            said = json.loads(error.read())
        raise ValueError(f"{said['message']} (Service: SageMaker, Status Code: 400)") from error


def settled(name: str) -> None:
    """Wait for an endpoint. Raises ValueError where it does not come to service."""
    while (found := call("DescribeEndpoint", EndpointName=name))["EndpointStatus"] in BUSY:
        time.sleep(POLL_S)
    reason = found.get("FailureReason", "")
    if found["EndpointStatus"] != "InService" or reason:
        said = f'Resource handler returned message: "{reason}"'
        raise ValueError(f"{said} (RequestToken: 1, HandlerErrorCode: NotStabilized)")


def attributes(kind: str, name: str) -> Json:
    """Return what Fn::GetAtt gives."""
    return {KINDS[kind][1]: name}


def creating(kind: str) -> Callable[[str, Json, str], tuple[str, Json]]:
    """Return what makes a resource of a kind."""
    operation, key = KINDS[kind]

    def create(logical_id: str, properties: Json, stack: str) -> tuple[str, Json]:
        del stack
        name = properties.get(key) or f"{logical_id}-{uuid.uuid4().hex[:12]}"
        asked = {name: each for name, each in properties.items() if name != "RetainAllVariantProperties"}
        call(f"Create{operation}", **{**asked, key: name})
        if operation == "Endpoint":
            try:
                settled(name)
            except ValueError:
                call("DeleteEndpoint", EndpointName=name)  # as a stack does that goes back
                raise
        return name, attributes(kind, name)

    return create


def updating(kind: str) -> Callable[[str, Json, Json, str, str], tuple[str, Json]]:
    """Return what changes a resource: an endpoint in place, all else is replaced."""
    create = creating(kind)

    def update(name: str, old: Json, new: Json, stack: str, logical_id: str) -> tuple[str, Json]:
        if kind != "AWS::SageMaker::Endpoint":
            return create(logical_id, new, stack)
        if old.get("EndpointConfigName") != new["EndpointConfigName"]:
            call("UpdateEndpoint", **{key: new[key] for key in UPDATED if key in new})
            settled(name)
        return name, attributes(kind, name)

    return update


def deleting(kind: str) -> Callable[[str, Json], None]:
    """Return what removes a resource."""
    operation, key = KINDS[kind]

    def delete(name: str, properties: Json) -> None:
        del properties
        try:
            call(f"Delete{operation}", **{key: name})
        except ValueError as error:
            if "Could not find" not in str(error):  # what is gone already is deleted
                raise

    return delete


def scale(logical_id: str, properties: Json, stack: str) -> tuple[str, Json]:
    """Register what scales an endpoint, as the endpoint's own."""
    del logical_id, stack
    name: str = properties["ResourceId"]
    call("RegisterScalableTarget", ResourceId=name)
    return name, {}


def drop_bucket(name: str, properties: Json) -> None:
    """Remove a bucket unless it holds something; MiniStack's own removes it with all it holds."""
    if s3._buckets.get(name, {}).get("objects"):
        raise ValueError(
            "The bucket you tried to delete is not empty (Service: Amazon S3; Status Code: 409; "
            "Error Code: BucketNotEmpty; Request ID: 1)"
        )
    provisioners._s3_delete(name, properties)


class Environment(execution.Environment):
    """An execution environment of a function by whatever handler."""

    def _started(self) -> Emulator:
        config = self.config
        layers = [lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers", ())]
        return Emulator(
            Unpacked(task=execution.laid(self.code_zip), opt=execution.laid(*layers)),
            python=execution.CLIENT,
            env=variables(config),
            timeout_s=config["Timeout"],
            memory_mb=config["MemorySize"],
            handler=config["Handler"],
        )


def variables(config: Mapping[str, Any]) -> dict[str, str]:
    """Return what Lambda sets, and where endpoints answer."""
    return execution.variables(config) | {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": RUNTIME}


def dispatch(arn: str, payload: str) -> None:
    """Call the target of a rule."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    record = lambda_svc._execution_record_for_config(function, config)
    configured = {key: each for key, each in function.items() if key.startswith("event_invoke")}
    lambda_svc.invoke_async_with_retry({**record, **configured}, json.loads(payload))


def main() -> None:
    """Serve until a signal."""
    eventbridge._dispatch_to_lambda = dispatch
    execution.Environment = Environment  # type: ignore[misc]
    for kind in KINDS:
        provisioners._RESOURCE_HANDLERS[kind] = {
            "create": creating(kind),
            "update": updating(kind),
            "update_with_logical_id": True,
            "delete": deleting(kind),
        }
    provisioners._RESOURCE_HANDLERS[TARGET] = {
        "create": scale,
        "update": lambda name, old, new, stack: (name, {}),
        "delete": lambda name, properties: call("DeregisterScalableTarget", ResourceId=name),
    }
    provisioners._RESOURCE_HANDLERS[POLICY] = {
        "create": lambda logical_id, properties, stack: (f"{stack}-{logical_id}", {}),
        "update": lambda name, old, new, stack: (name, {}),
        "delete": lambda name, properties: None,
    }
    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["delete"] = drop_bucket
    blocking = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind in KINDS or blocking(kind)
    execution.main()


if __name__ == "__main__":
    main()
