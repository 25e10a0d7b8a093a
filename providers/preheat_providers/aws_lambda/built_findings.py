"""What AWS has no room for, of a bundle that is built and of the template that deploys it. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from preheat.bundle.model import Bundle
from preheat.findings import Finding
from preheat.project.model import Project
from preheat_providers._aws.finding import finder
from preheat_providers.aws_lambda.limits import IMAGE_BYTES, MB
from preheat_providers.aws_lambda.options import Options

TEMPLATE_BYTES = 51_200
"""A template sent with the request:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html,
read on 2026-11-21"""

POLICY_CHARACTERS = 10_240
"""The policies of a role together, without blanks:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, read on 2026-11-21"""


def built_findings(
    bundle: Bundle, project: Project, options: Options, template: Mapping[str, Any]
) -> tuple[Finding, ...]:
    """Return what Lambda has no room for, of a built bundle and of the template that deploys it."""
    return (*bundle_findings(bundle, project, options), *template_findings(project, template))


def template_findings(project: Project, template: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return how much of `template` CloudFormation and IAM would not take: too many triggers make it so."""
    find = finder(project)
    policies = template["Resources"]["Role"]["Properties"]["Policies"]
    counted = (
        ("The template", TEMPLATE_BYTES, "bytes", len(json.dumps(template, separators=(",", ":")).encode())),
        (
            "The role's policy",
            POLICY_CHARACTERS,
            "characters",
            len(json.dumps(policies, separators=(",", ":"))),
        ),
    )
    return tuple(
        find(
            "triggers",
            f"{what} has {size:,} {unit}, and AWS takes {most:,}: {size - most:,} too many, which the "
            f"{len(project.triggers)} triggers make.",
            "Spread them over two projects.",
        )
        for what, most, unit, size in counted
        if size > most
    )


def bundle_findings(bundle: Bundle, project: Project, options: Options) -> tuple[Finding, ...]:
    """Return what of a built bundle Lambda has no room for, beside the size that the build checks itself."""
    if options.weights != "s3":
        return ()
    key = "tmp_mb" if options.weights_into == "tmp" else "memory_mb"
    room = getattr(project.resources, key) * MB
    weights = bundle.layer("weights").bytes
    if weights < room:
        return ()
    largest = sorted((size for size in bundle.sizes if size.layer == "weights"), key=lambda size: -size.bytes)
    names = ", ".join(f"{size.name} {size.bytes / MB:.0f} MB" for size in largest[:5])
    find = finder(project)
    wanted = -(-weights * 5 // 4 // MB)
    return (
        find(
            f"resources.{key}",
            f"The weights need {weights / MB:.0f} MB, and resources.{key} is {room // MB}: "
            f"{(weights - room) / MB:.0f} MB too little. They are {names}.",
            f"{key} = {wanted}",
        ),
    )


def image_findings(bundle: Bundle, project: Project, *, base_bytes: int) -> tuple[Finding, ...]:
    """Return by how much an image is too large at least: its base unpacks to more than its `base_bytes`."""
    size = bundle.unzipped_bytes + base_bytes
    if size <= IMAGE_BYTES:
        return ()
    message = (
        f"The image unpacks to {size / MB:,.0f} MB at least, {base_bytes / MB:,.0f} of them its base, and "
        f"Lambda takes {IMAGE_BYTES // MB:,}: {(size - IMAGE_BYTES) / MB:,.0f} MB too many."
    )
    return (
        finder(project)("provider.aws_lambda.base_image", message, "a smaller base, or fewer `requirements`"),
    )
