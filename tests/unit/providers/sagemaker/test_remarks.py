from typing import Any

import pytest
from tests.fakes.bundle import FakeBuild
from tests.fakes.sagemaker_templates import project

from preheat.progress import quiet
from preheat.project.model import Resources, Scaling
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.remarks import remarks_of
from preheat_providers.sagemaker.target import target_of

HOUR = Resources(timeout_s=3600)
SEVERAL = Scaling(min=0, max=4)


def remarks(resources: Resources = HOUR, scaling: Scaling = SEVERAL, **options: Any) -> tuple[str, ...]:
    of, chosen = project(resources=resources, scaling=scaling), Options(**options)
    return remarks_of(of, chosen, FakeBuild()(of, target_of(of, chosen), report=quiet))


def test_requests_longer_than_an_instance_stays_are_remarked_on_with_what_keeps_one_for_each() -> None:
    (said,) = remarks()
    assert "may take 3600 s" in said
    assert "backlog = 1 in" in said
    (said,) = remarks(max_concurrent=3)
    assert "backlog = 3 in" in said


@pytest.mark.parametrize(
    ("resources", "scaling", "options"),
    [
        (Resources(timeout_s=900), SEVERAL, {}),
        (HOUR, Scaling(min=0, max=1), {}),
        (HOUR, SEVERAL, {"backlog": 1}),
        (HOUR, SEVERAL, {"max_concurrent": 5}),
        (HOUR, SEVERAL, {"mode": "serverless"}),
    ],
)
def test_where_none_goes_before_its_requests_there_is_no_remark(
    resources: Resources, scaling: Scaling, options: dict[str, Any]
) -> None:
    assert remarks(resources, scaling, **options) == ()
