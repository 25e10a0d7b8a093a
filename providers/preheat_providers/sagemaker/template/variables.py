"""The variables of the container, and the parameters of the stack that hold what nobody may read."""

from typing import Any

from preheat_providers._aws.parameters import declared_parameters
from preheat_providers._aws.templates.intrinsics import ref
from preheat_providers._aws.templates.names import secret_parameter
from preheat_providers.sagemaker.template.wanted import Wanted


def container_variables(wanted: Wanted) -> dict[str, Any]:
    """Return each variable's value, or the reference to it, in order of their names."""
    secrets = {variable: ref(secret_parameter(variable)) for variable in wanted.project.secrets}
    return dict(sorted({**wanted.environment, **wanted.project.env, **secrets}.items()))


def parameters_of(wanted: Wanted) -> dict[str, Any]:
    """Return the parameters: secrets, the digest of the token, and the artifact bucket."""
    return declared_parameters(wanted.project.secrets, token=wanted.token)
