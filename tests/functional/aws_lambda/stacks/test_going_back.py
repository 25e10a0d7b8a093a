"""Deploys after the traffic or the code went somewhere without the stack, which does not know of it."""

from tests.fakes.functions import Function, Functions

LOG_DAYS = "[provider.aws_lambda]\nlog_days = 7\n\n[resources]"
KEEP_TWO = "[provider.aws_lambda]\nkeep_releases = 2\n\n[resources]"


def numbers(function: Function) -> list[int]:
    return [release.number for release in function.provider.releases(function.name, function.stage)]


def test_code_that_the_stack_had_all_along_is_brought_back_with_a_setting(functions: Functions) -> None:
    function = functions.fresh("plain")
    function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    function.deploy()
    function.edit("handler.py", '"second"', '"first"')
    function.edit("preheat.toml", "[resources]", LOG_DAYS)
    function.deploy()
    assert function.ask("you") == "first you"
    assert function.plan().changes == ()


def test_code_that_the_stack_had_all_along_is_brought_back_with_more_memory(functions: Functions) -> None:
    function = functions.fresh("plain")
    function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    function.deploy()
    function.edit("handler.py", '"second"', '"first"')
    function.edit("preheat.toml", "memory_mb = 512", "memory_mb = 640")
    function.deploy()
    assert function.ask("you") == "first you"
    assert function.plan().changes == ()


def test_a_deploy_after_a_rollback_gives_the_wanted_code_all_traffic_again(functions: Functions) -> None:
    function = functions.fresh("plain")
    function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    function.deploy()
    function.provider.rollback(function.name, function.stage, None)
    assert {"Alias", "Function", "Version"} == {change.name for change in function.plan().changes}
    function.deploy()
    assert function.ask("you") == "second you"
    assert function.plan().changes == ()


def test_a_canary_is_a_change_that_a_deploy_ends(functions: Functions) -> None:
    function = functions.fresh("plain")
    function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    function.deploy()
    function.provider.promote(function.name, function.stage, canary=0.5)
    function.deploy()
    assert {function.ask("you") for _ in range(10)} == {"second you"}


def test_pruning_leaves_the_newest_and_what_the_stack_has(functions: Functions) -> None:
    function = functions.fresh("plain")
    function.edit("preheat.toml", "[resources]", KEEP_TWO)
    function.deploy()
    for before, after in (("first", "second"), ("second", "third"), ("third", "fourth")):
        function.edit("handler.py", f'"{before}"', f'"{after}"')
        function.deploy()
    assert numbers(function) == [4, 3, 1]
    function.edit("preheat.toml", "memory_mb = 512", "memory_mb = 640")
    function.deploy()
    assert numbers(function) == [5, 4]
