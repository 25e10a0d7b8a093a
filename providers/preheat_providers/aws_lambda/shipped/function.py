"""A function that is ready: its model behind an engine, and every kind of event led to it. Ships."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from preheat.interface.manifest import Manifest
from preheat.interface.message import Engine, Request, Response
from preheat.runtime.answers import collected
from preheat.runtime.engines import Guarded, guarded
from preheat.runtime.loader import Model
from preheat.runtime.log import log_to_stderr
from preheat.runtime.serial import Alarm, SerialEngine, settled
from preheat_providers.aws_lambda.shipped.context import LambdaContext, left_s
from preheat_providers.aws_lambda.shipped.direct import call, request
from preheat_providers.aws_lambda.shipped.homes import Home
from preheat_providers.aws_lambda.shipped.looping import Loop
from preheat_providers.aws_lambda.shipped.settings import CONTRACT, Sandbox, Settings
from preheat_providers.aws_lambda.shipped.shapes import REQUEST, Kind, UnknownEvent, kind_of, unannounced
from preheat_providers.aws_lambda.shipped.web.invocations import Invocations
from preheat_providers.aws_lambda.shipped.web.proxy import Answer, Event, is_http

if TYPE_CHECKING:
    from preheat_providers.aws_lambda.shipped.events.routing import Events
    from preheat_providers.aws_lambda.shipped.jobs.attempts import Attempts
    from preheat_providers.aws_lambda.shipped.jobs.queue import JobQueue
    from preheat_providers.aws_lambda.shipped.jobs.waiting import FunctionJobs

Web = Callable[[Event, LambdaContext], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model that is warm, and where it runs."""

    settings: Settings
    sandbox: Sandbox
    manifest: Manifest
    model: Model
    home: Home
    loop: Loop
    alarm: Alarm


class Function:
    """Answers the events of one execution environment, one after another."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._front = _front(loaded)
        self._invoke = _invoker(loaded, self._front)
        self._authenticate = _door(loaded.settings.token_sha256)
        self._hot = Invocations(self._invoke, limits=loaded.model.limits, authenticate=self._authenticate)
        self._web: Web | None = None
        self._events: Events | None = None

    def handle(self, event: Any, context: LambdaContext) -> Any:
        """Answer one event. Raises what Lambda is to report, and to try again where it does."""
        if isinstance(event, dict) and is_http(event):
            answer = self._hot.answer(event, request_id=context.aws_request_id, left_s=left_s(context))
            return answer if answer is not None else self.web()(event, context)
        match kind := kind_of(event):
            case "direct":
                return call(event, context, self._invoke)
            case "request":
                return request(event[REQUEST], context, self._invoke, self._loaded.model.limits)
            case "warm":
                return None
            case "job":
                return self._attempts.run(event, context)
            case _:
                return self._deliver(kind, event, context)

    def _deliver(self, kind: Kind, event: Any, context: LambdaContext) -> Any:
        if not self._loaded.settings.triggers:
            raise unannounced(kind)
        return self.events().handle(kind, event, context)

    def web(self) -> Web:
        """Return what answers HTTP beside the hot path, made when it is first needed."""
        if self._web is None:
            from preheat_providers.aws_lambda.shipped.web.application import web_application

            self._loaded.loop.open()
            self._web = web_application(
                self._front,
                self._loaded.model,
                name=self._loaded.manifest.name,
                version=self._loaded.sandbox.version,
                learned=self._loaded.sandbox.task / CONTRACT,
                authenticate=self._authenticate,
                jobs=self._jobs(),
            )
        return self._web

    def events(self) -> "Events":
        """Return what runs without a request, made when it is first needed."""
        if self._events is None:
            from preheat_providers.aws_lambda.shipped.events.routing import Events

            limit = self._loaded.model.limits.body_bytes
            name = self._loaded.manifest.name
            self._events = Events(name, self._loaded.settings, self._invoke, limit=limit)
        return self._events

    def _jobs(self) -> "FunctionJobs | None":
        if self._loaded.settings.jobs_bucket is None:
            return None
        from preheat_providers.aws_lambda.shipped.jobs.waiting import FunctionJobs

        return FunctionJobs(lambda: self._queue)

    @cached_property
    def _queue(self) -> "JobQueue":
        """Made when a job is first spoken of: it imports the AWS SDK."""
        from preheat_providers.aws_lambda.shipped.jobs.opening import open_queue

        return open_queue(self._loaded.settings, self._loaded.sandbox)

    @cached_property
    def _attempts(self) -> "Attempts":
        if self._loaded.settings.jobs_bucket is None:
            raise UnknownEvent(
                "A job came, and this function takes none. "
                "Set jobs = true in [provider.aws_lambda] of preheat.toml, and deploy."
            )
        from preheat_providers.aws_lambda.shipped.jobs.attempts import Attempts

        return Attempts(self._queue, self._invoke)


def _front(loaded: Loaded) -> Guarded:
    contract = loaded.model.contract
    caching = contract.caching
    document = {"cache": caching.document() if caching else None}
    engine = loaded.loop.run(_looping_engine(loaded)) if _needs_loop(loaded.model) else _serial_engine(loaded)
    if loaded.settings.tracing:
        engine = _traced(loaded, engine)
    return guarded(engine, document, loaded.sandbox.version)


def _traced(loaded: Loaded, engine: Engine) -> Engine:
    from preheat_providers.aws_lambda.shipped.traces import Traced

    return Traced(engine, service=loaded.manifest.name, release=loaded.sandbox.version)


def _needs_loop(model: Model) -> bool:
    return model.contract.is_async or model.contract.is_stream


def _serial_engine(loaded: Loaded) -> Engine:
    return SerialEngine(loaded.model, loaded.alarm, memory_mb=loaded.sandbox.memory_mb)


async def _looping_engine(loaded: Loaded) -> Engine:
    from preheat.runtime.engine import ModelEngine

    return ModelEngine(
        loaded.model, loaded.home.thread, memory_mb=loaded.sandbox.memory_mb, on_stuck=_make_room
    )


def _invoker(loaded: Loaded, front: Guarded) -> Callable[[Request], Response]:
    if not _needs_loop(loaded.model) and loaded.model.contract.caching is None:
        return lambda request: settled(front.invoke(request))

    async def whole(request: Request) -> Response:
        return await collected(await front.invoke(request))

    return lambda request: loaded.loop.run(whole(request))


def _door(token_sha256: str | None) -> Callable[[Mapping[str, str]], None]:
    if token_sha256 is None:
        return _open_door
    from preheat.runtime.server.tokens import bearer_check

    return bearer_check(token_sha256)


def _open_door(_: Mapping[str, str]) -> None:
    """Let every caller in."""


def _make_room() -> None:
    """End the process, so that the next event finds a new one: nothing can stop a thread."""
    message = "a stream still runs for a request that was given up, and cannot be stopped: ending."
    log_to_stderr({"level": "error", "event": "stuck", "message": message})
    os._exit(1)
