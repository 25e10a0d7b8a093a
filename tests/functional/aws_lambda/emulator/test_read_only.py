"""The package of a function, which Lambda lets nobody write."""

import json
from pathlib import Path

import pytest
from tests.fakes.lambda_events import version_2
from tests.functional.aws_lambda.emulator.conftest import Start, Zoo

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]


def test_a_function_writes_to_tmp_alone(zoo: Zoo, start: Start, tmp_path: Path) -> None:
    name = json.dumps(f"written-by-{tmp_path.name}").encode()
    reply = start(zoo("Writes")).invoke(version_2("/invocations", name, {"content-type": "application/json"}))
    assert json.loads(reply.value["body"]) == ["EROFS", "EROFS", "EROFS", "written"]
