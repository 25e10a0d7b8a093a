"""Opens buckets, each once, and finds which bucket and trigger a backfill's source means."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from preheat.errors import ProviderError
from preheat_providers.local.jobs import Log
from preheat_providers.local.options import Options
from preheat_providers.local.triggers.aws import s3_client
from preheat_providers.local.triggers.buckets import S3, Bucket, Place, s3_place
from preheat_providers.local.triggers.folder import FolderBucket
from preheat_providers.local.triggers.s3 import S3Bucket
from preheat_providers.local.triggers.wiring import Route


class Buckets:
    """The buckets in use. Making an S3 client takes a while, so it is made once, on a thread."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._open: dict[Place, Bucket] = {}

    async def open(self, place: Place) -> Bucket:
        """Return the bucket at `place`. Raises ProviderError when it is in S3 and boto3 is not installed."""
        if place not in self._open:
            if place.is_s3:
                self._open[place] = S3Bucket(place, await asyncio.to_thread(s3_client, place.endpoint))
            else:
                self._open[place] = FolderBucket(place, log=self._log)
        return self._open[place]


def backfill_source(source: str, routes: Sequence[Route], options: Options) -> tuple[Place, str, Route]:
    """Return the bucket and prefix that `source` means, and the trigger to run its objects for.

    A folder inside a trigger's bucket is a prefix of that bucket; any other folder is a bucket of
    its own, named after it. Raises ProviderError.
    """
    if source.startswith(S3):
        place, prefix = s3_place(source, options)
        return place, prefix, _only(source, [each for each in routes if each.source == place] or routes)
    folder = Path(source).expanduser().resolve()
    if not folder.is_dir():
        raise ProviderError(f"There is no folder {source!r} to backfill from.")
    for route in routes:
        root = Path(route.source.location)
        if not route.source.is_s3 and folder.is_relative_to(root):
            below = folder.relative_to(root).as_posix()
            holders = [each for each in routes if each.source == route.source]
            prefix = "" if below == "." else f"{below}/"
            return route.source, prefix, _only(source, _taking(prefix, holders))
    return Place(name=folder.name or "root", location=str(folder)), "", _only(source, routes)


def _taking(prefix: str, routes: Sequence[Route]) -> Sequence[Route]:
    """Return the routes that objects under `prefix` can be for, or all when there are none."""
    taking = [
        each
        for each in routes
        if prefix.startswith(each.trigger.prefix) or each.trigger.prefix.startswith(prefix)
    ]
    return taking or routes


def _only(source: str, routes: Sequence[Route]) -> Route:
    if len(routes) == 1:
        return routes[0]
    names = ", ".join(repr(each.trigger.name) for each in routes) or "no object-created trigger"
    raise ProviderError(f"{source!r} must belong to one trigger; the function has {names} for it.")
