"""Which release gets the traffic. Pure."""

from collections.abc import Iterable, Sequence

from preheat.errors import ProviderError
from preheat.provider.going_back import release_before
from preheat_providers.aws_lambda.operating.alias import Alias
from preheat_providers.aws_lambda.template.names import flags


def rolled_back(name: str, stage: str, numbers: Sequence[int], alias: Alias, release: int | None) -> Alias:
    """Return the alias with all traffic at `release`.

    Without one a canary ends, or the release that served before gets the traffic. `numbers` are the releases
    that exist, newest first. Raises ProviderError.
    """
    if release is None and alias.canary is not None:
        release = alias.version
    if release is None:
        release = release_before(alias.version, numbers, served=alias.before)
        if release is None:
            raise ProviderError(
                f"{name} has no release before {alias.version}, which is the active one.",
                hint=f"preheat releases {name} {flags(stage)}",
            )
    if release not in numbers:
        raise ProviderError(
            f"{name} has no release {release}. There are {_listed(numbers)}.",
            hint=f"preheat rollback {name} {numbers[0]} {flags(stage)}",
        )
    return alias.moved(release)


def promoted(
    name: str,
    stage: str,
    numbers: Sequence[int],
    alias: Alias,
    canary: float | None,
    *,
    keeps_ready: bool,
) -> Alias:
    """Return the alias with the share `canary` of the traffic, or all of it, at the newest release.

    The rest stays with the active release, or where the newest is active, goes to the one that was active
    until then: the number before may be one that was rolled back. Raises ProviderError if there is nothing
    beside the newest one, or if the alias `keeps_ready` environments: "Alias with weights can not be used
    with Provisioned Concurrency", says Lambda (https://github.com/hashicorp/terraform/issues/24957, read on
    2026-11-21).
    """
    newest = numbers[0]
    if canary is None:
        return alias.moved(newest)
    if not 0 <= canary <= 1:
        raise ProviderError(f"A canary's share is a number from 0 to 1, not {canary:g}.")
    if keeps_ready:
        raise ProviderError(
            f"{name} keeps environments ready (provisioned concurrency), and Lambda splits no traffic of "
            "such a function: a release gets all of it or none.",
            hint=f"preheat promote {name} {flags(stage)}",
        )
    before = release_before(newest, numbers, served=alias.before)
    beside = alias.version if alias.version != newest else before
    if beside is None:
        raise ProviderError(f"{name} has one release only, so there is nothing beside it to serve.")
    return alias.moved(beside, canary=newest, share=canary)


def _listed(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items)
