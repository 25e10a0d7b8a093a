import re

import pytest

from preheat import errors

TREE = errors.__doc__ or ""
CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == errors.__name__
]


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    parents: list[tuple[int, str]] = []
    drawn = {}
    for line in TREE.splitlines():
        found = re.match(r"    ([│├└─ ]*)([A-Z]\w+)  ", line)
        if found:
            depth = len(found[1]) // 4
            parents = [*parents[:depth], (depth, found[2])]
            drawn[found[2]] = parents[-2][1] if depth else "Exception"
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES}


def test_every_request_error_has_a_status_of_its_own_and_the_tree_names_it() -> None:
    requests = [
        kind for kind in CLASSES if issubclass(kind, errors.RequestError) and kind is not errors.RequestError
    ]
    statuses = [kind.status for kind in requests]
    assert len(set(statuses)) == len(statuses)
    for kind in requests:
        assert re.search(rf"{kind.__name__} +{kind.status}\b", TREE), kind


@pytest.mark.parametrize("kind", [errors.PreheatError, errors.HandlerError, errors.BadInput])
def test_every_error_carries_its_hint_apart_from_its_message(kind: type[errors.PreheatError]) -> None:
    error = kind("what happened", hint="what to paste")
    assert (str(error), error.message, error.hint) == ("what happened", "what happened", "what to paste")
