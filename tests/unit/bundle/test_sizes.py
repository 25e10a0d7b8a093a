import pytest

from preheat.bundle.digest import content_file
from preheat.bundle.model import Size, Target
from preheat.bundle.sizes import check_limit, dependency_sizes, ledger, source_of, weight_sizes
from preheat.errors import TooLarge


def target(limit: int | None) -> Target:
    return Target(provider="lambda", platform="linux", python="3.12", unzipped_limit=limit)


def sizes(**megabytes: int) -> list[Size]:
    return [Size(layer="dependencies", name=name, bytes=mb * 1_000_000) for name, mb in megabytes.items()]


def test_byte_code_counts_for_the_package_it_belongs_to() -> None:
    kept = {"a": {"a/x.py": content_file(b"1")}, "b": {"b.py": content_file(b"12")}}
    bytecode = {
        "a/__pycache__/x.cpython-311.pyc": content_file(b"123"),
        "__pycache__/b.cpython-311.pyc": content_file(b"1234"),
    }
    assert {size.name: size.bytes for size in dependency_sizes(kept, bytecode)} == {"a": 4, "b": 6}
    assert source_of("__pycache__/b.cpython-311.pyc") == "b.py"


def test_weights_are_listed_by_name() -> None:
    tree = {"model/a": content_file(b"1"), "model/b": content_file(b"12"), "words/c": content_file(b"1")}
    assert {size.name: size.bytes for size in weight_sizes(tree)} == {"model": 3, "words": 1}


def test_the_heaviest_stand_first() -> None:
    assert [size.name for size in ledger(sizes(a=1, c=3, b=3))] == ["b", "c", "a"]


def test_a_bundle_over_the_limit_says_by_how_much_and_what_weighs_most() -> None:
    with pytest.raises(TooLarge) as caught:
        check_limit(sizes(torch=200, numpy=50, tiny=1), target(240_000_000))
    assert "251.0 MB unzipped, and lambda takes 240.0 MB: 11.0 MB too much" in caught.value.message
    assert "torch 200.0 MB, numpy 50.0 MB" in caught.value.message
    assert "preheat build --sizes" in str(caught.value.hint)


@pytest.mark.parametrize("limit", [251_000_000, None])
def test_a_bundle_at_the_limit_is_taken(limit: int | None) -> None:
    check_limit(sizes(torch=200, numpy=50, tiny=1), target(limit))
