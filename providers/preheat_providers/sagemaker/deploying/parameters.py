"""What the stack is told beside its template: the bucket, the token's hash and the secrets. Pure."""

from collections.abc import Mapping

from preheat_providers._aws.stacks import Stack
from preheat_providers.sagemaker.template.names import secret_parameter
from preheat_providers.sagemaker.template.variables import ARTIFACT_BUCKET, TOKEN_PARAMETER


def has_token(stack: Stack | None) -> bool:
    """Say whether a deployed stack has a token already, which then stays."""
    return stack is not None and TOKEN_PARAMETER in stack.parameters


def stack_parameters(
    *, bucket: str, secrets: Mapping[str, str], token: bool, token_sha256: str | None
) -> dict[str, str | None]:
    """Return the value of each parameter; None keeps the one that the stack has.

    With `token` the front asks for one, and `token_sha256` is None where it has it already.
    """
    values: dict[str, str | None] = {ARTIFACT_BUCKET: bucket}
    if token:
        values[TOKEN_PARAMETER] = token_sha256
    return values | {secret_parameter(variable): value for variable, value in secrets.items()}
