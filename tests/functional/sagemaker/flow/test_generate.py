"""The example `generate` on SageMaker as it is in the repository: its image in a container, its answers jobs.

Only the Python and its image are named: the default one lies where no test can reach it.
"""

import json
from collections.abc import Iterator

import pytest
from tests.fakes.functions import Function, Functions
from tests.fakes.sagemaker.workplace import SETTINGS
from tests.functional.examples.conftest import EXAMPLES
from tests.functional.examples.test_generate import TEXTS, continuation

from preheat.progress import quiet
from preheat.provider.protocol import Provider


@pytest.fixture(scope="module")
def generate(
    provider: Provider, base: str, in_containers: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Function]:
    folder, options = tmp_path_factory.mktemp("examples"), {"base_image": base}
    examples = Functions(provider, folder, projects=EXAMPLES, settings=SETTINGS, options=options)
    function = examples.fresh("generate")
    function.deploy()
    yield function
    provider.destroy(function.name, function.stage, report=quiet)


@pytest.mark.parametrize("text", TEXTS[:3])
def test_the_model_goes_on_with_what_repeats(generate: Function, text: str) -> None:
    answer = generate.send(json.dumps({"text": text}).encode())
    assert answer.status == 200, answer.body
    assert "".join(map(json.loads, answer.body.splitlines())) == continuation(text, 64)


def test_a_redeploy_changes_nothing(generate: Function) -> None:
    assert generate.deploy().changed is False
