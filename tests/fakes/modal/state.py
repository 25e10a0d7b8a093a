"""What the control plane remembers: plain records, changed on its loop only."""

import itertools
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grpclib import GRPCError, Status
from modal_proto import api_pb2
from tests.fakes.modal.bell import Bell
from tests.fakes.modal.journal import Faults, Journal

BUILDER = "2025.06"
"""The image builder version of every environment: the newest that all supported clients know."""


def not_found(what: str) -> GRPCError:
    """Return the error for an object that is not there."""
    return GRPCError(Status.NOT_FOUND, f"{what} not found")


@dataclass
class LogLine:
    """One line that a container wrote; `number` counts from 1 within its app."""

    number: int
    task: str
    function: str
    text: str
    descriptor: "api_pb2.FileDescriptor.ValueType"
    at: float = field(default_factory=time.time)


@dataclass
class Version:
    """One deployment of an app: which definition each function had."""

    number: int
    functions: dict[str, str]
    classes: dict[str, str]
    definitions: dict[str, str]
    request: api_pb2.AppPublishRequest
    rollback_of: int = 0
    at: float = field(default_factory=time.time)


@dataclass
class App:
    """An app, its deployments and what its containers wrote. `functions` and `classes` map tags to ids."""

    id: str
    name: str
    environment: str
    state: "api_pb2.AppState.ValueType"
    functions: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    production: int = 0
    logs: list[LogLine] = field(default_factory=list)
    created_at: float = field(default_factory=time.time)
    stopped_at: float = 0.0


@dataclass
class Input:
    """One input of a call, and where it stands."""

    id: str
    call: "Call"
    index: int
    body: api_pb2.FunctionInput
    retry: int = 0
    container: str = ""
    cancelled: bool = False
    output: api_pb2.FunctionGetOutputsItem | None = None


@dataclass
class Call:
    """One call of a function, with the data streams of generators and web requests."""

    id: str
    function: "Function"
    invocation: "api_pb2.FunctionCallInvocationType.ValueType"
    inputs: dict[str, Input] = field(default_factory=dict)
    data_in: list[api_pb2.DataChunk] = field(default_factory=list)
    data_out: list[api_pb2.DataChunk] = field(default_factory=list)
    outputs: list[api_pb2.FunctionGetOutputsItem] = field(default_factory=list)
    """In the order of their ends, with those that were retried afterwards."""
    at: float = field(default_factory=time.time)


@dataclass
class Function:
    """A function, or the one function behind a class; `live` is the definition that new containers run."""

    id: str
    app: App
    name: str
    shape: api_pb2.FunctionPrecreateRequest
    definitions: dict[str, api_pb2.Function] = field(default_factory=dict)
    newest: str = ""
    live: str = ""
    urls: dict[str, str] = field(default_factory=dict)
    override: api_pb2.AutoscalerSettings = field(default_factory=api_pb2.AutoscalerSettings)
    queue: deque[Input] = field(default_factory=deque)
    base: str = ""
    """The function that this one is with `parameters` of a class bound to it."""
    parameters: bytes = b""

    @property
    def definition(self) -> api_pb2.Function:
        """The definition that runs, or the newest before the first publication."""
        return self.definitions[self.live or self.newest]

    @property
    def settings(self) -> api_pb2.AutoscalerSettings:
        """What the deployment says of scaling, with what was changed live."""
        merged = api_pb2.AutoscalerSettings()
        merged.CopyFrom(self.definition.autoscaler_settings)
        merged.MergeFrom(self.override)
        return merged


@dataclass
class Secret:
    """A secret; one without a name belongs to an app."""

    id: str
    name: str
    environment: str
    values: dict[str, str]


@dataclass
class Volume:
    """A volume; its files lie in `folder`, which containers see."""

    id: str
    name: str
    environment: str
    folder: Path

    def files(self) -> dict[str, Path]:
        """Return the files by their path in the volume."""
        found = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path for path in found}


@dataclass
class Mount:
    """Files that were uploaded to be mounted: a global one has a name and no files here."""

    id: str
    name: str
    files: tuple[api_pb2.MountFile, ...]


@dataclass
class State:
    """Everything; `folder` has what is too large for memory."""

    folder: Path
    faults: Faults = field(default_factory=Faults)
    bell: Bell = field(default_factory=Bell)
    journal: Journal = field(init=False)
    environments: list[str] = field(default_factory=lambda: ["main"])
    apps: dict[str, App] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The app and the tag of each class."""
    secrets: dict[str, Secret] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    mounts: dict[str, Mount] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    rates: dict[str, str] = field(default_factory=dict)
    """What the account pays, by resource, as decimal numbers."""
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.journal = Journal(self.bell)

    def new_id(self, prefix: str) -> str:
        """Return an identifier that no other object has."""
        return f"{prefix}-{next(self._numbers):06d}"

    def environment(self, name: str) -> str:
        """Return the environment of that name, the first where it is empty."""
        if name and name not in self.environments:
            raise not_found(f"Environment '{name}'")
        return name or self.environments[0]

    def app(self, app_id: str) -> App:
        """Return an app by its id."""
        if app_id not in self.apps:
            raise not_found(f"App {app_id}")
        return self.apps[app_id]

    def deployed(self, name: str, environment: str) -> App | None:
        """Return the app that is deployed under `name`."""
        alive = api_pb2.APP_STATE_DEPLOYED
        wanted = (name, self.environment(environment), alive)
        return next((a for a in self.apps.values() if (a.name, a.environment, a.state) == wanted), None)

    def function(self, function_id: str) -> Function:
        """Return a function by its id."""
        if function_id not in self.functions:
            raise not_found(f"Function {function_id}")
        return self.functions[function_id]

    def publish(self, function_id: str, definition: str) -> None:
        """Make new containers of a function, and of what is bound to it, run `definition`."""
        for function in self.functions.values():
            if function_id in (function.id, function.base):
                function.live = definition

    def log(
        self, task: str, function: Function, text: str, descriptor: "api_pb2.FileDescriptor.ValueType"
    ) -> None:
        """Add a line to the log of the function's app."""
        logs = function.app.logs
        logs.append(LogLine(len(logs) + 1, task, function.id, text, descriptor))
        self.bell.ring()

    def functions_of(self, app: App) -> Iterable[Function]:
        """Return the functions of an app, with those bound to parameters."""
        return [function for function in self.functions.values() if function.app is app]
