from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.lambda_templates import project

from preheat.bundle.model import Bundle, Layer, LayerName
from preheat_providers.aws_lambda.deploying.archives import artifacts_of
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.target import target_of

FOLDER = "preheat/demo/dev/"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    names: tuple[LayerName, ...] = ("dependencies", "weights", "code")
    for name in names:
        (tmp_path / name).mkdir()
    return Bundle(
        digest="sha256:1",
        target=target_of(project(), Options()),
        layers=tuple(Layer(name=name, digest="sha256:0", bytes=0, path=tmp_path / name) for name in names),
        sizes=(),
        path=tmp_path,
        cached=True,
        contract={"answers": [0.1]},
    )


def keys(bundle: Bundle, **changed: Any) -> Mapping[Any, str]:
    return artifacts_of(replace(bundle, **changed), Options(), FOLDER).keys


def test_answers_that_another_processor_gives_make_no_new_archive(bundle: Bundle) -> None:
    assert keys(bundle) == keys(bundle, contract={"answers": [0.10000001]})


def test_what_was_learned_of_another_bundle_is_another_archive_of_the_function_alone(bundle: Bundle) -> None:
    mine, others = keys(bundle), keys(bundle, digest="sha256:2")
    assert mine["function"] != others["function"]
    assert mine["libraries"] == others["libraries"]
