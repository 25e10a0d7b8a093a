import gzip
import importlib.util
import io
import tarfile
from dataclasses import replace

import pytest
from tests.fakes.image_bench import Bench
from tests.fakes.images import BASE, TARGET, Bundles, layer_of
from tests.fakes.registry import image_of

from preheat.bundle.image.image import Foundation, find_foundation

LIBRARY = "usr/lib/python3.11"
CACHED = f"{LIBRARY}/asyncio/__pycache__/__init__.cpython-311.pyc"
BARE = {path: data for path, data in BASE.items() if path != CACHED} | {
    f"{LIBRARY}/abc.py": b"x = 1\n",
    f"{LIBRARY}/json/decoder.py": b"y = 2\n",
    f"{LIBRARY}/lib2to3/tests/data/bom.py": b"",
    f"{LIBRARY}/site-packages/pip.py": b"",
    f"{LIBRARY}/test/support.py": b"",
    f"{LIBRARY}/turtle.py": b"",
    "usr/lib/other.py": b"",
}


def found(bench: Bench, *layers: dict[str, bytes]) -> Foundation:
    image_of(bench.registry, "base", [layer_of(layer) for layer in layers])
    return find_foundation(f"{bench.registry.host}/base", TARGET, bench.bases(upgrade=True))


def content(foundation: Foundation) -> dict[str, bytes | None]:
    """The layer's files, and its folders as None."""
    assert foundation.bytecode is not None
    data = gzip.decompress(foundation.bytecode.blob.path.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        files = {entry.name: archive.extractfile(entry) for entry in archive}
        return {name: None if file is None else file.read() for name, file in files.items()}


def test_a_base_without_byte_code_gets_that_of_what_a_server_imports(bench: Bench) -> None:
    layer = content(found(bench, BARE))
    assert list(layer) == [
        f"{LIBRARY}/__pycache__",
        f"{LIBRARY}/__pycache__/abc.cpython-311.pyc",
        f"{LIBRARY}/asyncio/__pycache__",
        CACHED,
        f"{LIBRARY}/json/__pycache__",
        f"{LIBRARY}/json/__pycache__/decoder.cpython-311.pyc",
    ]
    compiled = layer[f"{LIBRARY}/__pycache__/abc.cpython-311.pyc"]
    assert compiled is not None
    assert compiled[:8] == importlib.util.MAGIC_NUMBER + b"\1\0\0\0"  # unchecked: whatever the file's time


def test_it_lies_right_above_the_base_and_is_as_old_as_that(bench: Bench, bundles: Bundles) -> None:
    found(bench, BARE)
    image = bench.image(bundles.make())
    assert [layer.name for layer in image.layers][:3] == ["base", "python", "dependencies"]


def test_a_base_that_has_it_all_gets_no_layer(bench: Bench) -> None:
    assert found(bench, dict(BASE)).bytecode is None


def test_a_module_that_a_higher_layer_removes_or_replaces_is_compiled_as_it_is_left(bench: Bench) -> None:
    before = content(found(bench, BARE))
    after = content(
        found(bench, BARE, {f"{LIBRARY}/json/.wh.decoder.py": b"", f"{LIBRARY}/abc.py": b"x = 3\n"})
    )
    changed = f"{LIBRARY}/__pycache__/abc.cpython-311.pyc"
    assert not any("json" in path for path in after)
    assert before[changed] != after[changed]


def test_a_second_build_packs_nothing_and_asks_the_registry_nothing(bench: Bench) -> None:
    first = found(bench, BARE).bytecode
    bench.registry.seen.clear()
    again = find_foundation(f"{bench.registry.host}/base", TARGET, bench.bases()).bytecode
    assert bench.registry.seen == []
    assert first is not None
    assert again == replace(first, cached=True)


@pytest.mark.parametrize("source", [b"print 'no Python of this version'\n", b"\xff"])
def test_what_does_not_compile_is_left_out(bench: Bench, source: bytes) -> None:
    layer = content(found(bench, {**BARE, f"{LIBRARY}/odd.py": source}))
    assert not any("odd" in path for path in layer)
