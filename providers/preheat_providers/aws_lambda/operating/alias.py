"""The alias that every caller uses: which version answers, and how much of the traffic another one gets."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from preheat_providers._aws.errors import translated
from preheat_providers.aws_lambda.template.names import ALIAS

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

DESCRIBED = re.compile(r"release ([0-9]+)(?:, after ([0-9]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Where the traffic goes: to `version`, but for the `share` (0 to 1) that `canary` gets.

    `before` is the version that had the traffic until `version` got it, or None where nobody knows. It is
    no part of where the traffic goes, so that aliases that differ in it are equal.
    """

    version: int
    canary: int | None = None
    share: float = 0.0
    before: int | None = field(default=None, compare=False)

    @property
    def needed(self) -> frozenset[int]:
        """Every version that gets traffic, or would get it back."""
        each = (self.version, self.canary, self.before)
        return frozenset(version for version in each if version is not None)

    def moved(self, version: int, *, canary: int | None = None, share: float = 0.0) -> Self:
        """Return the alias that sends the traffic there from now on, and knows where it went until then."""
        before = self.before if version == self.version else self.version
        return type(self)(version=version, canary=canary, share=share, before=before)


def read_alias(client: "LambdaClient", function: str) -> Alias | None:
    """Return the alias of `function`, or None if there is none. Raises ProviderError."""
    with translated(f"the alias {ALIAS} of {function} cannot be read"):
        try:
            found = client.get_alias(FunctionName=function, Name=ALIAS)
        except client.exceptions.ResourceNotFoundException:
            return None
    version = int(found["FunctionVersion"])
    before = _before(version, found.get("Description", ""))
    weights = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for canary, share in weights.items():
        return Alias(version=version, canary=int(canary), share=share, before=before)
    return Alias(version=version, before=before)


def move_alias(client: "LambdaClient", function: str, to: Alias) -> None:
    """Send the traffic where `to` says, from the next event on. Raises ProviderError."""
    weights = {} if to.canary is None else {str(to.canary): to.share}
    after = "" if to.before is None else f", after {to.before}"
    with translated(f"the alias {ALIAS} of {function} cannot be moved to version {to.version}"):
        client.update_alias(
            FunctionName=function,
            Name=ALIAS,
            FunctionVersion=str(to.version),
            Description=f"release {to.version}{after}",
            RoutingConfig={"AdditionalVersionWeights": weights},
        )


def _before(version: int, description: str) -> int | None:
    """Return what served before `version`, by what `move_alias` wrote into the description.

    A text about another version is older than the last move, which was CloudFormation's: it leaves the text.
    """
    if (found := DESCRIBED.fullmatch(description)) is None:
        return None
    active, before = found.groups()
    if int(active) != version:
        return int(active)
    return int(before) if before is not None else None
