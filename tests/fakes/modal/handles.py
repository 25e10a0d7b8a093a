"""What clients and containers are told of functions, classes and apps."""

from google.protobuf.json_format import MessageToDict, ParseDict
from modal_proto import api_pb2
from tests.fakes.modal.state import App, Function, State
from tests.fakes.modal.volumes import metadata as volume_metadata


def function_handle(function: Function) -> api_pb2.FunctionHandleMetadata:
    """Return what a client needs to call `function`, with the addresses of its web endpoints."""
    shape = function.shape
    handle = api_pb2.FunctionHandleMetadata(
        function_name=shape.function_name,
        function_type=shape.function_type,
        app_id=function.app.id,
        function_schema=shape.function_schema,
        definition_id=function.newest or f"de-{function.id[3:]}-0",
        supported_input_formats=shape.supported_input_formats,
        supported_output_formats=shape.supported_output_formats,
        web_url=function.urls.get("", ""),
    )
    if function.definitions:
        handle.class_parameter_info.CopyFrom(function.definition.class_parameter_info)
    for name, method in shape.method_definitions.items():
        handle.method_handle_metadata[name].CopyFrom(
            api_pb2.FunctionHandleMetadata(
                function_name=method.function_name,
                function_type=method.function_type,
                is_method=True,
                use_method_name=name,
                function_schema=method.function_schema,
                supported_input_formats=method.supported_input_formats,
                supported_output_formats=method.supported_output_formats,
                web_url=function.urls.get(name, ""),
            )
        )
    return handle


def function_data(definition: api_pb2.Function) -> api_pb2.FunctionData:
    """Return the form of a function that clients since 1.6 read: shared fields, then the ranked ones."""
    document = MessageToDict(definition, preserving_proto_field_name=True, use_integers_for_enums=True)
    shared = api_pb2.FunctionData.DESCRIPTOR.fields_by_name
    kept = {name: value for name, value in document.items() if name in shared}
    data = ParseDict(kept, api_pb2.FunctionData())
    data.ranked_functions.add(rank=0, function=definition)
    return data


def class_handle(state: State, class_id: str) -> api_pb2.ClassHandleMetadata:
    """Return what a client needs to use a class: its one function."""
    app_id, tag = state.classes[class_id]
    function_id = state.app(app_id).functions[f"{tag}.*"]
    handle = function_handle(state.function(function_id))
    return api_pb2.ClassHandleMetadata(class_function_id=function_id, class_function_metadata=handle)


def layout(state: State, app: App) -> api_pb2.AppLayout:
    """Return every object of an app, with what its functions depend on."""
    objects = {
        identity: api_pb2.Object(
            object_id=identity, function_handle_metadata=function_handle(state.function(identity))
        )
        for identity in app.functions.values()
    }
    for function_id in app.functions.values():
        for dependency in state.function(function_id).definition.object_dependencies:
            objects.setdefault(dependency.object_id, _dependency(state, dependency.object_id))
    for class_id in app.classes.values():
        objects[class_id] = api_pb2.Object(
            object_id=class_id, class_handle_metadata=class_handle(state, class_id)
        )
    return api_pb2.AppLayout(objects=objects.values(), function_ids=app.functions, class_ids=app.classes)


def _dependency(state: State, object_id: str) -> api_pb2.Object:
    made = api_pb2.Object(object_id=object_id)
    if object_id in state.mounts:
        made.mount_handle_metadata.SetInParent()
    elif object_id in state.volumes:
        made.volume_metadata.CopyFrom(volume_metadata(state.volumes[object_id]))
    return made
