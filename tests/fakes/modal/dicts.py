"""Dicts: entries by key, written once where the client asks for that."""

from dataclasses import dataclass, field

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2
from tests.fakes.modal.state import State, not_found


@dataclass
class Dict:
    """One Dict; keys and values are as the client has packed them."""

    id: str
    name: str
    environment: str
    entries: dict[bytes, bytes] = field(default_factory=dict)


class Dicts:
    """The calls of modal.Dict."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._dicts: dict[str, Dict] = {}

    def DictGetOrCreate(self, request: api_pb2.DictGetOrCreateRequest) -> api_pb2.DictGetOrCreateResponse:
        name, environment = request.deployment_name, self._state.environment(request.environment_name)
        named = (d for d in self._dicts.values() if (d.name, d.environment) == (name, environment))
        found = next(named, None)
        if found is None:
            if request.object_creation_type == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
                raise not_found(f"Dict '{name}'")
            found = Dict(self._state.new_id("di"), name, environment)
            self._dicts[found.id] = found
        return api_pb2.DictGetOrCreateResponse(
            dict_id=found.id, metadata=api_pb2.DictMetadata(name=found.name)
        )

    def DictUpdate(self, request: api_pb2.DictUpdateRequest) -> api_pb2.DictUpdateResponse:
        entries = self._dict(request.dict_id).entries
        created = False
        for update in request.updates:
            if not (request.if_not_exists and update.key in entries):
                created = update.key not in entries
                entries[update.key] = update.value
        return api_pb2.DictUpdateResponse(created=created)

    def DictGet(self, request: api_pb2.DictGetRequest) -> api_pb2.DictGetResponse:
        value = self._dict(request.dict_id).entries.get(request.key)
        return api_pb2.DictGetResponse(found=value is not None, value=value)

    def DictDelete(self, request: api_pb2.DictDeleteRequest) -> Empty:
        del self._dicts[self._dict(request.dict_id).id]
        return Empty()

    def _dict(self, identity: str) -> Dict:
        if identity not in self._dicts:
            raise not_found(f"Dict {identity}")
        return self._dicts[identity]
