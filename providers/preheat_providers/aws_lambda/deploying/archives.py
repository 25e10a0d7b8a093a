"""A bundle's archives and weights: what they are called, and their way into the artifact bucket."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from preheat.bundle.cache import Cache
from preheat.bundle.model import Bundle
from preheat.bundle.zip.archive import Layout, zip_bundle
from preheat.progress import Event, Report
from preheat_providers._aws.storing import Stored
from preheat_providers.aws_lambda.artifact import (
    archive_key,
    store_archive,
    store_weights,
    weight_items,
)
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.shipped.settings import CONTRACT
from preheat_providers.aws_lambda.shipped.weights.listing import Item
from preheat_providers.aws_lambda.target import ArchiveName, layouts_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOADS = 3
"""How many archives are on their way at once; each of them goes in parts, several at once too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """What a bundle is sent as: its archives, by what they hold, and the weights that go apart."""

    bundle: Bundle
    folder: str
    layouts: Mapping[ArchiveName, Layout]
    keys: Mapping[ArchiveName, str]
    items: tuple[Item, ...]


def artifacts_of(bundle: Bundle, options: Options, folder: str) -> Artifacts:
    """Return what `bundle` is sent as into `folder`. Reads the code, and the weights if they go apart."""
    items = weight_items(bundle.layer("weights"), folder) if options.weights == "s3" else ()
    layouts = layouts_of(bundle, options, items)
    keys = {name: archive_key(folder, _identity(layout, bundle)) for name, layout in layouts.items()}
    return Artifacts(bundle=bundle, folder=folder, layouts=layouts, keys=keys, items=items)


def _identity(layout: Layout, bundle: Bundle) -> str:
    """Return `sha256:HEX` of what was built, without what the build has learned of it.

    Answers to examples may differ in their last digits from one processor to another: they alone make
    no new release.
    """
    if CONTRACT not in layout.files:
        return layout.digest(bundle)
    learned = {CONTRACT: bundle.digest.encode()}
    return replace(layout, files={**layout.files, **learned}).digest(bundle)


def upload(
    client: "S3Client", artifacts: Artifacts, *, bucket: str, cache: Cache, report: Report
) -> tuple[Stored, ...]:
    """Pack each archive and send it while the next is packed, beside the weights; only what is missing.

    Raises BundleError or ProviderError; what has arrived by then stays, whole, and is found the next time.
    """
    bundle, keys = artifacts.bundle, artifacts.keys
    say = _one_at_a_time(report)
    with ThreadPoolExecutor(UPLOADS) as pool:
        weights = pool.submit(
            store_weights, client, bundle.layer("weights"), artifacts.items, bucket=bucket, report=say
        )
        archives: list[Future[Stored]] = []
        for name, layout in artifacts.layouts.items():
            archive = zip_bundle(bundle, layout, cache=cache, report=say)
            archives.append(
                pool.submit(
                    store_archive, client, archive, bucket=bucket, key=keys[name], report=say, label=name
                )
            )
        return (*weights.result(), *(future.result() for future in archives))


def _one_at_a_time(report: Report) -> Callable[[Event], None]:
    lock = Lock()

    def say(event: Event) -> None:
        with lock:
            report(event)

    return say
