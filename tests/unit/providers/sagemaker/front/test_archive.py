import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from preheat_providers.sagemaker.front.archive import CONTRACT, front_archive, front_files

SDK = Path(boto3.__file__).parents[1]
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIATESTONLY",
    "AWS_SECRET_ACCESS_KEY": "never",
    "PREHEAT_ENDPOINT": "preheat-ocr-dev",
    "PREHEAT_BUCKET": "jobs",
    "PREHEAT_PREFIX": "",
    "PREHEAT_TIMEOUT_S": "60",
}
CALL = """
import json, sys
sys.path[:0] = [sys.argv[1]]
sys.path.append(sys.argv[2])
from preheat_providers.sagemaker.front.{name} import handler
context = {{"http": {{"method": "GET"}}, "requestId": "r"}}
event = {{"rawPath": "/schema", "headers": {{}}, "requestContext": context}}
answer = handler(event, None)
ours = sorted(name for name in sys.modules if name.split(".")[0] in ("preheat", "preheat_handlers"))
print(json.dumps([answer["statusCode"], answer["body"], ours]))
"""


def test_equal_content_makes_equal_bytes_and_other_content_another_key() -> None:
    first, again, other = (front_archive(each) for each in ({"title": "a"}, {"title": "a"}, {"title": "b"}))
    assert first.data == again.data
    assert first.key("ocr", "dev") == f"preheat/ocr/dev.endpoint/front/{first.sha256}.zip"
    assert other.key("ocr", "dev") != first.key("ocr", "dev")


def test_the_contract_goes_in_where_it_is_known() -> None:
    assert CONTRACT not in front_files(None)
    with zipfile.ZipFile(io.BytesIO(front_archive({"title": "a"}).data)) as archive:
        assert json.loads(archive.read(CONTRACT)) == {"title": "a"}
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("name", ["jobs", "requests"])
def test_unpacked_it_runs_with_the_sdk_and_nothing_else_of_ours(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(front_archive({"title": "a"}).data)) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CALL.format(name=name), str(tmp_path), str(SDK)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [200, '{"title": "a"}', []]


def test_the_forwarder_brings_what_it_needs_of_the_runtime_and_no_more(tmp_path: Path) -> None:
    assert [path for path in sorted(front_files(None)) if path.startswith("preheat/")] == [
        "preheat/runtime/objects/__init__.py",
        "preheat/runtime/objects/events.py",
        "preheat/runtime/objects/results.py",
        "preheat/runtime/objects/uploads.py",
    ]
    with zipfile.ZipFile(io.BytesIO(front_archive(None).data)) as archive:
        archive.extractall(tmp_path)
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; sys.path.append({str(SDK)!r});"
        "import preheat_providers.sagemaker.front.uploads as uploads; print(uploads.__file__)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path)), done.stderr
