"""Published versions of a function, which are its releases: both have the same numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from preheat.provider.protocol import Release
from preheat_providers._aws.errors import translated
from preheat_providers.aws_lambda.operating.alias import Alias
from preheat_providers.aws_lambda.template.names import Described, described

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

LATEST = "$LATEST"
NOT_OURS = Described("", "")
"""Stands for what a version is that somebody else has published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One published version. `created` is RFC 3339 UTC; `snapshot` says whether one is kept of it."""

    number: int
    described: Described
    created: str
    snapshot: bool = False


def list_versions(client: "LambdaClient", function: str) -> tuple[Version, ...]:
    """Return the published versions of `function`, newest first. Raises ProviderError."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    with translated(f"the versions of {function} cannot be listed"):
        found = [_version(each) for page in pages for each in page["Versions"] if each["Version"] != LATEST]
    return tuple(sorted(found, key=lambda version: -version.number))


def release_list(versions: Iterable[Version], alias: Alias | None) -> tuple[Release, ...]:
    """Return `versions` as releases, in their order."""
    return tuple(
        Release(
            number=version.number,
            digest=version.described.digest,
            created=version.created,
            active=alias is not None and version.number == alias.version,
            note=_note(version, alias),
        )
        for version in versions
    )


def _note(version: Version, alias: Alias | None) -> str:
    if alias is not None and version.number == alias.canary:
        return f"gets {alias.share:.0%} of the traffic"
    return "" if version.described.digest else "not published by preheat"


def _version(document: "FunctionConfigurationTypeDef") -> Version:
    modified = datetime.fromisoformat(document["LastModified"]).astimezone(UTC)
    return Version(
        number=int(document["Version"]),
        described=described(document.get("Description", "")) or NOT_OURS,
        created=modified.isoformat(timespec="seconds").replace("+00:00", "Z"),
        snapshot=(document.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions",
    )
