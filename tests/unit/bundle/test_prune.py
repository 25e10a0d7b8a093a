"""What is pruned and what stays, over a cache laid by hand. Now is 1000; what is old was used at 100."""

import os
from pathlib import Path

import pytest

from preheat.bundle.cache import Cache
from preheat.bundle.digest import content_file
from preheat.bundle.layers import materialise
from preheat.bundle.model import Bundle, Layer, LayerName, Target
from preheat.bundle.prune import Pruning, find_unused, remove
from preheat.bundle.record import load_bundle, save_bundle
from preheat.errors import BundleError, Conflict

OLD, SINCE = 100, 500
TARGET = Target(provider="local", platform="linux", python="3.12", entry=())


def layer(cache: Cache, name: LayerName, content: bytes, *links: Path) -> Layer:
    made = materialise(cache, name, {"file": content_file(content)})
    for link in links:
        if not (made.path / link.name).exists():
            os.link(link, made.path / link.name)
    return made


def bundle(cache: Cache, digest: str, *layers: Layer) -> None:
    known = {"target": TARGET, "layers": layers, "sizes": (), "path": cache.bundle(digest), "cached": False}
    save_bundle(cache, Bundle(digest=digest, contract=None, **known))  # type: ignore[arg-type]


def age(cache: Cache, *paths: Path) -> None:
    for path in paths or [each for kind in cache.root.iterdir() for each in kind.rglob("*")]:
        os.utime(path, (OLD, OLD))


def pruned(cache: Cache, *deployed: str) -> tuple[set[str], int]:
    found: Pruning = find_unused(cache, deployed, since=SINCE)
    remove(cache, found)
    return {f"{entry.kind}/{entry.path.name[:6]}" for entry in found.entries}, found.freed_bytes


def test_a_deployed_bundle_keeps_its_layers_and_its_record_however_old(cache: Cache) -> None:
    bundle(cache, "sha256:live", layer(cache, "code", b"live"))
    bundle(cache, "sha256:dead", layer(cache, "code", b"dead"))
    age(cache)
    gone, _ = pruned(cache, "sha256:live")
    assert {entry.partition("/")[0] for entry in gone} == {"bundles", "layers"}
    assert load_bundle(cache, "sha256:live") is not None
    assert load_bundle(cache, "sha256:dead") is None
    assert len(list((cache.root / "layers").iterdir())) == 1


def test_a_bundle_that_a_build_used_lately_keeps_its_layers(cache: Cache) -> None:
    bundle(cache, "sha256:used", layer(cache, "code", b"used"))
    age(cache)
    assert load_bundle(cache, "sha256:used") is not None  # what every build of an unchanged project does
    age(cache, *(cache.root / "layers").iterdir())
    assert pruned(cache) == (set(), 0)


def test_a_layer_that_two_bundles_share_goes_with_the_last_of_them(cache: Cache) -> None:
    shared = layer(cache, "weights", b"shared")
    bundle(cache, "sha256:one", shared)
    bundle(cache, "sha256:two", shared)
    age(cache)
    assert pruned(cache, "sha256:two")[0] == {"bundles/one"}
    assert shared.path.is_dir()
    pruned(cache)
    assert not shared.path.exists()


def test_weights_stay_while_a_layer_links_to_them_and_free_nothing_before(cache: Cache) -> None:
    blob = cache.blob("b" * 64)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"x" * 1000)
    bundle(cache, "sha256:live", layer(cache, "weights", b"w", blob))
    age(cache)
    assert pruned(cache, "sha256:live") == (set(), 0)
    _, freed = pruned(cache)
    assert freed > 1000
    assert not blob.exists()


def test_what_can_be_made_again_goes_by_its_age(cache: Cache) -> None:
    old, new = cache.package("old"), cache.package("new")
    compiled = cache.bytecode("3.12.1", "ab" * 32)
    memo = cache.memo("fingerprints", "key")
    for path in (old / "f", new / "f", compiled, memo):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1")
    age(cache)
    cache.used(new)
    assert pruned(cache) == (
        {"packages/old", f"bytecode/{compiled.name[:6]}", f"fingerprints/{memo.name[:6]}"},
        3,
    )
    assert (new / "f").exists()


def test_a_file_that_something_outside_the_cache_links_to_frees_nothing(cache: Cache, tmp_path: Path) -> None:
    package = cache.package("linked")
    package.mkdir(parents=True)
    (package / "f").write_bytes(b"12345")
    os.link(package / "f", tmp_path / "uv-has-it-too")
    age(cache)
    assert pruned(cache) == ({"packages/linked"}, 0)


def test_nothing_is_pruned_where_it_is_not_known_what_a_release_needs(cache: Cache) -> None:
    layer(cache, "code", b"whose")
    age(cache)
    with pytest.raises(BundleError, match="no record of its layers"):
        find_unused(cache, ["sha256:lost"], since=SINCE)


def test_builds_run_side_by_side_and_pruning_alone(cache: Cache) -> None:
    with cache.in_use(), cache.in_use(), pytest.raises(Conflict, match="uses"), cache.alone():
        raise AssertionError("it ran beside a build")
    with cache.alone():
        pass


def test_an_empty_cache_has_nothing_to_prune(tmp_path: Path) -> None:
    assert find_unused(Cache(tmp_path / "none"), [], since=SINCE) == Pruning(entries=(), freed_bytes=0)
