import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.image_bench import Bench
from tests.fakes.images import BASE, TARGET, Bundles, layer_of
from tests.fakes.registry import OCI, Registry, image_of

from preheat.bundle.image.config import EPOCH
from preheat.bundle.image.document import Platform
from preheat.bundle.image.image import find_foundation
from preheat.bundle.image.pins import LOCK, read_pins
from preheat.errors import BundleError

AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64")
INDEX = "application/vnd.oci.image.index.v1+json"


def add_index(registry: Registry, **digests: str) -> str:
    entries = [
        {
            "mediaType": OCI,
            "digest": digest,
            "size": 1,
            "platform": {"os": "linux", "architecture": name},
        }
        for name, digest in digests.items()
    ]
    nowhere = {"mediaType": OCI, "digest": f"sha256:{'0' * 64}", "size": 1, "platform": {"os": "unknown"}}
    return registry.name("base", "many", {"manifests": [nowhere, *entries], "mediaType": INDEX}, INDEX)


def test_a_tag_is_pinned_to_the_digest_it_had(bench: Bench) -> None:
    first = bench.bases().find(f"{bench.registry.host}/base", AMD)
    image_of(bench.registry, "base", [layer_of({"other": b""})])
    again = bench.bases().find(f"{bench.registry.host}/base", AMD)
    assert again.digest == first.digest
    assert again.reference.digest == first.digest
    assert read_pins(bench.root) == {f"{bench.registry.host}/base:latest": first.digest}


def test_an_upgrade_asks_for_the_tag_anew(bench: Bench) -> None:
    first = bench.bases().find(f"{bench.registry.host}/base", AMD)
    second = image_of(bench.registry, "base", [layer_of({"other": b""})])
    assert bench.bases(upgrade=True).find(f"{bench.registry.host}/base", AMD).digest == second != first.digest
    assert list(read_pins(bench.root).values()) == [second]


def test_a_base_named_by_its_digest_needs_no_lock(bench: Bench) -> None:
    digest = image_of(bench.registry, "base", [layer_of(BASE)], tag="x")
    assert bench.bases().find(f"{bench.registry.host}/base@{digest}", AMD).digest == digest
    assert not (bench.root / LOCK).exists()


def test_a_second_build_asks_the_registry_nothing(bench: Bench) -> None:
    name = f"{bench.registry.host}/base"
    bases = bench.bases()
    first = bases.facts(bases.find(name, AMD))
    bench.registry.seen.clear()
    bases = bench.bases()
    assert bases.facts(bases.find(name, AMD)) == first
    assert bench.registry.seen == []


def test_the_platform_is_chosen_from_a_list_and_the_list_is_pinned(bench: Bench) -> None:
    amd = image_of(bench.registry, "base", [layer_of(BASE)], tag="a")
    arm = image_of(bench.registry, "base", [layer_of({})], tag="b", config={"architecture": "arm64"})
    pinned = add_index(bench.registry, amd64=amd, arm64=arm)
    found = {
        platform: bench.bases().find(f"{bench.registry.host}/base:many", platform) for platform in (AMD, ARM)
    }
    assert {platform: base.digest for platform, base in found.items()} == {AMD: amd, ARM: arm}
    assert {base.reference.digest for base in found.values()} == {pinned}


def test_a_base_that_is_not_made_for_the_platform_says_what_it_is_for(bench: Bench) -> None:
    add_index(bench.registry, s390x=f"sha256:{'1' * 64}")
    with pytest.raises(BundleError, match=r"not made for linux/amd64; it is for linux/s390x\."):
        bench.bases().find(f"{bench.registry.host}/base:many", AMD)


def refused(bench: Bench, files: dict[str, bytes], **config: str) -> BundleError:
    image_of(bench.registry, "base", [layer_of(files)], config=config)
    with pytest.raises(BundleError) as caught:
        find_foundation(f"{bench.registry.host}/base", TARGET, bench.bases())
    return caught.value


def test_a_base_of_another_architecture_is_refused_without_reading_a_layer(bench: Bench) -> None:
    error = refused(bench, dict(BASE), architecture="arm64")
    assert "is for linux/arm64, and the bundle is for linux/amd64" in error.message
    assert "--platform linux/arm64" in str(error.hint)
    assert len(bench.registry.asked("GET /v2/base/blobs")) == 1  # the configuration


def test_a_base_without_python_is_refused_with_one_that_has_it(bench: Bench) -> None:
    error = refused(bench, {path: data for path, data in BASE.items() if "python" not in path})
    assert "has no Python, and the bundle is for Python 3.11" in error.message
    assert error.hint == "--base python:3.11-slim"


def test_a_base_with_another_python_says_which(bench: Bench) -> None:
    error = refused(bench, {"usr/bin/python3.9": b"", "usr/bin/python3.12": b"", **dict([*BASE.items()][2:])})
    assert "has Python 3.12, 3.9" in error.message
    assert 'python = "3.12"' in str(error.hint)


def test_a_base_without_the_standard_library_is_refused(bench: Bench) -> None:
    error = refused(bench, {path: data for path, data in BASE.items() if "asyncio" not in path})
    assert "not its standard library" in error.message


@pytest.mark.parametrize(
    ("library", "reason"),
    [
        (
            {"lib/libc.so.6": b"GNU C Library stable release version 2.17, by"},
            "has glibc 2.17, and .* needs 2.28",
        ),
        ({"lib/ld-musl-x86_64.so.1": b""}, "has musl in place of glibc"),
        ({}, "has no C library"),
    ],
)
def test_a_base_whose_c_library_does_not_fit_is_refused(
    bench: Bench, library: dict[str, bytes], reason: str
) -> None:
    kept = {path: data for path, data in BASE.items() if "python" in path}
    error = refused(bench, {**kept, **library})
    assert re.search(reason, error.message)
    assert "--base python:3.11-slim" in str(error.hint)


def test_the_interpreter_is_the_one_that_path_finds_first(bench: Bench) -> None:
    more = {**BASE, "usr/local/bin/python3.11": b"", "opt/conda/bin/python3.11": b""}
    paths = {}
    for path in ("/opt/conda/bin:/usr/bin", "/usr/bin:/usr/local/bin", "/nowhere"):
        image_of(bench.registry, "base", [layer_of(more)], config={"config": {"Env": [f"PATH={path}"]}})
        found = find_foundation(f"{bench.registry.host}/base", TARGET, bench.bases(upgrade=True))
        paths[path] = found.interpreter
    assert [*paths.values()] == [
        "/opt/conda/bin/python3.11",
        "/usr/bin/python3.11",
        "/usr/local/bin/python3.11",
    ]


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"config": "x"}, "config is no object or null"),
        ({"config": {"Env": "PATH=/bin"}}, "config.Env is no array or null"),
        ({"config": {"Env": [1]}}, "config.Env.0 is no string"),
        ({"config": {"Labels": ["a"]}}, "config.Labels is no object or null"),
        ({"config": {"ExposedPorts": ["80/tcp"]}}, "config.ExposedPorts is no object or null"),
        ({"created": 1}, "created is no string or null"),
        ({"history": "abc"}, "history is no array or null"),
        ({"history": ["abc"]}, "history.0 is no object"),
        ({"rootfs": []}, "rootfs is no object"),
        ({"rootfs": {"diff_ids": [1]}}, "rootfs.diff_ids.0 is no string"),
    ],
)
def test_a_base_whose_configuration_is_broken_is_refused(
    bench: Bench, config: dict[str, Any], wrong: str
) -> None:
    image_of(bench.registry, "base", [layer_of(BASE)], config=config)
    with pytest.raises(BundleError, match=rf"is broken: {re.escape(wrong)}\."):
        find_foundation(f"{bench.registry.host}/base", TARGET, bench.bases())


@pytest.mark.parametrize(
    "process",
    [None, {}, dict.fromkeys(("Env", "Labels", "ExposedPorts", "Entrypoint", "Cmd", "User", "Volumes"))],
)
def test_a_base_may_say_nothing_of_its_process(bench: Bench, bundles: Bundles, process: Any) -> None:
    silent = {"config": process, "created": None, "history": None}
    image_of(bench.registry, "base", [layer_of(BASE)], config=silent)
    assert json.loads(bench.image(bundles.make()).config.data)["created"] == EPOCH


def test_a_base_that_does_not_list_its_layers_is_refused(bench: Bench) -> None:
    image_of(bench.registry, "base", [layer_of(BASE)], config={"rootfs": {}})
    with pytest.raises(BundleError, match="does not list its layers"):
        find_foundation(f"{bench.registry.host}/base", TARGET, bench.bases())


def test_layers_in_an_unknown_compression_are_refused(bench: Bench) -> None:
    zstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    image_of(bench.registry, "base", [layer_of(BASE)], layer_type=zstd)
    with pytest.raises(BundleError, match=r"tar\+zstd, which cannot be looked into"):
        find_foundation(f"{bench.registry.host}/base", TARGET, bench.bases())


def test_a_registry_that_serves_other_layers_is_found_out_and_nothing_is_remembered(bench: Bench) -> None:
    """Another content of the same size, which is a layer just as good."""
    plain = layer_of(BASE)[1]
    right, wrong = (
        gzip.compress(each, 0, mtime=0) for each in (plain, plain.replace(b"python3.11", b"python3.99"))
    )
    image_of(bench.registry, "base", [(right, plain)])
    base = bench.bases().find(f"{bench.registry.host}/base", AMD)
    bench.registry.content = wrong
    with pytest.raises(BundleError, match="whoever sent it is broken or lies"):
        bench.bases().facts(base)
    bench.registry.content = None
    assert [*bench.bases().facts(base).pythons] == ["3.11"]


@pytest.mark.parametrize(
    "text", ["version = 2", "version = 1\n[[base]]\nimage = 1", "version = 1\nbase = 3", "no toml"]
)
def test_a_lock_that_cannot_be_used_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / LOCK).write_text(text)
    with pytest.raises(BundleError, match="cannot be used") as caught:
        read_pins(tmp_path)
    assert "git checkout preheat-image.lock" in str(caught.value.hint)
