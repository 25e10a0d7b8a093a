"""Every variant of a template, once for each test that asks for one."""

from typing import Any

import pytest
from tests.fakes.sagemaker_templates import Variant, variants


@pytest.fixture(params=variants(), ids=str)
def made(request: pytest.FixtureRequest) -> dict[str, Any]:
    chosen: Variant = request.param
    return chosen.template()
