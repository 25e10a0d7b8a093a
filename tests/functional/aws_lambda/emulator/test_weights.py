"""A start with weights from S3 in the real runtime: into /tmp, into memory, and before a snapshot."""

import hashlib
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from tests.fakes.lambda_emulator import FETCHED, Unpacked
from tests.fakes.lambda_events import version_2
from tests.fakes.lambda_runtime_api import RuntimeApi
from tests.fakes.patience import PATIENCE_S
from tests.fakes.projects import write_project
from tests.fakes.webserver import WebServer, serving
from tests.functional.aws_lambda.emulator.conftest import Start, Unpack, snap_started

from preheat_providers.aws_lambda.shipped.weights.credentials import ADDRESS, BEARER, KEY, SECRET
from preheat_providers.aws_lambda.shipped.weights.fetch import BUCKET, FOLDER, INTO
from preheat_providers.aws_lambda.shipped.weights.listing import LISTING, read_listing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

ARTIFACTS = "team-artifacts"
CONTENT = random.Random(7).randbytes(20_000_000)
HANDLER = """
import hashlib
import preheat

class Model(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        path = ctx.weights["model"]
        self.found = [str(path), path.is_symlink(), hashlib.sha256(path.read_bytes()).hexdigest()]

    def predict(self, text: str) -> list[str | bool]:
        return self.found
"""
TOML = """
[weights.model]
source = "file:model.bin"

[triggers.http]
auth = "none"

[provider.aws_lambda]
weights = "s3"
"""
ASKED = version_2("/invocations", b'"which?"', {"content-type": "application/json"})
KINDS = pytest.mark.parametrize("into", ["tmp", "memory"])


@pytest.fixture(scope="module")
def package(unpack: Unpack, tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    root = tmp_path_factory.mktemp("weights") / "from-s3"
    write_project(root, TOML, handler=HANDLER)
    (root / "model.bin").write_bytes(CONTENT)
    return unpack(root)


@pytest.fixture
def s3(s3_endpoint: str, package: Unpacked) -> "Iterator[S3Client]":
    """The bucket with what the package lists."""
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket=ARTIFACTS)
    (item,) = read_listing((package.task / LISTING).read_text())
    client.put_object(Bucket=ARTIFACTS, Key=item.key, Body=CONTENT)
    yield client
    client.close()


def emptied(s3: "S3Client") -> None:
    for each in s3.list_objects_v2(Bucket=ARTIFACTS)["Contents"]:
        s3.delete_object(Bucket=ARTIFACTS, Key=each["Key"])


def environment(s3: "S3Client", into: str) -> dict[str, str]:
    return {BUCKET: ARTIFACTS, INTO: into, "AWS_ENDPOINT_URL": s3.meta.endpoint_url}


def expected(into: str) -> list[str | bool]:
    """Where the handler finds its weights, whether that is a link to memory, and their digest."""
    return [f"{FETCHED}/model/model.bin", into == "memory", hashlib.sha256(CONTENT).hexdigest()]


@KINDS
def test_a_start_fetches_the_weights(package: Unpacked, s3: "S3Client", start: Start, into: str) -> None:
    function = start(package, env=environment(s3, into))
    assert json.loads(function.invoke(ASKED).value["body"]) == expected(into)


@KINDS
def test_a_snapshot_has_the_weights(
    package: Unpacked, s3: "S3Client", start: Start, bare: Path, proxy: RuntimeApi, into: str
) -> None:
    """There the keys are behind an address: a snapshot is older than they live."""
    proxy.restored.clear()
    keys = {"AccessKeyId": "AKIATESTONLY", "SecretAccessKey": "never-to-be-logged", "Token": "t"}
    page = WebServer({"/keys": json.dumps(keys).encode()}, authorization="the-runtimes-own")
    with serving(page), ThreadPoolExecutor(1) as asking:
        variables = (
            f"--unset={KEY}",
            f"--unset={SECRET}",
            f"{ADDRESS}={page.url}/keys",
            f"{BEARER}=the-runtimes-own",
        )
        bootstrap = snap_started(proxy, bare, *variables)
        function = start(package, env=environment(s3, into), bootstrap=bootstrap, runtime_api=proxy.upstream)
        reply = asking.submit(function.invoke, ASKED)
        try:
            assert proxy.asked.wait(PATIENCE_S), "\n".join(function.lines)
            emptied(s3)
        finally:
            proxy.restored.set()
        assert json.loads(reply.result().value["body"]) == expected(into)
    assert len(page.seen) == 1


def test_weights_that_are_gone_are_refused_and_the_log_says_to_deploy_again(
    package: Unpacked, start: Start
) -> None:
    """The function's role may not list the bucket, and to it S3 answers 403 and not 404."""
    (item,) = read_listing((package.task / LISTING).read_text())
    with serving(WebServer({}, refusals={f"/{ARTIFACTS}/{item.key}": 403})) as refuses:
        function = start(package, env={BUCKET: ARTIFACTS, INTO: "tmp", "AWS_ENDPOINT_URL": refuses.url})
        function.invoke(ASKED)
        failed, *_ = function.events("failed")
    assert "The weights model/model.bin cannot be read" in failed["message"]
    assert "s3:GetObject" in failed["hint"]
    assert "it was removed, as by a lifecycle rule: deploy again" in failed["hint"]


def test_the_folder_of_the_weights_is_that_of_the_emulator() -> None:
    assert str(FOLDER) == FETCHED
