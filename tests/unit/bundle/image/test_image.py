import json
import os
import re
from pathlib import Path

from tests.fakes.image_bench import CONTAINER, Bench
from tests.fakes.images import BASE, GLIBC, TREES, Bundles, layer_of
from tests.fakes.registry import image_of
from tests.fakes.wheels import lay_installed

from preheat.bundle.cache import Cache
from preheat.bundle.image.image import build_image, find_foundation
from preheat.progress import Event, Notice


def test_layers_come_in_the_order_of_how_seldom_they_change(bench: Bench, bundles: Bundles) -> None:
    made = bench.image(bundles.make())
    assert [layer.name for layer in made.layers] == ["base", "dependencies", "weights", "preheat", "code"]
    manifest = json.loads(made.manifest.data)
    assert [each["digest"] for each in manifest["layers"]] == [each.blob.digest for each in made.layers]
    assert manifest["config"]["digest"] == made.config.digest


def test_an_edit_of_the_users_code_changes_one_layer(bench: Bench, bundles: Bundles) -> None:
    before = bench.image(bundles.make())
    after = bench.image(bundles.make(code={**TREES["code"], "handler.py": "x = 2\n"}))
    assert [
        a.name for a, b in zip(before.layers, after.layers, strict=True) if a.blob.digest != b.blob.digest
    ] == ["code"]
    assert [layer.cached for layer in after.layers] == [True, True, True, True, False]


def test_a_bundle_without_weights_has_no_layer_of_them(bench: Bench, bundles: Bundles) -> None:
    names = [layer.name for layer in bench.image(bundles.make(weights={})).layers]
    assert names == ["base", "dependencies", "preheat", "code"]


def test_the_same_project_is_the_same_image_in_every_cache(
    bench: Bench, bundles: Bundles, tmp_path: Path
) -> None:
    first = bench.image(bundles.make())
    umask = os.umask(0o077)
    try:
        other = Cache(tmp_path / "elsewhere")
        bundle = Bundles(other).make(
            **{name: dict(reversed([*tree.items()])) for name, tree in TREES.items()}
        )
    finally:
        os.umask(umask)
    for path in other.root.rglob("*.py"):
        os.utime(path, (1, 1))
    foundation = find_foundation(f"{bench.registry.host}/base", bundle.target, bench.bases())
    container = first.container
    second = build_image(bundle, foundation, container, cache=other, report=bench.events.append)
    assert (second.digest, second.manifest, second.config) == (first.digest, first.manifest, first.config)


def test_both_dialects_have_the_same_layers_under_other_names(bench: Bench, bundles: Bundles) -> None:
    oci, docker = (bench.image(bundles.make(), dialect=name) for name in ("oci", "docker"))
    assert [layer.blob.digest for layer in oci.layers] == [layer.blob.digest for layer in docker.layers]
    text = docker.manifest.data.decode()
    assert "vnd.oci" not in text
    assert text.count("application/vnd.docker.image.rootfs.diff.tar.gzip") == len(docker.layers)
    assert "vnd.docker" not in oci.manifest.data.decode()


def test_a_layer_whose_file_in_the_cache_was_cut_is_packed_again(bench: Bench, bundles: Bundles) -> None:
    first = bench.image(bundles.make())
    for path in (bench.cache.root / "images").glob("*.tar.gz"):
        path.write_bytes(path.read_bytes()[:-1])
    again = bench.image(bundles.make())
    assert again.digest == first.digest
    assert not any(layer.cached for layer in again.layers[1:])


def test_a_library_that_neither_has_is_told(bench: Bench, bundles: Bundles) -> None:
    odd = {**BASE, "lib/libc-2.36.so": GLIBC}
    del odd["lib/x86_64-linux-gnu/libc.so.6"]
    image_of(bench.registry, "odd", [layer_of(odd)])
    bundle = bundles.make()
    lay_installed(bundle.layer("dependencies").path, "orjson")
    events: list[Event] = []
    foundation = find_foundation(f"{bench.registry.host}/odd", bundle.target, bench.bases())
    build_image(bundle, foundation, CONTAINER, cache=bench.cache, report=events.append)
    told = [event.text for event in events if isinstance(event, Notice)]
    assert len(told) == 1
    assert re.search(r"orjson/orjson\S*\.so needs lib\S+, which neither .*/odd:latest@sha256:", told[0])
