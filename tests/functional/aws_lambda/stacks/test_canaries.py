"""Beside what a canary stands, where CloudFormation has moved the traffic and not we."""

from tests.fakes.functions import Function, Functions

KEEP_TWO = "[provider.aws_lambda]\nkeep_releases = 2\n\n[resources]"


def deploy_by_stack(function: Function, old: str, new: str) -> None:
    """Deploy other code with another memory, which no direct deploy changes."""
    versions = {"512": '"first"', "640": '"second"', "768": '"third"'}
    function.edit("handler.py", versions[old], versions[new])
    function.edit("preheat.toml", f"memory_mb = {old}", f"memory_mb = {new}")
    function.deploy()


def test_a_canary_stands_beside_what_served_and_a_deploy_leaves_that_there(functions: Functions) -> None:
    function = functions.fresh("plain")
    function.edit("preheat.toml", "[resources]", KEEP_TWO)
    function.deploy()
    deploy_by_stack(function, "512", "640")
    provider, name, stage = function.provider, function.name, function.stage
    assert provider.rollback(name, stage, None).release == 1
    deploy_by_stack(function, "640", "768")
    assert [release.number for release in provider.releases(name, stage)] == [3, 2, 1]
    assert provider.promote(name, stage, canary=0.5).release == 1
    assert {function.ask("you") for _ in range(40)} == {"first you", "third you"}
    assert provider.promote(name, stage, canary=None).release == 3


def test_of_two_deploys_by_the_stack_the_first_served_before(functions: Functions) -> None:
    function = functions.fresh("plain")
    function.deploy()
    function.provider.rollback(function.name, function.stage, 1)
    deploy_by_stack(function, "512", "640")
    deploy_by_stack(function, "640", "768")
    assert function.provider.promote(function.name, function.stage, canary=0.5).release == 2
