"""The alias that every caller uses: which version answers, and how much of the traffic another one gets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from preheat_providers._aws.errors import translated
from preheat_providers.aws_lambda.template.names import ALIAS

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Where the traffic goes: to `version`, but for the `share` (0 to 1) that `canary` gets."""

    version: int
    canary: int | None = None
    share: float = 0.0

    @property
    def versions(self) -> frozenset[int]:
        """Every version that gets traffic."""
        return frozenset({self.version, *({self.canary} if self.canary is not None else ())})


def read_alias(client: "LambdaClient", function: str) -> Alias | None:
    """Return the alias of `function`, or None if there is none. Raises ProviderError."""
    with translated(f"the alias {ALIAS} of {function} cannot be read"):
        try:
            found = client.get_alias(FunctionName=function, Name=ALIAS)
        except client.exceptions.ResourceNotFoundException:
            return None
    weights = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for canary, share in weights.items():
        return Alias(version=int(found["FunctionVersion"]), canary=int(canary), share=share)
    return Alias(version=int(found["FunctionVersion"]))


def move_alias(client: "LambdaClient", function: str, to: Alias) -> None:
    """Send the traffic where `to` says, from the next event on. Raises ProviderError."""
    weights = {} if to.canary is None else {str(to.canary): to.share}
    with translated(f"the alias {ALIAS} of {function} cannot be moved to version {to.version}"):
        client.update_alias(
            FunctionName=function,
            Name=ALIAS,
            FunctionVersion=str(to.version),
            RoutingConfig={"AdditionalVersionWeights": weights},
        )
