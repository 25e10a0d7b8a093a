import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from preheat.bundle.cache import Cache
from preheat.bundle.digest import content_file
from preheat.bundle.layers import materialise
from preheat.bundle.model import Bundle, LayerName, Target
from preheat.bundle.zip.archive import Layout, zip_bundle
from preheat.errors import BundleError
from preheat.progress import Amount, Event, Step, quiet

ROOT = Layout(layers={"code": "", "dependencies": "", "weights": "weights"})
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


def test_layers_go_where_the_layout_says_and_the_first_one_wins(cache: Cache) -> None:
    layout = Layout(layers=ROOT.layers, files={"listing.json": b"[]"})
    made = zip_bundle(bundle(cache), layout, cache=cache, report=quiet)
    assert contents(made.path) == {
        "handler.py": b"x = 1\n",
        "LICENSE": b"mine",
        "numpy/__init__.py": b"",
        "numpy/core.so": b"\x7fELF",
        "weights/model/m.onnx": b"weights",
        "listing.json": b"[]",
    }
    assert made.bytes == made.path.stat().st_size
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()


def test_a_layer_that_the_layout_leaves_out_is_left_out(cache: Cache) -> None:
    made = zip_bundle(bundle(cache), Layout(layers={"code": ""}), cache=cache, report=quiet)
    assert set(contents(made.path)) == set(CODE)


def test_an_unchanged_bundle_is_not_packed_again(cache: Cache) -> None:
    first = zip_bundle(bundle(cache), ROOT, cache=cache, report=quiet)
    stamp = first.path.stat().st_ino
    events: list[Event] = []
    again = zip_bundle(bundle(cache), ROOT, cache=cache, report=events.append)
    assert (again.cached, again.digest, again.sha256) == (True, first.digest, first.sha256)
    assert (events, again.path.stat().st_ino) == ([], stamp)


def test_an_archive_that_was_cut_is_packed_again(cache: Cache) -> None:
    first = zip_bundle(bundle(cache), ROOT, cache=cache, report=quiet)
    whole = first.path.read_bytes()
    first.path.write_bytes(whole[:-1])
    again = zip_bundle(bundle(cache), ROOT, cache=cache, report=quiet)
    assert (again.cached, again.path.read_bytes()) == (False, whole)


@pytest.mark.parametrize(
    ("trees", "layout"),
    [
        ({"code": {"handler.py": "x = 2\n"}}, ROOT),
        ({"weights": {"model/n.onnx": "weights"}}, ROOT),
        ({}, Layout(layers={"code": "", "dependencies": "", "weights": "models"})),
        ({}, Layout(layers={"code": "", "dependencies": ""})),
        ({}, Layout(layers={"dependencies": "", "code": "", "weights": "weights"})),
        ({}, Layout(layers=ROOT.layers, files={"listing.json": b"[]"})),
    ],
)
def test_whatever_would_unpack_otherwise_has_another_digest(
    cache: Cache, trees: Mapping[str, Mapping[str, str]], layout: Layout
) -> None:
    assert layout.digest(bundle(cache, **trees)) != ROOT.digest(bundle(cache))


def test_the_digest_is_known_before_anything_is_packed(cache: Cache) -> None:
    digest = ROOT.digest(bundle(cache))
    assert not (cache.root / "archives").exists()
    assert zip_bundle(bundle(cache), ROOT, cache=cache, report=quiet).digest == digest


@pytest.mark.parametrize("path", ["numpy/mine.py", "numpy.py", "numpy.cpython-313-x86_64-linux-gnu.so"])
def test_a_module_of_two_layers_in_one_folder_is_refused_with_its_name(cache: Cache, path: str) -> None:
    with pytest.raises(BundleError, match="both have a module numpy") as caught:
        zip_bundle(bundle(cache, code={path: ""}), ROOT, cache=cache, report=quiet)
    assert caught.value.hint == "Rename yours, or leave it out: echo '/numpy' >> .preheatignore"
    apart = Layout(layers={"code": "", "dependencies": "packages"})
    zip_bundle(bundle(cache, code={path: ""}), apart, cache=cache, report=quiet)


def test_byte_code_beside_modules_of_both_is_no_clash(cache: Cache) -> None:
    code = {"handler.py": "", "__pycache__/handler.cpython-313.pyc": "1"}
    packages = {"six.py": "", "__pycache__/six.cpython-313.pyc": "2"}
    made = zip_bundle(bundle(cache, code=code, dependencies=packages), ROOT, cache=cache, report=quiet)
    assert {*code, *packages} < set(contents(made.path))


def test_progress_ends_at_the_total(cache: Cache) -> None:
    events: list[Event] = []
    zip_bundle(bundle(cache), ROOT, cache=cache, report=events.append)
    assert events[0] == Step("zip", "packing 5 files")
    assert all(isinstance(event, Amount) and event.total == events[-1].done for event in events[1:])  # type: ignore[union-attr]


def test_what_fails_leaves_no_archive(cache: Cache) -> None:
    broken = bundle(cache)
    layout = Layout(layers=ROOT.layers, files={"handler.py": b"again"})
    with pytest.raises(BundleError, match="Two files of the bundle would be handler.py"):
        zip_bundle(broken, layout, cache=cache, report=quiet)
    assert not (cache.root / "archives").exists()
    assert list((cache.root / "tmp").iterdir()) == []
