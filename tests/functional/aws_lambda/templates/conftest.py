"""Every variant of a template, once for each test that asks for one."""

from typing import Any

import pytest
from tests.fakes.template_variants import Variant, variants


@pytest.fixture(params=variants(), ids=str)
def variant(request: pytest.FixtureRequest) -> Variant:
    chosen: Variant = request.param
    return chosen


@pytest.fixture
def made(variant: Variant) -> dict[str, Any]:
    return variant.template()
