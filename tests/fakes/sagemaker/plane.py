"""SageMaker's API in the test's process: models, configs, endpoints and their states. Ours, not AWS's.

It speaks the protocol that boto3 speaks (JSON 1.1), and refuses what the documentation says is refused. What
an endpoint goes through is told beforehand: `courses` has the states of each creation and update to come.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
BUSY = ("Creating", "Updating")


class Refusal(Exception):
    """What is answered with 400."""


@dataclass(frozen=True)
class Course:
    """What an endpoint goes through, one state for each question, and the last for ever.

    With `held`, it stays in the first one until that is set.
    """

    states: tuple[str, ...]
    reason: str = ""
    held: threading.Event | None = None


def well(state: str) -> Course:
    """The usual course of a creation or an update."""
    return Course((state, "InService"))


@dataclass
class Endpoint:
    """One endpoint; `config` is the one that answers, `wanted` the one that an update goes to."""

    name: str
    config: str
    wanted: str
    course: Course
    asked: int = 0
    updates: list[Json] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The state now."""
        return self.course.states[min(self.asked, len(self.course.states) - 1)]


@dataclass
class Plane:
    """The account's endpoints.

    `started` is called with one that is in service with a config, `ended` with the name of one that was
    deleted.
    """

    started: Callable[["Plane", Endpoint], None] = lambda plane, endpoint: None
    ended: Callable[[str], None] = lambda name: None
    models: dict[str, Json] = field(default_factory=dict)
    configs: dict[str, Json] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    courses: list[Course] = field(default_factory=list)
    quotas: dict[str, float] = field(default_factory=dict)
    instances: dict[str, int] = field(default_factory=dict)
    scaled: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    url: str = ""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, operation: str, asked: Json) -> Json:
        """Return the answer to one call. Raises Refusal."""
        with self._lock:
            self.seen.append(operation)
            found: Json = getattr(self, f"_{operation}")(asked)
            return found

    def _CreateModel(self, asked: Json) -> Json:
        self.models[_new(self.models, asked["ModelName"])] = asked
        return {"ModelArn": _arn("model", asked["ModelName"])}

    def _DeleteModel(self, asked: Json) -> Json:
        self.models.pop(_known(self.models, asked["ModelName"], "model"))
        return {}

    def _CreateEndpointConfig(self, asked: Json) -> Json:
        for variant in asked["ProductionVariants"]:
            _known(self.models, variant["ModelName"], "model")
        name = _new(self.configs, asked["EndpointConfigName"])
        self.configs[name] = asked | {"CreationTime": time.time()}
        return {"EndpointConfigArn": _arn("endpoint-config", name)}

    def _DescribeEndpointConfig(self, asked: Json) -> Json:
        name = _known(self.configs, asked["EndpointConfigName"], "endpoint configuration")
        return self.configs[name] | {"EndpointConfigArn": _arn("endpoint-config", name)}

    def _DeleteEndpointConfig(self, asked: Json) -> Json:
        self.configs.pop(_known(self.configs, asked["EndpointConfigName"], "endpoint configuration"))
        return {}

    def _CreateEndpoint(self, asked: Json) -> Json:
        name = _new(self.endpoints, asked["EndpointName"])
        config = _known(self.configs, asked["EndpointConfigName"], "endpoint configuration")
        self.endpoints[name] = Endpoint(name, config, config, self._course("Creating"))
        return {"EndpointArn": _arn("endpoint", name)}

    def _UpdateEndpoint(self, asked: Json) -> Json:
        endpoint = self._idle(asked["EndpointName"])
        wanted = _known(self.configs, asked["EndpointConfigName"], "endpoint configuration")
        self._demand_updatable(endpoint, self.configs[wanted])
        endpoint.wanted = wanted
        endpoint.course, endpoint.asked = self._course("Updating"), 0
        endpoint.updates.append(asked)
        return {"EndpointArn": _arn("endpoint", endpoint.name)}

    def _DeleteEndpoint(self, asked: Json) -> Json:
        self.ended(self.endpoints.pop(self._idle(asked["EndpointName"]).name).name)
        return {}

    def _DescribeEndpoint(self, asked: Json) -> Json:
        endpoint = self.endpoints[_known(self.endpoints, asked["EndpointName"], "endpoint")]
        if endpoint.course.held is None or endpoint.course.held.is_set():
            endpoint.asked += 1
        if endpoint.state == "InService" and not endpoint.course.reason:
            endpoint.config = endpoint.wanted
            self.started(self, endpoint)
        variant = self.configs[endpoint.config]["ProductionVariants"][0]
        count = self.instances.get(endpoint.name, variant.get("InitialInstanceCount"))
        counted = {} if count is None else {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
        return {
            "EndpointName": endpoint.name,
            "EndpointArn": _arn("endpoint", endpoint.name),
            "EndpointConfigName": endpoint.config,
            "EndpointStatus": endpoint.state,
            "CreationTime": 0,
            "LastModifiedTime": 0,
            "ProductionVariants": [{"VariantName": variant["VariantName"], **counted}],
        } | ({"FailureReason": endpoint.course.reason} if endpoint.course.reason else {})

    def _RegisterScalableTarget(self, asked: Json) -> Json:
        self.scaled.add(asked["ResourceId"].split("/")[1])
        return {}

    def _DeregisterScalableTarget(self, asked: Json) -> Json:
        self.scaled.discard(asked["ResourceId"].split("/")[1])
        return {}

    def _ListServiceQuotas(self, asked: Json) -> Json:
        codes = {name: f"L-{number:08}" for number, name in enumerate(self.quotas)}
        return {
            "Quotas": [
                {
                    "ServiceCode": asked["ServiceCode"],
                    "QuotaName": name,
                    "QuotaCode": codes[name],
                    "Value": value,
                }
                for name, value in self.quotas.items()
            ]
        }

    def _ListAWSDefaultServiceQuotas(self, asked: Json) -> Json:
        del asked
        return {"Quotas": []}

    def _demand_updatable(self, endpoint: Endpoint, wanted: Json) -> None:
        now = self.configs[endpoint.config]
        if ("AsyncInferenceConfig" in now) != ("AsyncInferenceConfig" in wanted):
            raise Refusal(
                f"The AsyncInferenceConfig parameter cannot be removed from this endpoint {endpoint.name}."
            )
        before, after = (each["ProductionVariants"][0] for each in (now, wanted))
        if ("ServerlessConfig" in before) != ("ServerlessConfig" in after):
            raise Refusal(f"Cannot change endpoint {endpoint.name} from or to a serverless one.")
        if endpoint.name in self.scaled and before.get("InstanceType") != after.get("InstanceType"):
            raise Refusal(
                f"The variant {before['VariantName']} of endpoint {endpoint.name} is scaled: deregister it "
                "before its instance type is changed."
            )

    def _course(self, state: str) -> Course:
        return self.courses.pop(0) if self.courses else well(state)

    def _idle(self, name: str) -> Endpoint:
        endpoint = self.endpoints[_known(self.endpoints, name, "endpoint")]
        if endpoint.state in BUSY:
            raise Refusal(f'Cannot update in-progress endpoint "{_arn("endpoint", name)}".')
        return endpoint


def _new(there: Mapping[str, object], name: str) -> str:
    if name in there:
        raise Refusal(f'Cannot create already existing "{name}".')
    return name


def _known(there: Mapping[str, object], name: str, kind: str) -> str:
    if name not in there:
        raise Refusal(f'Could not find {kind} "{name}".')
    return name


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:123456789012:{kind}/{name.lower()}"


@contextmanager
def serving_plane(plane: Plane) -> Iterator[str]:
    """Answer for `plane` until the block ends; yield the address."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
            operation = self.headers["x-amz-target"].rpartition(".")[2]
            try:
                status, document = 200, plane.answer(operation, asked)
            except Refusal as refusal:
                status, document = 400, {"__type": "ValidationException", "message": str(refusal)}
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        plane.url = f"http://127.0.0.1:{server.server_port}"
        yield plane.url
        server.shutdown()
        thread.join()
