"""Releases get their numbers, and the oldest go: records in the bucket, configs and models of SageMaker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from preheat.errors import ProviderError
from preheat.progress import Notice, Report
from preheat_providers._aws.errors import translated
from preheat_providers._aws.removing import emptied
from preheat_providers.sagemaker.operating.releases import Released, superfluous
from preheat_providers.sagemaker.place import Live, Place

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

STAGE = "apply"
GONE = "ould not find"
"""SageMaker has no code of its own for what is not there: ValidationException, and this text."""


def record(place: Place, live: Live, *, before: Live | None = None) -> None:
    """Write down the newest release, also one that a killed deploy has not. Raises ProviderError.

    `before` is what was deployed until then, where that is known.
    """
    newest = live.newest
    if newest.created:
        return
    client = place.session.client("sagemaker")
    with translated(f"the endpoint config {newest.config} cannot be read"):
        found = client.describe_endpoint_config(EndpointConfigName=newest.config)
    moment = found["CreationTime"].astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    weights = weights_in(live.stack.template)
    place.book(live.stack).write(replace(newest, created=moment, weights=weights, before=_serving(before)))


def _serving(live: Live | None) -> int | None:
    """Return the release that answers, None where there is none or it is not ours."""
    if live is None:
        return None
    return next((each.number for each in live.releases if each.config == live.config), None)


def prune(place: Place, live: Live, *, keep: int, report: Report) -> None:
    """Remove what nobody goes back to. What cannot be removed is said: the endpoint serves already."""
    book = place.book(live.stack)
    try:
        releases = book.releases()
        old = superfluous(releases, keep=keep, config=live.config)
        kept = [each for each in releases if each not in old]
        for each in old:
            remove_release(place.session.client("sagemaker"), each, kept=kept)
            if each.weights is not None and each.weights not in {other.weights for other in kept}:
                bucket = place.artifact_bucket(live.stack)
                emptied(place.session.client("s3"), bucket, each.weights, "weights", report)
            book.remove(each.number)
    except ProviderError as error:
        report(Notice(STAGE, f"An old release stays: {error.message}", hint=error.hint))


def remove_release(
    client: "SageMakerClient", released: Released, *, kept: Sequence[Released] = ()
) -> list[str]:
    """Remove the config of a release and its model, which another of the same code that is `kept` may have.

    Returns what was there. Raises ProviderError.
    """
    parts: list[tuple[str, str, Callable[[], object]]] = [
        (
            "endpoint config",
            released.config,
            lambda: client.delete_endpoint_config(EndpointConfigName=released.config),
        )
    ]
    if released.model not in {each.model for each in kept}:
        parts.append(("model", released.model, lambda: client.delete_model(ModelName=released.model)))
    removed = []
    for kind, name, remove in parts:
        with translated(f"the {kind} {name} cannot be removed"):
            try:
                remove()
            except client.exceptions.ClientError as error:
                if GONE not in error.response["Error"].get("Message", ""):
                    raise
            else:
                removed.append(f"{kind} {name} (release {released.number})")
    return removed


def weights_in(template: Mapping[str, Any]) -> str | None:
    """Return where in the artifact bucket a stack's weights lie, None where they are in the image."""
    container = template["Resources"]["Model"]["Properties"]["PrimaryContainer"]
    if "ModelDataSource" not in container:
        return None
    uri: str = container["ModelDataSource"]["S3DataSource"]["S3Uri"]["Fn::Sub"]
    return uri.removeprefix("s3://").partition("/")[2]
