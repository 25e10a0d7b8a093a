from pathlib import Path
from typing import Any

import pytest
from tests.fakes.lambda_templates import project, template

from preheat.bundle.model import Bundle, Layer, Size
from preheat.project.model import ObjectCreated, Resources
from preheat_providers.aws_lambda.built_findings import (
    built_findings,
    bundle_findings,
    image_findings,
    template_findings,
)
from preheat_providers.aws_lambda.limits import MB
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.target import target_of


def bundle(options: Options, **megabytes: int) -> Bundle:
    sizes = tuple(Size(layer="weights", name=name, bytes=each * MB) for name, each in megabytes.items())
    weights = Layer(
        name="weights", digest="sha256:0", bytes=sum(size.bytes for size in sizes), path=Path("/x")
    )
    return Bundle(
        digest="sha256:0",
        target=target_of(project(), options),
        layers=(weights,),
        sizes=sizes,
        path=Path("/x"),
        cached=False,
        contract={},
    )


def uploads(count: int, prefix: str = "in", output: str = "results") -> tuple[ObjectCreated, ...]:
    return tuple(
        ObjectCreated(name=f"scans-{n}", bucket="uploads", prefix=f"{prefix}/{n}/", output=f"{output}/{n}")
        for n in range(count)
    )


@pytest.mark.parametrize(
    ("into", "resources", "key"),
    [
        ("tmp", Resources(tmp_mb=512, memory_mb=4096), "resources.tmp_mb"),
        ("memory", Resources(tmp_mb=4096, memory_mb=512), "resources.memory_mb"),
    ],
)
def test_weights_that_do_not_fit_where_they_go_are_found(into: Any, resources: Resources, key: str) -> None:
    options = Options(weights="s3", weights_into=into)
    (finding,) = bundle_findings(bundle(options, w=600, w2=40), project(resources=resources), options)
    assert finding.key == key
    assert "need 640 MB" in finding.message
    assert "128 MB too little. They are w 600 MB, w2 40 MB." in finding.message
    assert finding.fix == f"{key.partition('.')[2]} = 800"
    assert bundle_findings(bundle(options, w=400), project(resources=resources), options) == ()
    assert bundle_findings(bundle(Options(), w=600), project(resources=resources), Options()) == ()


def test_a_template_that_cloudformation_does_not_take_is_found_by_how_much() -> None:
    triggers = uploads(40)
    finding, *_ = template_findings(project(*triggers), template(*triggers))
    assert finding.key == "triggers"
    assert "AWS takes 51,200: " in finding.message
    assert "which the 41 triggers make" in finding.message


def test_a_policy_that_iam_does_not_take_is_found() -> None:
    triggers = uploads(6, prefix="p" * 1000, output="r/" + "o" * 900)
    (finding,) = template_findings(project(*triggers), template(*triggers))
    assert "The role's policy has" in finding.message


def test_what_is_built_is_checked_whole() -> None:
    options = Options(weights="s3")
    triggers = uploads(6, prefix="p" * 1000, output="r/" + "o" * 900)
    made = project(*triggers)
    keys = [
        finding.key for finding in built_findings(bundle(options, w=600), made, options, template(*triggers))
    ]
    assert keys == ["resources.tmp_mb", "triggers"]
    small = uploads(2)
    assert built_findings(bundle(options, w=400), project(*small), options, template(*small)) == ()


def test_an_image_whose_base_leaves_too_little_room_is_found() -> None:
    built = bundle(Options(package="image"), model=10_000)
    assert image_findings(built, project(), base_bytes=240 * MB) == ()
    (finding,) = image_findings(built, project(), base_bytes=250 * MB)
    assert finding.key == "provider.aws_lambda.base_image"
    assert (
        "10,250 MB at least, 250 of them its base, and Lambda takes 10,240: 10 MB too many" in finding.message
    )
