import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from preheat.bundle.model import Bundle, Layer, LayerName, Target
from preheat.plan.diff import diff
from preheat.project.model import HttpTrigger, ObjectCreated, Project, Resources, Schedule
from preheat_providers.modal.app.making import app_spec
from preheat_providers.modal.observing import desired_resources
from preheat_providers.modal.options import Options

PROJECT = Project(root=Path(), stage="dev", name="ocr", handler="a:B", secrets={"KEY": "env:KEY"})
NAMES: tuple[LayerName, ...] = ("code", "dependencies", "weights")


def bundle(**digests: str) -> Bundle:
    layers = tuple(
        Layer(name=name, digest=f"sha256:{digests.get(name, name)}", bytes=1, path=Path()) for name in NAMES
    )
    target = Target(provider="modal", platform="x", python="3.13")
    return Bundle(
        digest="sha256:0", target=target, layers=layers, sizes=(), path=Path(), cached=False, contract={}
    )


def changes(
    project: Project = PROJECT,
    made: Bundle | None = None,
    options: Options | None = None,
    mark: str = "m",
    release: str = "1",
    token: str = "t",
) -> dict[str, set[str]]:
    """What differs from the plain project: fields by the kind of their resource."""
    plain = app_spec(PROJECT, Options(), bundle(), release="1", token_sha256="t", secrets_mark="m")
    before = desired_resources(plain, bundle(), "")
    made, options = made or bundle(), options or Options()
    spec = app_spec(project, options, made, release=release, token_sha256=token, secrets_mark=mark)
    after = desired_resources(spec, made, options.environment or "")
    return {change.kind: {field.path for field in change.fields} for change in diff(after, before)}


def test_the_same_is_no_change() -> None:
    assert changes() == {}


def test_a_release_and_a_token_are_no_change() -> None:
    assert changes(release="2") == {}


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("code", {"modal.Image": {"code"}}),
        ("dependencies", {"modal.Image": {"packages.digest"}}),
        ("weights", {"modal.Volume": {"weights"}}),
    ],
)
def test_each_layer_is_one_change(layer: str, expected: dict[str, set[str]]) -> None:
    assert changes(made=bundle(**{layer: "other"})) == expected


def test_weights_in_the_image_are_a_change_of_the_image() -> None:
    assert changes(options=Options(weights="image")) == {
        "modal.Image": {"weights"},
        "modal.Volume": {"weights"},
    }


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (Options(min_containers=1), "scale.min_containers"),
        (Options(buffer_containers=1), "scale.buffer_containers"),
        (Options(scaledown_window=9), "scale.scaledown_window"),
        (Options(region=("eu",)), "regions"),
        (Options(nonpreemptible=True), "nonpreemptible"),
        (Options(retries=0), "retries"),
        (Options(snapshot="cpu"), "snapshot"),
        (Options(startup_timeout_s=7), "startup_timeout_s"),
        (Options(environment="prod"), "environment"),
    ],
)
def test_each_setting_of_the_class_is_one_change(options: Options, field: str) -> None:
    assert changes(options=options) == {"modal.Cls": {field}}


def test_a_gpu_is_a_change_of_the_class() -> None:
    gpu = dataclasses.replace(PROJECT, resources=Resources(gpu="L4"))
    assert changes(gpu) == {"modal.Cls": {"gpu"}}


def test_a_value_of_a_secret_is_a_change_of_the_secret_alone() -> None:
    assert changes(mark="n") == {"modal.Secret": {"mark"}}


def test_a_door_is_a_change_of_the_endpoint() -> None:
    assert "callers" in changes(options=Options(auth="proxy"))["modal.Endpoint"]


def test_a_schedule_is_a_resource() -> None:
    ticking = dataclasses.replace(PROJECT, triggers=(HttpTrigger(), Schedule(name="daily", cron="0 3 * * *")))
    assert changes(ticking)["modal.Cron"] == {"cron", "timezone"}


@pytest.mark.parametrize(
    ("trigger", "options", "fields"),
    [
        ({"output": "out/elsewhere"}, {}, {"triggers.scans.output"}),
        ({"attempts": 2}, {}, {"triggers.scans.attempts"}),
        ({}, {"upload_role": "arn:aws:iam::111122223333:role/other"}, {"role"}),
        ({}, {"aws_region": "eu-west-1"}, {"region"}),
    ],
)
def test_how_uploads_are_taken_is_part_of_the_plan(
    trigger: dict[str, Any], options: dict[str, Any], fields: set[str]
) -> None:
    scans = ObjectCreated(name="scans", bucket="in", output="out")
    made, plain = bundle(), replace(PROJECT, triggers=(HttpTrigger(), scans))
    other = replace(plain, triggers=(HttpTrigger(), replace(scans, **trigger)))
    before, after = (
        desired_resources(app_spec(project, chosen, made, release="1"), made, "")
        for project, chosen in ((plain, Options()), (other, Options(**options)))
    )
    [change] = diff(after, before)
    assert (change.kind, change.name) == ("modal.Function", "uploads")
    assert {field.path for field in change.fields} == fields
