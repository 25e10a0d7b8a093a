"""kill -9 in the middle of a deploy, which can clean up nothing; the same command then finishes it."""

import pytest
from tests.fakes.functions import Function
from tests.fakes.sagemaker.account import Account
from tests.fakes.sagemaker.killed import killed_at
from tests.functional.sagemaker.deploying.test_deploying import config_of, numbers, second

from preheat_providers.sagemaker.template.names import image_stack_name, stack_name


@pytest.mark.parametrize(
    "at",
    ["Images CREATE_IN_PROGRESS", "naming it", "Endpoint CREATE_IN_PROGRESS", "Endpoint CREATE_COMPLETE"],
)
def test_a_first_deploy_that_was_killed_is_finished_and_shows_its_token_once(
    words: Function, account: Account, at: str
) -> None:
    killed_at(at, words, account)
    finished = words.deploy()
    assert (finished.release, finished.token is not None) == (1, True)
    again = words.deploy()
    assert (again.changed, again.token) == (False, None)
    assert numbers(words) == [(1, True)]
    for stack in (image_stack_name, stack_name):
        status = account.cloud.client("cloudformation").describe_stacks(StackName=stack(words.name, "dev"))
        assert status["Stacks"][0]["StackStatus"].endswith("_COMPLETE")


@pytest.mark.parametrize("at", ["naming it", "sending what", "Endpoint UPDATE_IN_PROGRESS"])
def test_another_release_that_was_killed_is_one_release(words: Function, account: Account, at: str) -> None:
    words.deploy()
    first = config_of(words, account)
    killed_at(at, second(words), account)
    assert words.deploy().release == 2
    assert numbers(words) == [(2, True), (1, False)]
    assert words.provider.rollback(words.name, "dev", None).release == 1
    assert config_of(words, account) == first
