import ast
import json
from pathlib import Path

import pytest

from preheat.errors import ProviderError
from preheat_providers.modal.app.words import literal
from preheat_providers.modal.shipped.settings import TOKEN, Settings

SETTINGS = Settings(
    stage="dev",
    release="7",
    memory_mb=512,
    cpus=1.5,
    door="token",
    jobs="preheat-demo-dev-jobs",
    weights="ab",
    snapshot=True,
    ticks={"nightly": {"a": [None, True]}},
)


def test_settings_come_back_as_they_were_written() -> None:
    assert Settings.of(json.loads(json.dumps(SETTINGS.document()))) == SETTINGS
    assert Settings.of(ast.literal_eval(literal(SETTINGS.document()))) == SETTINGS


def test_a_handler_runs_where_the_layers_are() -> None:
    place = SETTINGS.place(Path("/root/b"), "demo", Path("/tmp"))
    assert (place.code, place.weights) == (Path("/root/b/code"), Path("/root/b/weights/ab"))
    assert (place.provider, place.release, place.stage, place.cpus) == ("modal", "7", "dev", 1.5)


def test_a_door_without_its_token_stays_shut() -> None:
    assert SETTINGS.token_sha256({TOKEN: "ff"}) == "ff"
    for environ in ({}, {TOKEN: ""}):
        with pytest.raises(ProviderError, match=TOKEN):
            SETTINGS.token_sha256(environ)


def test_an_open_door_asks_for_none() -> None:
    opened = Settings(stage="dev", release="1", memory_mb=1, cpus=1, door="open", jobs="j")
    assert opened.token_sha256({TOKEN: "ff"}) is None
