"""How a container signs in to AWS: with the role that trusts Modal, or keys that a Secret has. Ships.

With a role, Modal's own token for the container says who asks, and no key is kept anywhere:
https://modal.com/docs/guide/oidc-integration.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from preheat.errors import ProviderError

if TYPE_CHECKING:
    from botocore.credentials import CredentialProvider
    from botocore.session import Session as CoreSession
    from mypy_boto3_s3 import S3Client

    from preheat.runtime.objects.storage import Storage

TOKEN = "MODAL_IDENTITY_TOKEN"  # noqa: S105 - the name of a variable
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""What a Secret has to have where there is no role."""


def open_storage(role: str | None, environ: Mapping[str, str]) -> "Callable[[], Storage]":
    """Return what gives the storage of this container, made when it is first asked for."""
    made: list[Storage] = []

    def storage() -> "Storage":
        if not made:
            from preheat.runtime.objects.storage import S3Storage

            made.append(S3Storage(_client(role, environ)))
        return made[0]

    return storage


def _client(role: str | None, environ: Mapping[str, str]) -> "S3Client":
    from boto3 import Session
    from botocore.config import Config
    from botocore.credentials import CredentialResolver
    from botocore.session import get_session

    core = get_session()
    if role is not None:
        exchange = CredentialResolver(providers=[_exchange(role, environ, core)])
        core.register_component("credential_provider", exchange)
    config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
    client: S3Client = Session(botocore_session=core).client("s3", config=config)
    return client


def _exchange(role: str, environ: Mapping[str, str], core: "CoreSession") -> "CredentialProvider":
    """Return what gives the SDK credentials for Modal's token, and new ones before they expire."""
    from botocore.credentials import (
        AssumeRoleWithWebIdentityCredentialFetcher,
        CredentialProvider,
        DeferredRefreshableCredentials,
    )

    if not environ.get(TOKEN):
        raise ProviderError(f"The container has no {TOKEN}, which is to be exchanged for the role {role}.")
    fetcher = AssumeRoleWithWebIdentityCredentialFetcher(
        client_creator=core.create_client,
        web_identity_token_loader=lambda: environ[TOKEN],
        role_arn=role,
        extra_args={"RoleSessionName": "preheat"},
    )

    class Exchange(CredentialProvider):
        METHOD = "assume-role-with-web-identity"

        def load(self) -> DeferredRefreshableCredentials:
            return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)

    return Exchange()
