"""Environments, secrets, prices and who asks."""

import base64
import json
import time

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2
from tests.fakes.modal.state import BUILDER, Secret, State, not_found

WORKSPACE = "plane"


class Workspace:
    """The account and its environments."""

    def __init__(self, state: State) -> None:
        self._state = state

    def ClientHello(self, _: Empty) -> api_pb2.ClientHelloResponse:
        return api_pb2.ClientHelloResponse(image_builder_version=BUILDER)

    def AuthTokenGet(self, _: api_pb2.AuthTokenGetRequest) -> api_pb2.AuthTokenGetResponse:
        header, claims = ({"alg": "none"}, {"exp": int(time.time()) + 3600})
        parts = (base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in (header, claims))
        return api_pb2.AuthTokenGetResponse(token=f"{b'.'.join(parts).decode()}.unsigned")

    def WorkspaceNameLookup(self, _: Empty) -> api_pb2.WorkspaceNameLookupResponse:
        return api_pb2.WorkspaceNameLookupResponse(username=WORKSPACE)

    def WorkspaceBillingRates(
        self, _: api_pb2.WorkspaceBillingRatesRequest
    ) -> api_pb2.WorkspaceBillingRatesResponse:
        return api_pb2.WorkspaceBillingRatesResponse(rates=self._state.rates)

    def EnvironmentGetOrCreate(
        self, request: api_pb2.EnvironmentGetOrCreateRequest
    ) -> api_pb2.EnvironmentGetOrCreateResponse:
        name = request.deployment_name
        if name and request.object_creation_type == api_pb2.OBJECT_CREATION_TYPE_CREATE_IF_MISSING:
            self._add(name)
        name = self._state.environment(name)
        settings = api_pb2.EnvironmentSettings(image_builder_version=BUILDER)
        return api_pb2.EnvironmentGetOrCreateResponse(
            environment_id=self._id(name),
            metadata=api_pb2.EnvironmentMetadata(name=name, settings=settings),
        )

    def EnvironmentCreate(self, request: api_pb2.EnvironmentCreateRequest) -> Empty:
        if request.name in self._state.environments:
            raise GRPCError(Status.ALREADY_EXISTS, f"Environment '{request.name}' already exists")
        self._add(request.name)
        return Empty()

    def EnvironmentDelete(self, request: api_pb2.EnvironmentDeleteRequest) -> Empty:
        self._state.environments.remove(self._state.environment(request.name))
        return Empty()

    def EnvironmentList(self, _: Empty) -> api_pb2.EnvironmentListResponse:
        items = [
            api_pb2.EnvironmentListItem(name=name, default=number == 0, environment_id=self._id(name))
            for number, name in enumerate(self._state.environments)
        ]
        return api_pb2.EnvironmentListResponse(items=items)

    def _add(self, name: str) -> None:
        if name not in self._state.environments:
            self._state.environments.append(name)

    def _id(self, name: str) -> str:
        return f"en-{name}"


class Secrets:
    """Secrets, whose values leave this process only as the environment of a container."""

    def __init__(self, state: State) -> None:
        self._state = state

    def SecretGetOrCreate(
        self, request: api_pb2.SecretGetOrCreateRequest
    ) -> api_pb2.SecretGetOrCreateResponse:
        environment = self._state.environment(request.environment_name)
        how = request.object_creation_type
        found = self._named(request.deployment_name, environment)
        if found and how == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"Secret '{request.deployment_name}' already exists")
        if found is None and how == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            raise not_found(f"Secret '{request.deployment_name}'")
        if found is None:
            found = Secret(self._state.new_id("st"), request.deployment_name, environment, {})
            self._state.secrets[found.id] = found
            found.values.update(request.env_dict)
        elif how == api_pb2.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS:
            found.values = dict(request.env_dict)
        missing = [key for key in request.required_keys if key not in found.values]
        if missing:
            raise not_found(f"Secret '{found.name}' has no {', '.join(missing)}: key")
        return api_pb2.SecretGetOrCreateResponse(secret_id=found.id, metadata=self._metadata(found))

    def SecretList(self, request: api_pb2.SecretListRequest) -> api_pb2.SecretListResponse:
        environment = self._state.environment(request.environment_name)
        items = [
            api_pb2.SecretListItem(
                label=secret.name,
                secret_id=secret.id,
                environment_name=environment,
                metadata=self._metadata(secret),
            )
            for secret in self._state.secrets.values()
            if secret.name and secret.environment == environment
        ]
        return api_pb2.SecretListResponse(items=items, environment_name=environment)

    def SecretDelete(self, request: api_pb2.SecretDeleteRequest) -> Empty:
        del self._state.secrets[request.secret_id]
        return Empty()

    def _named(self, name: str, environment: str) -> Secret | None:
        wanted = (name, environment)
        secrets = self._state.secrets.values()
        return next((s for s in secrets if name and (s.name, s.environment) == wanted), None)

    def _metadata(self, secret: Secret) -> api_pb2.SecretMetadata:
        return api_pb2.SecretMetadata(
            name=secret.name, keys=sorted(secret.values), environment_name=secret.environment
        )
