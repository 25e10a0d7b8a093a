import gzip

import pytest
from tests.fakes.images import BASE, GLIBC, tar_of

from preheat.bundle.image.facts import FactFinder, Facts
from preheat.bundle.image.overlay import gunzipped
from preheat.errors import BundleError


def facts(*layers: bytes, piece: int = 1000) -> Facts:
    finder = FactFinder()
    for layer in layers:
        finder.add(layer[start : start + piece] for start in range(0, len(layer), piece))
    return finder.facts()


def test_interpreters_their_library_and_the_c_library_are_found() -> None:
    found = facts(tar_of(BASE))
    assert found.pythons == {"3.11": ["/usr/bin/python3.11"]}
    assert (found.complete, found.glibc, found.musl) == (["3.11"], (2, 36), False)
    assert {"libstdc++.so.6", "libc.so.6"} <= set(found.libraries)
    assert Facts.from_json(found.to_json()) == found


def test_a_standard_library_without_byte_code_is_told_by_its_folder() -> None:
    cached = "asyncio/__pycache__/__init__.cpython-312.pyc"
    libraries = ["usr/lib/python3.12", "usr/local/lib/python3.12", "usr/lib/python3.11"]
    there = {f"{folder}/asyncio/__init__.py": b"" for folder in libraries}
    found = facts(tar_of(there), tar_of({f"usr/lib/python3.12/{cached}": b""}))
    assert found.uncompiled == {"3.11": ["usr/lib/python3.11"], "3.12": ["usr/local/lib/python3.12"]}
    assert facts(tar_of(BASE)).uncompiled == {}
    assert facts(tar_of({"opt/python3.11/asyncio/__init__.pyc": b""})).uncompiled == {}


def test_a_c_library_behind_a_link_is_found_by_the_file() -> None:
    old = GLIBC.replace(b"2.36.", b"2.17.")
    layer = tar_of({"lib64/libc-2.17.so": old}, {"lib64/libc.so.6": "libc-2.17.so"})
    assert facts(layer).glibc == (2, 17)


def test_a_c_library_of_another_width_does_not_count() -> None:
    assert facts(tar_of({"usr/lib32/libc.so.6": GLIBC})).glibc is None


def test_musl_is_told_from_glibc() -> None:
    found = facts(tar_of({"lib/ld-musl-x86_64.so.1": b"\x7fELF"}))
    assert (found.musl, found.glibc) == (True, None)


def test_an_interpreter_that_is_a_link_counts() -> None:
    assert facts(tar_of({}, {"usr/local/bin/python3.12": "/opt/x"})).pythons == {
        "3.12": ["/usr/local/bin/python3.12"]
    }


@pytest.mark.parametrize("gone", ["usr/bin/.wh.python3.11", "usr/.wh.bin", "usr/bin/.wh..wh..opq"])
def test_what_a_higher_layer_removes_is_gone(gone: str) -> None:
    assert facts(tar_of(BASE), tar_of({gone: b""})).pythons == {}


def test_a_layer_that_hides_a_folder_keeps_what_it_puts_there() -> None:
    higher = tar_of({"usr/bin/python3.12": b"", "usr/bin/.wh..wh..opq": b""})
    assert facts(tar_of(BASE), higher).pythons == {"3.12": ["/usr/bin/python3.12"]}


def test_a_newer_c_library_in_a_higher_layer_is_the_one_that_counts() -> None:
    path = "lib/x86_64-linux-gnu/libc.so.6"
    older = tar_of({path: GLIBC.replace(b"2.36.", b"2.28.")})
    assert facts(tar_of(BASE), older).glibc == (2, 28)


def test_a_broken_layer_is_an_error() -> None:
    with pytest.raises(BundleError, match="layer of the base image is broken"):
        facts(b"not a tar at all" * 100)


def test_a_layer_is_read_to_its_last_byte() -> None:
    """Whoever gives the pieces checks their digest after the last one, which a tar archive does not need."""
    rest = iter([tar_of(BASE) + bytes(3 << 20), b"what follows", b"the end"])
    FactFinder().add(rest)
    assert list(rest) == []


def test_a_broken_compression_is_an_error() -> None:
    finder = FactFinder()
    with pytest.raises(BundleError, match="layer of the base image is broken"):
        finder.add(gunzipped([b"\x1f\x8b\x08\x00" + b"?" * 100]))


def test_gzip_of_several_members_is_read_to_the_end() -> None:
    packed = b"".join(gzip.compress(part) for part in (b"one", b"", b"two"))
    pieces = [packed[start : start + 7] for start in range(0, len(packed), 7)]
    assert b"".join(gunzipped(pieces)) == b"onetwo"
