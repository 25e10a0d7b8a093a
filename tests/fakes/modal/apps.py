"""Apps: created, published, rolled back, promoted, listed and stopped."""

import time
from typing import Protocol

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2
from tests.fakes.modal.handles import layout
from tests.fakes.modal.state import App, State, Version, not_found

LIVE = (api_pb2.APP_STATE_DEPLOYED, api_pb2.APP_STATE_EPHEMERAL)


class Fleet(Protocol):
    """What follows from a deployment."""

    def follow(self, app: App) -> None:
        """Drain the containers of other definitions and start those that are always to be there."""

    def stop(self, app: App) -> None:
        """Drain every container of `app`."""

    def drain_one(self, task: str) -> None:
        """Drain the container with that id."""

    def running(self, app: App) -> list[tuple[str, float]]:
        """Return the ids of its containers with the time of their start."""


class Apps:
    """The calls of apps."""

    def __init__(self, state: State, fleet: Fleet) -> None:
        self._state = state
        self._fleet = fleet

    def AppGetByDeploymentName(
        self, request: api_pb2.AppGetByDeploymentNameRequest
    ) -> api_pb2.AppGetByDeploymentNameResponse:
        environment = self._state.environment(request.environment_name)
        app = self._state.deployed(request.name, environment)
        if app is None:
            return api_pb2.AppGetByDeploymentNameResponse(environment_name=environment)
        return api_pb2.AppGetByDeploymentNameResponse(
            app_id=app.id, environment_name=environment, lifecycle=lifecycle(app)
        )

    def AppCreate(self, request: api_pb2.AppCreateRequest) -> api_pb2.AppCreateResponse:
        app = self._new(request.description, request.environment_name, request.app_state)
        app.tags = dict(request.tags)
        return api_pb2.AppCreateResponse(
            app_id=app.id, app_page_url=_page(app), app_logs_url=f"{_page(app)}/logs"
        )

    def AppGetOrCreate(self, request: api_pb2.AppGetOrCreateRequest) -> api_pb2.AppGetOrCreateResponse:
        app = self._state.deployed(request.app_name, request.environment_name)
        if app is None:
            if request.object_creation_type != api_pb2.OBJECT_CREATION_TYPE_CREATE_IF_MISSING:
                raise not_found(f"App '{request.app_name}'")
            deployed = api_pb2.APP_STATE_DEPLOYED
            app = self._new(request.app_name, request.environment_name, deployed)
        return api_pb2.AppGetOrCreateResponse(app_id=app.id, handle_metadata=_handle(app))

    def AppHeartbeat(self, _: api_pb2.AppHeartbeatRequest) -> Empty:
        return Empty()

    def AppClientDisconnect(self, request: api_pb2.AppClientDisconnectRequest) -> Empty:
        app = self._state.app(request.app_id)
        if app.state != api_pb2.APP_STATE_DEPLOYED:
            self._end(app)
        return Empty()

    def AppGetLayout(self, request: api_pb2.AppGetLayoutRequest) -> api_pb2.AppGetLayoutResponse:
        app = self._state.app(request.app_id)
        return api_pb2.AppGetLayoutResponse(app_layout=layout(self._state, app))

    def AppPublish(self, request: api_pb2.AppPublishRequest) -> api_pb2.AppPublishResponse:
        app = self._state.app(request.app_id)
        app.name, app.state, app.tags = request.name or app.name, request.app_state, dict(request.tags)
        version = Version(
            number=len(app.versions) + 1,
            functions=dict(request.function_ids),
            classes=dict(request.class_ids),
            definitions=dict(request.definition_ids),
            request=request,
        )
        app.versions.append(version)
        if not request.staged:
            self._produce(app, version)
        return api_pb2.AppPublishResponse(url=_page(app), deployed_at=version.at)

    def AppRollback(self, request: api_pb2.AppRollbackRequest) -> api_pb2.AppRollbackResponse:
        app = self._state.app(request.app_id)
        number = request.version if request.version > 0 else app.production + (request.version or -1)
        version = self._again(app, number, rollback_of=number)
        return api_pb2.AppRollbackResponse(url=_page(app), deployed_at=version.at)

    def AppRollover(self, request: api_pb2.AppRolloverRequest) -> api_pb2.AppRolloverResponse:
        app = self._state.app(request.app_id)
        self._fleet.stop(app)
        version = self._again(app, app.production)
        return api_pb2.AppRolloverResponse(url=_page(app), deployed_at=version.at)

    def AppPromote(self, request: "api_pb2.AppPromoteRequest") -> "api_pb2.AppPromoteResponse":
        app = self._state.app(request.app_id)
        self._produce(app, self._version(app, request.version))
        return api_pb2.AppPromoteResponse(url=_page(app), deployed_at=time.time())

    def AppDeploymentHistory(
        self, request: api_pb2.AppDeploymentHistoryRequest
    ) -> api_pb2.AppDeploymentHistoryResponse:
        app = self._state.app(request.app_id)
        items = [
            api_pb2.AppDeploymentHistory(
                app_id=app.id,
                version=version.number,
                deployed_at=version.at,
                deployed_by="tester",
                tag=version.request.deployment_tag,
                rollback_version=version.rollback_of,
                rollback_allowed=True,
                commit_info=version.request.commit_info,
            )
            for version in reversed(app.versions)
        ]
        return api_pb2.AppDeploymentHistoryResponse(
            app_deployment_histories=items, production_app_version=app.production
        )

    def AppStop(self, request: api_pb2.AppStopRequest) -> Empty:
        self._end(self._state.app(request.app_id))
        return Empty()

    def AppList(self, request: api_pb2.AppListRequest) -> api_pb2.AppListResponse:
        environment = self._state.environment(request.environment_name)
        items = [
            api_pb2.AppListResponse.AppListItem(
                app_id=app.id,
                description=app.name,
                name=app.name,
                state=app.state,
                created_at=app.created_at,
                stopped_at=app.stopped_at,
                n_running_tasks=len(self._fleet.running(app)),
            )
            for app in self._state.apps.values()
            if app.environment == environment
        ]
        return api_pb2.AppListResponse(apps=items)

    def AppGetLifecycle(self, request: api_pb2.AppGetLifecycleRequest) -> api_pb2.AppGetLifecycleResponse:
        return api_pb2.AppGetLifecycleResponse(lifecycle=lifecycle(self._state.app(request.app_id)))

    def AppGetTags(self, request: api_pb2.AppGetTagsRequest) -> api_pb2.AppGetTagsResponse:
        return api_pb2.AppGetTagsResponse(tags=self._state.app(request.app_id).tags)

    def AppSetTags(self, request: api_pb2.AppSetTagsRequest) -> Empty:
        self._state.app(request.app_id).tags = dict(request.tags)
        return Empty()

    def TaskList(self, request: api_pb2.TaskListRequest) -> api_pb2.TaskListResponse:
        apps = [app for app in self._state.apps.values() if request.app_id in ("", app.id)]
        tasks = [
            api_pb2.TaskStats(
                task_id=task, app_id=app.id, app_description=app.name, started_at=at, enqueued_at=at
            )
            for app in apps
            for task, at in self._fleet.running(app)
        ]
        return api_pb2.TaskListResponse(tasks=tasks)

    def ContainerStop(self, request: api_pb2.ContainerStopRequest) -> api_pb2.ContainerStopResponse:
        self._fleet.drain_one(request.task_id)
        return api_pb2.ContainerStopResponse()

    def _new(self, name: str, environment: str, state: "api_pb2.AppState.ValueType") -> App:
        app = App(self._state.new_id("ap"), name, self._state.environment(environment), state)
        self._state.apps[app.id] = app
        return app

    def _version(self, app: App, number: int) -> Version:
        if not 0 < number <= len(app.versions):
            raise GRPCError(Status.INVALID_ARGUMENT, f"App '{app.name}' has no version {number}")
        return app.versions[number - 1]

    def _again(self, app: App, number: int, rollback_of: int = 0) -> Version:
        old = self._version(app, number)
        version = Version(
            len(app.versions) + 1, old.functions, old.classes, old.definitions, old.request, rollback_of
        )
        app.versions.append(version)
        self._produce(app, version)
        return version

    def _produce(self, app: App, version: Version) -> None:
        app.functions, app.classes = version.functions, version.classes
        app.production = version.number
        for tag, class_id in app.classes.items():
            self._state.classes[class_id] = (app.id, tag)
        for function_id, definition in version.definitions.items():
            self._state.publish(function_id, definition)
        if app.state in LIVE:
            self._fleet.follow(app)

    def _end(self, app: App) -> None:
        app.state, app.stopped_at = api_pb2.APP_STATE_STOPPED, time.time()
        self._fleet.stop(app)
        self._state.bell.ring()


def lifecycle(app: App) -> api_pb2.AppLifecycle:
    """Return the state of an app as clients see it."""
    return api_pb2.AppLifecycle(
        app_state=app.state,
        created_at=app.created_at,
        deployed_at=app.versions[-1].at if app.versions else 0.0,
        version=app.production,
        stopped_at=app.stopped_at,
    )


def _handle(app: App) -> api_pb2.AppHandleMetadata:
    return api_pb2.AppHandleMetadata(
        description=app.name, app_id=app.id, environment_name=app.environment, lifecycle=lifecycle(app)
    )


def _page(app: App) -> str:
    return f"https://modal.example/apps/{app.id}"
