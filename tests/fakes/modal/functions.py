"""Functions and classes: defined by a deployment, looked up by callers, scaled live."""

from typing import Protocol

from modal_proto import api_pb2
from tests.fakes.modal.handles import class_handle, function_data, function_handle
from tests.fakes.modal.state import App, Function, State, not_found


class Doors(Protocol):
    """Gives web endpoints an address."""

    async def open(self, function: Function, method: str) -> str:
        """Return the address of a web function, or of a method of a class."""


class Containers(Protocol):
    """What a change of the settings, and a question for the load, concern."""

    def follow(self, app: App) -> None:
        """Start the containers that are always to be there."""

    def count(self, function: Function) -> int:
        """Return how many containers of `function` there are."""


class Functions:
    """The calls of functions and classes."""

    def __init__(self, state: State, doors: Doors, containers: Containers) -> None:
        self._state = state
        self._doors = doors
        self._containers = containers

    async def FunctionPrecreate(
        self, request: api_pb2.FunctionPrecreateRequest
    ) -> api_pb2.FunctionPrecreateResponse:
        function = self._function(request.app_id, request.existing_function_id, request)
        await self._open(function)
        return api_pb2.FunctionPrecreateResponse(
            function_id=function.id, handle_metadata=function_handle(function)
        )

    async def FunctionCreate(self, request: api_pb2.FunctionCreateRequest) -> api_pb2.FunctionCreateResponse:
        ranked = request.function_data.ranked_functions
        definition = api_pb2.Function()
        definition.CopyFrom(request.function if request.HasField("function") else ranked[0].function)
        function = self._function(request.app_id, request.existing_function_id, _shape(definition))
        await self._open(function)
        for method, declared in definition.method_definitions.items():
            declared.web_url = function.urls.get(method, "")
        definition.web_url = function.urls.get("", "")
        function.newest = f"de-{function.id[3:]}-{len(function.definitions) + 1}"
        function.definitions[function.newest] = definition
        ranking = request.HasField("function_data")
        return api_pb2.FunctionCreateResponse(
            function_id=function.id,
            function=definition,
            handle_metadata=function_handle(function),
            function_data=request.function_data if ranking else function_data(definition),
        )

    def FunctionGet(self, request: api_pb2.FunctionGetRequest) -> api_pb2.FunctionGetResponse:
        app = self._state.deployed(request.app_name, request.environment_name)
        if app is None or request.object_tag not in app.functions:
            raise not_found(f"Function '{request.object_tag}' in app '{request.app_name}'")
        function = self._state.function(app.functions[request.object_tag])
        return api_pb2.FunctionGetResponse(
            function_id=function.id,
            handle_metadata=function_handle(function),
            function=function_data(function.definition),
        )

    def ClassCreate(self, request: api_pb2.ClassCreateRequest) -> api_pb2.ClassCreateResponse:
        identity = request.existing_class_id or self._state.new_id("cs")
        self._state.classes.setdefault(identity, (request.app_id, ""))
        return api_pb2.ClassCreateResponse(class_id=identity, handle_metadata=api_pb2.ClassHandleMetadata())

    def ClassGet(self, request: api_pb2.ClassGetRequest) -> api_pb2.ClassGetResponse:
        app = self._state.deployed(request.app_name, request.environment_name)
        if app is None or request.object_tag not in app.classes:
            raise not_found(f"Class '{request.object_tag}' in app '{request.app_name}'")
        identity = app.classes[request.object_tag]
        return api_pb2.ClassGetResponse(
            class_id=identity, handle_metadata=class_handle(self._state, identity)
        )

    def FunctionBindParams(
        self, request: api_pb2.FunctionBindParamsRequest
    ) -> api_pb2.FunctionBindParamsResponse:
        base = self._state.function(request.function_id)
        bound = Function(self._state.new_id("fu"), base.app, base.name, base.shape, base=base.id)
        bound.definitions, bound.newest, bound.live = base.definitions, base.newest, base.live
        bound.parameters = request.serialized_params
        self._state.functions[bound.id] = bound
        return api_pb2.FunctionBindParamsResponse(
            bound_function_id=bound.id, handle_metadata=function_handle(bound)
        )

    def FunctionUpdateSchedulingParams(
        self, request: api_pb2.FunctionUpdateSchedulingParamsRequest
    ) -> api_pb2.FunctionUpdateSchedulingParamsResponse:
        function = self._state.function(request.function_id)
        function.override.MergeFrom(request.settings)
        self._containers.follow(function.app)
        return api_pb2.FunctionUpdateSchedulingParamsResponse(current_settings=function.settings)

    def FunctionGetSchedulingParams(
        self, request: api_pb2.FunctionGetSchedulingParamsRequest
    ) -> api_pb2.FunctionGetSchedulingParamsResponse:
        function = self._state.function(request.function_id)
        configuration = api_pb2.AutoscalerConfiguration(
            settings=function.settings,
            static_settings=function.definition.autoscaler_settings,
            override_settings=function.override,
        )
        return api_pb2.FunctionGetSchedulingParamsResponse(autoscaler_configuration=configuration)

    def FunctionGetCurrentStats(
        self, request: api_pb2.FunctionGetCurrentStatsRequest
    ) -> api_pb2.FunctionStats:
        function = self._state.function(request.function_id)
        calls = [call for call in self._state.calls.values() if call.function is function]
        inputs = [one for call in calls for one in call.inputs.values() if one.output is None]
        return api_pb2.FunctionStats(
            backlog=len(function.queue),
            num_total_tasks=self._containers.count(function),
            num_running_inputs=sum(bool(one.container) for one in inputs),
        )

    def _function(self, app_id: str, existing: str, shape: api_pb2.FunctionPrecreateRequest) -> Function:
        function = self._state.functions.get(existing)
        if function is None:
            app = self._state.app(app_id)
            function = Function(self._state.new_id("fu"), app, shape.function_name, shape)
            self._state.functions[function.id] = function
        function.shape = shape
        return function

    async def _open(self, function: Function) -> None:
        if function.shape.webhook_config.type:
            function.urls[""] = await self._doors.open(function, "")
        for method, declared in function.shape.method_definitions.items():
            if declared.webhook_config.type:
                function.urls[method] = await self._doors.open(function, method)


def _shape(definition: api_pb2.Function) -> api_pb2.FunctionPrecreateRequest:
    return api_pb2.FunctionPrecreateRequest(
        function_name=definition.function_name,
        function_type=definition.function_type,
        webhook_config=definition.webhook_config,
        method_definitions=definition.method_definitions,
        function_schema=definition.function_schema,
        supported_input_formats=definition.supported_input_formats,
        supported_output_formats=definition.supported_output_formats,
    )
