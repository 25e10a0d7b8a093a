"""The variables of the container, and the parameters of the stack that hold what nobody may read."""

from typing import Any

from preheat_providers._aws.templates.intrinsics import ref
from preheat_providers._aws.templates.names import secret_parameter
from preheat_providers.sagemaker.template.wanted import Wanted

TOKEN_PARAMETER = "TokenSha256"  # noqa: S105 - the name of a parameter
ARTIFACT_BUCKET = "ArtifactBucket"


def container_variables(wanted: Wanted) -> dict[str, Any]:
    """Return each variable's value, or the reference to it, in order of their names."""
    secrets = {variable: ref(secret_parameter(variable)) for variable in wanted.project.secrets}
    return dict(sorted({**wanted.environment, **wanted.project.env, **secrets}.items()))


def parameters_of(wanted: Wanted) -> dict[str, Any]:
    """Return the parameters: secrets, the digest of the token, and the artifact bucket."""
    hidden = {"Type": "String", "NoEcho": True}
    secrets = {secret_parameter(variable): dict(hidden) for variable in sorted(wanted.project.secrets)}
    token = {TOKEN_PARAMETER: dict(hidden)} if wanted.token else {}
    return {ARTIFACT_BUCKET: {"Type": "String"}, **token, **secrets}
