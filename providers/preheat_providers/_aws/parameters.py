"""Parameters of a stack: the artifact bucket, the hash of the token, and the secrets. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from preheat_providers._aws.stacks import Stack
from preheat_providers._aws.templates.names import secret_parameter

TOKEN_PARAMETER = "TokenSha256"  # noqa: S105 - the name of a parameter
ARTIFACT_BUCKET = "ArtifactBucket"


def declared_parameters(secrets: Iterable[str], *, token: bool) -> dict[str, Any]:
    """Return what a template declares: one for each variable of `secrets`, one for a `token`."""
    hidden = {"Type": "String", "NoEcho": True}
    names = [*([TOKEN_PARAMETER] if token else []), *map(secret_parameter, sorted(secrets))]
    return {ARTIFACT_BUCKET: {"Type": "String"}, **{name: dict(hidden) for name in names}}


def has_token(stack: Stack | None) -> bool:
    """Say whether a deployed stack has a token already, which then stays."""
    return stack is not None and TOKEN_PARAMETER in stack.parameters


def stack_parameters(
    *, bucket: str, secrets: Mapping[str, str], token: bool, token_sha256: str | None
) -> dict[str, str | None]:
    """Return the value of each parameter; None keeps the one that the stack has.

    With `token` the endpoint asks for one, and `token_sha256` is None where it has it already.
    """
    values: dict[str, str | None] = {ARTIFACT_BUCKET: bucket}
    if token:
        values[TOKEN_PARAMETER] = token_sha256
    return values | {secret_parameter(variable): value for variable, value in secrets.items()}


def artifact_bucket(stack: Stack | None) -> str | None:
    """Return the artifact bucket that a stack was deployed with."""
    return stack.parameters.get(ARTIFACT_BUCKET) if stack is not None else None
