from preheat_providers.aws_lambda.deploying.versions import superfluous
from preheat_providers.aws_lambda.operating.releases import NOT_OURS, Version


def versions(*numbers: int) -> list[Version]:
    return [Version(number=number, described=NOT_OURS, created="") for number in numbers]


def test_the_newest_stay_and_so_do_those_that_are_needed() -> None:
    needed = frozenset({2})
    assert superfluous(versions(9, 7, 5, 3, 2, 1), keep=3, needed=needed) == (3, 1)


def test_nothing_goes_while_there_are_few() -> None:
    assert superfluous(versions(2, 1), keep=10, needed=frozenset()) == ()
