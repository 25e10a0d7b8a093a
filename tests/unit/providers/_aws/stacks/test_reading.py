"""Finding stacks: what exists, and what only seems to."""

import pytest
from tests.fakes.cloudformation import ID, NAME, TEMPLATE, FakeCloudFormation, Refused

from preheat.errors import ProviderError
from preheat_providers._aws.stacks import Stacks


def stacks(cloud: FakeCloudFormation) -> Stacks:
    return Stacks(cloud.client, sleep=cloud.sleep, clock=cloud.clock)


@pytest.mark.parametrize("status", [None, "DELETE_COMPLETE"])
@pytest.mark.parametrize("name", [NAME, ID])
def test_no_stack_is_found_where_none_is(status: str | None, name: str) -> None:
    assert stacks(FakeCloudFormation(status)).find(name) is None


def test_a_stack_is_found_with_its_template_and_its_parameters() -> None:
    cloud = FakeCloudFormation(
        "UPDATE_COMPLETE", template=TEMPLATE, parameters={"Secret": "x"}, tags={"a": "b"}
    )
    stack = stacks(cloud).find(NAME)
    assert stack is not None
    assert (stack.name, stack.status, stack.template) == (NAME, "UPDATE_COMPLETE", TEMPLATE)
    assert (stack.parameters, stack.tags) == ({"Secret": "****"}, {"a": "b"})


@pytest.mark.parametrize(
    ("status", "exists"),
    [
        ("CREATE_COMPLETE", True),
        ("UPDATE_ROLLBACK_COMPLETE", True),
        ("UPDATE_IN_PROGRESS", True),
        ("ROLLBACK_COMPLETE", False),
        ("REVIEW_IN_PROGRESS", False),
        ("CREATE_IN_PROGRESS", False),
        ("DELETE_FAILED", False),
    ],
)
def test_a_template_whose_resources_do_not_exist_is_empty(status: str, exists: bool) -> None:
    stack = stacks(FakeCloudFormation(status, template=TEMPLATE)).find(NAME)
    assert stack is not None
    assert stack.template == (TEMPLATE if exists else {})


@pytest.mark.parametrize(
    ("tags", "found"), [({}, 1), ({"a": "b"}, 1), ({"a": "c"}, 0), ({"a": "b", "c": "d"}, 0)]
)
def test_stacks_are_listed_by_their_tags(tags: dict[str, str], found: int) -> None:
    cloud = FakeCloudFormation("CREATE_COMPLETE", tags={"a": "b"})
    assert len(stacks(cloud).listed(tags)) == found


def test_a_refusal_is_an_error_and_not_an_absent_stack() -> None:
    cloud = FakeCloudFormation(refused={"DescribeStacks": Refused("ExpiredToken", "The token is expired")})
    with pytest.raises(ProviderError, match="temporary credentials have expired"):
        stacks(cloud).find(NAME)
