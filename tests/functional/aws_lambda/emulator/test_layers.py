"""What a function finds where Lambda unpacks its layers, and what its own archive may put before that."""

import json
import shutil
from pathlib import Path

import pytest
from tests.fakes.lambda_emulator import Unpacked
from tests.fakes.lambda_events import version_2
from tests.functional.aws_lambda.emulator.conftest import Start, Zoo

from preheat_providers.aws_lambda.shipped.settings import WEIGHTS

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

ASKED = version_2("/invocations", b'"from the "', {"content-type": "application/json"})


def test_weights_are_read_from_their_layer(zoo: Zoo, start: Start) -> None:
    assert json.loads(start(zoo("Reads")).invoke(ASKED).value["body"]) == "from the layer"


def test_weights_in_the_functions_own_archive_come_first(zoo: Zoo, start: Start, tmp_path: Path) -> None:
    made = zoo("Reads")
    task = Path(shutil.copytree(made.task, tmp_path / "task"))
    for layered in (made.opt / WEIGHTS).rglob("word.txt"):
        own = task / layered.relative_to(made.opt)
        own.parent.mkdir(parents=True)
        own.write_text("archive")
    assert json.loads(start(Unpacked(task, made.opt)).invoke(ASKED).value["body"]) == "from the archive"
