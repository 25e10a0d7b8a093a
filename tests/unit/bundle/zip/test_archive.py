import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from preheat.bundle.cache import Cache
from preheat.bundle.digest import content_file
from preheat.bundle.layers import materialise
from preheat.bundle.model import Bundle, LayerName, Target
from preheat.bundle.zip.archive import Layout, Part, zip_bundle
from preheat.errors import BundleError
from preheat.progress import Amount, Event, Step, quiet

WHOLE = (
    Part(layer="code"),
    Part(layer="dependencies", folder="packages"),
    Part(layer="weights", folder="weights"),
)
LAYOUT = Layout(layers=WHOLE)
CODE = {"handler.py": "x = 1\n", "LICENSE": "mine"}
PACKAGES = {"numpy/__init__.py": "", "numpy/core.so": "\x7fELF", "LICENSE": "theirs"}
WEIGHTS = {"model/m.onnx": "weights"}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def bundle(cache: Cache, **trees: Mapping[str, str]) -> Bundle:
    known: dict[LayerName, Mapping[str, str]] = {"dependencies": PACKAGES, "weights": WEIGHTS, "code": CODE}
    layers = tuple(
        materialise(
            cache, name, {path: content_file(text.encode()) for path, text in trees.get(name, tree).items()}
        )
        for name, tree in known.items()
    )
    target = Target(provider="x", platform="x86_64-manylinux_2_34", python="3.13")
    return Bundle(
        digest="sha256:0", target=target, layers=layers, sizes=(), path=cache.root, cached=False, contract={}
    )


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_layers_and_files_go_where_the_layout_says(cache: Cache) -> None:
    layout = Layout(layers=LAYOUT.layers, files={"listing.json": b"[]"})
    made = zip_bundle(bundle(cache), layout, cache=cache, report=quiet)
    assert contents(made.path) == {
        "handler.py": b"x = 1\n",
        "LICENSE": b"mine",
        "packages/LICENSE": b"theirs",
        "packages/numpy/__init__.py": b"",
        "packages/numpy/core.so": b"\x7fELF",
        "weights/model/m.onnx": b"weights",
        "listing.json": b"[]",
    }
    assert made.bytes == made.path.stat().st_size
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()


def test_a_layer_that_the_layout_leaves_out_is_left_out(cache: Cache) -> None:
    made = zip_bundle(bundle(cache), Layout(layers=WHOLE[:1]), cache=cache, report=quiet)
    assert set(contents(made.path)) == set(CODE)


def test_a_part_of_a_layer_is_what_lies_at_its_top(cache: Cache) -> None:
    code = {"handler.py": "x = 1", "preheat/a.py": "", "preheat/handler.py": "", "preheats.py": ""}
    made = bundle(cache, code=code)
    ours = Layout(layers=(Part(layer="code", folder="python", only=frozenset({"preheat", "other"})),))
    theirs = Layout(layers=(Part(layer="code", without=frozenset({"preheat"})),))
    packed = [
        set(contents(zip_bundle(made, each, cache=cache, report=quiet).path)) for each in (ours, theirs)
    ]
    assert packed == [{"python/preheat/a.py", "python/preheat/handler.py"}, {"handler.py", "preheats.py"}]
    changed = bundle(cache, code=code | {"handler.py": "x = 2"})
    assert ours.digest(changed) == ours.digest(made)
    assert theirs.digest(changed) != theirs.digest(made)


def test_an_unchanged_bundle_is_not_packed_again(cache: Cache) -> None:
    first = zip_bundle(bundle(cache), LAYOUT, cache=cache, report=quiet)
    stamp = first.path.stat().st_ino
    events: list[Event] = []
    again = zip_bundle(bundle(cache), LAYOUT, cache=cache, report=events.append)
    assert (again.cached, again.digest, again.sha256) == (True, first.digest, first.sha256)
    assert (events, again.path.stat().st_ino) == ([], stamp)


def test_an_archive_that_was_cut_is_packed_again(cache: Cache) -> None:
    first = zip_bundle(bundle(cache), LAYOUT, cache=cache, report=quiet)
    whole = first.path.read_bytes()
    first.path.write_bytes(whole[:-1])
    again = zip_bundle(bundle(cache), LAYOUT, cache=cache, report=quiet)
    assert (again.cached, again.path.read_bytes()) == (False, whole)


@pytest.mark.parametrize(
    ("trees", "layout"),
    [
        ({"code": {"handler.py": "x = 2\n"}}, LAYOUT),
        ({"weights": {"model/n.onnx": "weights"}}, LAYOUT),
        ({}, Layout(layers=(*WHOLE[:2], Part(layer="weights", folder="models")))),
        ({}, Layout(layers=WHOLE[:2])),
        ({}, Layout(layers=LAYOUT.layers, files={"listing.json": b"[]"})),
        ({}, Layout(layers=(Part(layer="code", without=frozenset({"LICENSE"})), *WHOLE[1:]))),
    ],
)
def test_whatever_would_unpack_otherwise_has_another_digest(
    cache: Cache, trees: Mapping[str, Mapping[str, str]], layout: Layout
) -> None:
    assert layout.digest(bundle(cache, **trees)) != LAYOUT.digest(bundle(cache))


def test_the_digest_is_known_before_anything_is_packed(cache: Cache) -> None:
    digest = LAYOUT.digest(bundle(cache))
    assert not (cache.root / "archives").exists()
    assert zip_bundle(bundle(cache), LAYOUT, cache=cache, report=quiet).digest == digest


def test_progress_ends_at_the_total(cache: Cache) -> None:
    events: list[Event] = []
    zip_bundle(bundle(cache), LAYOUT, cache=cache, report=events.append)
    assert events[0] == Step("zip", "packing 6 files")
    assert all(isinstance(event, Amount) and event.total == events[-1].done for event in events[1:])  # type: ignore[union-attr]


@pytest.mark.parametrize("files", [{"handler.py": b"again"}, {"packages": b"a file"}])
def test_what_clashes_leaves_no_archive(cache: Cache, files: Mapping[str, bytes]) -> None:
    broken = bundle(cache)
    layout = Layout(layers=LAYOUT.layers, files=files)
    with pytest.raises(BundleError, match="in the archive"):
        zip_bundle(broken, layout, cache=cache, report=quiet)
    assert not (cache.root / "archives").exists()
    assert list((cache.root / "tmp").iterdir()) == []
