"""A push to ECR as MiniStack emulates it, with the login that ECR gives, read back by AWS's own SDK."""

import json
import random
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.aws.cloud import Cloud
from tests.fakes.aws.registry_door import Door
from tests.functional.images.conftest import Preheat

CHUNK = 64 << 20
LARGE = CHUNK + (7 << 20)
SINGLE = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(scope="module")
def large(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with weights that no compressor makes fit into one chunk."""
    root = Path(shutil.copytree(project, tmp_path_factory.mktemp("large") / "demo"))
    matrix = (root / "matrix.bin").read_bytes()
    (root / "noise.bin").write_bytes(matrix + random.Random(1).randbytes(LARGE))
    with (root / "preheat.toml").open("a") as toml:
        toml.write('\n[weights.noise]\nsource = "file:noise.bin"\n')
    return root


@pytest.fixture(scope="module")
def stored(preheat: Preheat, large: Path, base: str, ecr: Door, logged_in: Path) -> dict[str, Any]:
    arguments = ("--base", base, "--format", "docker")
    return preheat("image", "push", f"{ecr.host}/demo:v1", str(large), *arguments, docker=logged_in)


def test_ecr_has_the_image_by_its_digest_and_tag(stored: dict[str, Any], cloud: Cloud) -> None:
    [found] = cloud.client("ecr").describe_images(repositoryName="demo")["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (stored["digest"], ["v1"])
    assert found["imageManifestMediaType"] == SINGLE


def test_lambda_takes_its_manifest_one_platform_and_gzip_layers(stored: dict[str, Any], cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, read on 2026-11-21"""
    asked = [{"imageDigest": stored["digest"]}]
    [image] = cloud.client("ecr").batch_get_image(repositoryName="demo", imageIds=asked)["images"]
    manifest = json.loads(image["imageManifest"])
    assert f"sha256:{sha256(image['imageManifest'].encode()).hexdigest()}" == stored["digest"]
    assert manifest["mediaType"] == SINGLE
    assert {layer["mediaType"].rpartition(".")[2] for layer in manifest["layers"]} == {"gzip"}


def test_a_blob_over_64_mb_went_in_chunks(stored: dict[str, Any], ecr: Door) -> None:
    weights = next(layer for layer in stored["layers"] if layer["name"] == "weights")
    assert weights["bytes"] > LARGE
    assert [size for method, _, size in ecr.seen if method == "PATCH"] == [CHUNK, weights["bytes"] - CHUNK]


def test_another_push_sends_nothing(
    stored: dict[str, Any], preheat: Preheat, large: Path, base: str, ecr: Door, logged_in: Path
) -> None:
    arguments = ("--base", base, "--format", "docker")
    again = preheat("image", "push", f"{ecr.host}/demo:v1", str(large), *arguments, docker=logged_in)
    assert (again["digest"], again["sent"]) == (stored["digest"], 0)


def test_without_the_login_it_is_refused_with_the_line_that_logs_in(
    preheat: Preheat, project: Path, base: str, ecr: Door, tmp_path: Path
) -> None:
    arguments = ("image", "push", f"{ecr.host}/demo:v2", str(project), "--base", base)
    error = preheat(*arguments, docker=tmp_path, code=1)["error"]
    assert f"docker login {ecr.host}" in error["hint"]


def test_a_repository_that_nobody_made_is_refused(
    stored: dict[str, Any], preheat: Preheat, project: Path, base: str, ecr: Door, logged_in: Path
) -> None:
    arguments = ("image", "push", f"{ecr.host}/unmade:v1", str(project), "--base", base)
    error = preheat(*arguments, docker=logged_in, code=1)["error"]
    assert "NAME_UNKNOWN" in error["message"]
    assert "made first" in error["hint"]
