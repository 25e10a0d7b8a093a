import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from preheat.bundle.image.checks import TARGETS
from preheat.bundle.interpreter import UV_GLIBC_MINORS
from preheat.bundle.model import Bundle, Layer, LayerName
from preheat.bundle.serving import HTTP_REQUIREMENTS
from preheat.bundle.shipped import REQUIREMENTS, shipped_files
from preheat.project.model import HttpTrigger, ObjectCreated, Project, Resources
from preheat_providers.aws_lambda.container import (
    CLIENT_REQUIREMENTS,
    PLATFORMS,
    SCRIPT,
    SDK_REQUIREMENTS,
    base_of,
    container_of,
)
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.shipped.weights.listing import Item, read_listing
from preheat_providers.aws_lambda.shipping import CONTAINER
from preheat_providers.aws_lambda.target import (
    EVENT_REQUIREMENTS,
    SURFACE_REQUIREMENTS,
    TRACING_REQUIREMENTS,
    environment_of,
    layouts_of,
    platform_of,
    target_of,
)

UPLOADS = ObjectCreated(name="uploads", bucket="in", output="out/results")


def project(**fields: Any) -> Project:
    return Project(root=Path("/p"), stage="dev", name="ocr", handler="handler:Model", **fields)


@pytest.mark.parametrize(
    ("python", "architecture", "platform"),
    [
        ("3.11", "x86_64", "x86_64-manylinux2014"),
        ("3.12", "x86_64", "x86_64-manylinux_2_34"),
        ("3.13", "arm64", "aarch64-manylinux_2_34"),
        ("3.14", "x86_64", "x86_64-manylinux_2_34"),
    ],
)
def test_the_platform_is_that_of_the_runtime(python: str, architecture: str, platform: str) -> None:
    assert platform_of(python, architecture) == platform
    assert 34 in UV_GLIBC_MINORS


def test_the_target_does_not_depend_on_the_machine_that_builds() -> None:
    target = target_of(project(), Options())
    assert (target.provider, target.python, target.unzipped_limit) == ("aws_lambda", "3.13", 262_144_000)
    assert target_of(project(python="3.12"), Options()).python == "3.12"


def test_everything_that_it_names_ships() -> None:
    names = set(shipped_files(target_of(project(), Options(weights="s3")), "handler:Model", ""))
    assert {
        f"preheat_providers/aws_lambda/shipped/{name}.py"
        for name in ("entry", "weights/fetch", "weights/signing")
    } < names
    assert not {
        name for name in names if name.endswith(("/target.py", "/limits.py", "/options.py", "/artifact.py"))
    }


def test_an_image_brings_what_lambdas_own_runtime_has_and_fits_any_base() -> None:
    archive, image = target_of(project(), Options()), target_of(project(), Options(package="image"))
    assert (image.platform, image.unzipped_limit) == ("x86_64-manylinux_2_28", 10_240 << 20)
    assert {*image.entry} - {*archive.entry} == {CONTAINER}
    assert image.requirements == (*archive.requirements, *CLIENT_REQUIREMENTS)
    arm = target_of(project(), Options(package="image", architecture="arm64", jobs=True))
    assert arm.platform == "aarch64-manylinux_2_28"
    assert arm.requirements == (*image.requirements, *SDK_REQUIREMENTS)
    events = target_of(project(triggers=(HttpTrigger(), UPLOADS)), Options(package="image"))
    assert {*EVENT_REQUIREMENTS, *SDK_REQUIREMENTS} <= {*events.requirements}


def test_the_container_starts_what_ships_in_it() -> None:
    names = shipped_files(target_of(project(), Options(package="image")), "handler:Model", "")
    assert SCRIPT in names
    started = container_of(project())
    assert started.command[-1] == f"/opt/preheat/code/{SCRIPT}"
    assert (started.env, started.user, started.ports) == ({}, None, ())


def test_the_platforms_of_images_are_those_of_the_image_builder() -> None:
    assert sorted(PLATFORMS.values()) == sorted(TARGETS.values())


def test_without_a_base_that_of_docker_hub_is_taken() -> None:
    assert base_of(Options(), "3.13") == "python:3.13-slim"
    assert base_of(Options(base_image="team/base:1"), "3.13") == "team/base:1"


def test_what_fetches_weights_ships_only_where_they_are_fetched() -> None:
    names = shipped_files(target_of(project(), Options()), "handler:Model", "")
    assert not [name for name in names if name.startswith("preheat_providers/aws_lambda/shipped/weights/")]


def test_packages_for_events_come_with_a_trigger_only() -> None:
    http = target_of(project(triggers=(HttpTrigger(),)), Options()).requirements
    assert http == (*REQUIREMENTS, *SURFACE_REQUIREMENTS)
    both = target_of(project(triggers=(HttpTrigger(), UPLOADS)), Options()).requirements
    assert both == (*http, *EVENT_REQUIREMENTS)


def test_the_xray_sdk_comes_with_tracing_only() -> None:
    target = target_of(project(), Options(tracing=True))
    assert target.requirements == (*REQUIREMENTS, *SURFACE_REQUIREMENTS, *TRACING_REQUIREMENTS)
    assert environment_of(project(), Options(tracing=True))["PREHEAT_TRACING"] == "1"
    assert "PREHEAT_TRACING" not in environment_of(project(), Options())


def test_the_surface_has_the_packages_of_our_own_server() -> None:
    shared = {"fastapi", "prometheus-client"}
    ours = {line for line in HTTP_REQUIREMENTS if line.partition(">")[0] in shared}
    assert ours == {line for line in SURFACE_REQUIREMENTS if line.partition(">")[0] in shared}


@pytest.mark.parametrize(
    ("memory_mb", "threads"), [(128, "1"), (1769, "1"), (3537, "1"), (3538, "2"), (10_240, "5")]
)
def test_threads_follow_from_the_memory(memory_mb: int, threads: str) -> None:
    variables = environment_of(project(resources=Resources(memory_mb=memory_mb)), Options())
    assert variables["OMP_NUM_THREADS"] == threads
    assert variables["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_function_learns_where_its_weights_go() -> None:
    options = Options(weights="s3", weights_into="memory")
    assert environment_of(project(), options)["PREHEAT_WEIGHTS_INTO"] == "memory"
    assert "PREHEAT_WEIGHTS_INTO" not in environment_of(project(), Options())


def bundle(weights: int) -> Bundle:
    names: tuple[LayerName, ...] = ("dependencies", "weights", "code")
    layers = tuple(Layer(name=name, digest="sha256:0", bytes=1, path=Path("/l")) for name in names)
    return Bundle(
        digest="sha256:0",
        target=target_of(project(), Options()),
        layers=tuple(replace(each, bytes=weights) if each.name == "weights" else each for each in layers),
        sizes=(),
        path=Path("/b"),
        cached=True,
        contract=None,
    )


def test_weights_are_packed_where_there_are_some_and_the_package_has_them() -> None:
    assert list(layouts_of(bundle(weights=9), Options())) == ["function", "libraries", "weights"]
    assert "weights" not in layouts_of(bundle(weights=9), Options(weights="s3"))
    assert "weights" not in layouts_of(bundle(weights=0), Options())


def test_a_function_that_fetches_weights_has_their_list() -> None:
    item = Item(path="model/m.onnx", key="preheat/weights/ab", bytes=9, sha256="ab")
    files = layouts_of(bundle(weights=9), Options(weights="s3"), [item])["function"].files
    assert read_listing(files["preheat-weights.json"].decode()) == (item,)
    assert not layouts_of(bundle(weights=9), Options())["function"].files


def test_a_function_has_what_the_build_has_learned_of_its_handler() -> None:
    learned = {"stream": False, "examples": ["a"], "answers": ["b"]}
    built = replace(bundle(weights=0), contract=learned)
    files = layouts_of(built, Options())["function"].files
    assert json.loads(files["preheat-contract.json"]) == learned


def test_the_packer_is_a_dependency_of_the_extra_alone() -> None:
    root = next(parent for parent in Path(__file__).parents if (parent / "pyproject.toml").is_file())
    declared = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert any(line.startswith("deflate") for line in declared["optional-dependencies"]["aws"])
    assert not any(line.startswith(("deflate", "boto3")) for line in declared["dependencies"])
