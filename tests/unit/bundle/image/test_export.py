import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.image_bench import CONTAINER, Bench
from tests.fakes.images import BASE, Bundles, layer_of
from tests.fakes.registry import image_of

from preheat.bundle.image.blob import digest_of
from preheat.bundle.image.dockerfile import export_dockerfile
from preheat.bundle.image.document import Platform
from preheat.bundle.image.export import export_archive, export_layout
from preheat.bundle.image.image import Image, find_foundation
from preheat.bundle.image.inspect import inspect_layout, inspect_remote
from preheat.bundle.image.reference import parse_reference
from preheat.errors import BundleError
from preheat.progress import quiet

NAME = parse_reference("localhost/demo:v1")


@pytest.fixture
def image(bench: Bench, bundles: Bundles) -> Image:
    return bench.image(bundles.make())


def test_a_layout_holds_every_blob_under_its_digest(image: Image, tmp_path: Path) -> None:
    export_layout(image, tmp_path / "layout", name=NAME, report=quiet)
    blobs = {path.name: path.read_bytes() for path in (tmp_path / "layout/blobs/sha256").iterdir()}
    assert blobs == {digest_of(data).removeprefix("sha256:"): data for data in blobs.values()}
    assert len(blobs) == len(image.layers) + 2
    found = inspect_layout(tmp_path / "layout")
    assert (found.digest, found.bytes) == (image.digest, sum(each.descriptor.size for each in image.layers))
    assert found.config["config"]["Entrypoint"][0] == "/usr/bin/python3.11"


def test_a_second_export_fetches_nothing(bench: Bench, image: Image, tmp_path: Path) -> None:
    export_layout(image, tmp_path / "layout", name=None, report=quiet)
    bench.registry.seen.clear()
    export_layout(image, tmp_path / "layout", name=None, report=quiet)
    assert bench.registry.seen == []


def test_a_folder_with_other_things_in_it_is_left_alone(image: Image, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(BundleError, match="not empty, and no image layout"):
        export_layout(image, tmp_path, name=None, report=quiet)


def test_an_archive_is_the_layout_with_what_docker_load_reads(image: Image, tmp_path: Path) -> None:
    export_archive(image, tmp_path / "image.tar", name=NAME, report=quiet)
    with tarfile.open(tmp_path / "image.tar") as archive:
        names = set(archive.getnames())
        file = archive.extractfile("manifest.json")
        assert file is not None
        (loaded,) = json.load(file)
    assert loaded["RepoTags"] == ["localhost/demo:v1"]
    assert {loaded["Config"], *loaded["Layers"], "oci-layout", "index.json"} <= names
    assert [path.name for path in tmp_path.iterdir() if "image.tar" in path.name] == ["image.tar"]


def test_an_archive_is_the_same_bytes_each_time(image: Image, tmp_path: Path) -> None:
    for name in ("a.tar", "b.tar"):
        export_archive(image, tmp_path / name, name=NAME, report=quiet)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_an_export_from_a_registry_that_lies_leaves_nothing(
    bench: Bench, image: Image, tmp_path: Path
) -> None:
    bench.registry.content = bytes(image.layers[0].blob.size)
    with pytest.raises(BundleError, match="broken or lies"):
        export_archive(image, tmp_path / "out" / "image.tar", name=NAME, report=quiet)
    assert [*(tmp_path / "out").iterdir()] == []


def test_a_dockerfile_says_what_the_image_is(bench: Bench, bundles: Bundles, tmp_path: Path) -> None:
    bundle = bundles.make(weights={})
    foundation = find_foundation(f"{bench.registry.host}/base", bundle.target, bench.bases())
    export_dockerfile(bundle, foundation, CONTAINER, tmp_path / "context")
    lines = (tmp_path / "context/Dockerfile").read_text().splitlines()
    assert lines[1] == f"FROM --platform=linux/amd64 {bench.registry.host}/base@{foundation.base.digest}"
    assert [line for line in lines if line.startswith("COPY")] == [
        "COPY dependencies/ /opt/preheat/dependencies/",
        "COPY preheat/ /opt/preheat/code/",
        "COPY code/ /opt/preheat/code/",
    ]
    assert 'ENV MODE="quick"' in lines
    assert 'ENTRYPOINT ["/usr/bin/python3.11", "-I", "/opt/preheat/code/entry.py"]' in lines
    assert (tmp_path / "context/code/handler.py").read_text() == "x = 1\n"
    assert not (tmp_path / "context/code/preheat").exists()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a\tb", '"a\tb"'),
        ("one\\ntwo\\", r'"one\\ntwo\\"'),
        ("""say "hi" to 'them'""", r'''"say \"hi\" to 'them'"'''),
        (r"$HOME ${X:-y} \$", r'"\$HOME \${X:-y} \\\$"'),
        ("größe 🎉", '"größe 🎉"'),
    ],
)
def test_a_dockerfile_says_each_value_as_it_is(
    bench: Bench, bundles: Bundles, tmp_path: Path, value: str, written: str
) -> None:
    bundle = bundles.make()
    foundation = find_foundation(f"{bench.registry.host}/base", bundle.target, bench.bases())
    container = replace(CONTAINER, env={"VALUE": value})
    export_dockerfile(bundle, foundation, container, tmp_path / "context")
    lines = (tmp_path / "context/Dockerfile").read_text(encoding="utf-8").split("\n")
    assert [line for line in lines if line.startswith("ENV")] == [f"ENV VALUE={written}"]


def test_a_value_of_several_lines_is_refused_for_a_dockerfile(
    bench: Bench, bundles: Bundles, tmp_path: Path
) -> None:
    bundle = bundles.make()
    foundation = find_foundation(f"{bench.registry.host}/base", bundle.target, bench.bases())
    container = replace(CONTAINER, env={"CERTIFICATE": "one\ntwo"})
    with pytest.raises(BundleError, match="CERTIFICATE has several lines") as caught:
        export_dockerfile(bundle, foundation, container, tmp_path / "context")
    assert "--output image.tar" in str(caught.value.hint)
    assert not (tmp_path / "context").exists()


def test_a_dockerfile_brings_the_byte_code_that_the_base_lacks(
    bench: Bench, bundles: Bundles, tmp_path: Path
) -> None:
    bare = {path: data for path, data in BASE.items() if not path.endswith(".pyc")}
    image_of(bench.registry, "bare", [layer_of(bare)])
    bundle = bundles.make()
    foundation = find_foundation(f"{bench.registry.host}/bare", bundle.target, bench.bases())
    export_dockerfile(bundle, foundation, CONTAINER, tmp_path / "context")
    lines = (tmp_path / "context/Dockerfile").read_text().splitlines()
    assert lines[2] == "ADD python.tar.gz /"
    with tarfile.open(tmp_path / "context/python.tar.gz") as archive:
        assert "usr/lib/python3.11/asyncio/__pycache__/__init__.cpython-311.pyc" in archive.getnames()


def test_a_folder_for_a_dockerfile_must_be_empty(bench: Bench, bundles: Bundles, tmp_path: Path) -> None:
    bundle = bundles.make()
    foundation = find_foundation(f"{bench.registry.host}/base", bundle.target, bench.bases())
    with pytest.raises(BundleError, match="not empty"):
        export_dockerfile(bundle, foundation, CONTAINER, bench.cache.root)


def test_an_image_in_a_registry_is_read_without_its_layers(bench: Bench) -> None:
    bench.registry.seen.clear()
    found = inspect_remote(bench.named("base"), Platform("linux", "amd64"), bench.registries)
    assert found.config["config"]["Env"] == ["PATH=/usr/bin", "LANG=C"]
    assert len(bench.registry.seen) == 2


def test_a_damaged_layout_is_an_error(image: Image, tmp_path: Path) -> None:
    export_layout(image, tmp_path / "layout", name=None, report=quiet)
    (tmp_path / "layout/blobs/sha256" / image.config.digest.removeprefix("sha256:")).write_text("{}")
    with pytest.raises(BundleError, match="is damaged"):
        inspect_layout(tmp_path / "layout")


@pytest.mark.parametrize("above", ["", "./"])
def test_an_archive_is_read_as_its_layout_is(image: Image, tmp_path: Path, above: str) -> None:
    export_archive(image, tmp_path / "image.tar", name=NAME, report=quiet)
    if above:  # as `tar -c .` has it
        export_layout(image, tmp_path / "layout", name=NAME, report=quiet)
        with tarfile.open(tmp_path / "image.tar", "w") as archive:
            archive.add(tmp_path / "layout", above)
    found = inspect_layout(tmp_path / "image.tar")
    assert (found.name, found.digest) == (str(tmp_path / "image.tar"), image.digest)
    assert found.layers == tuple(each.descriptor for each in image.layers)
    assert found.config == json.loads(image.config.data)


def test_a_file_that_is_no_archive_of_an_image_is_an_error(image: Image, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x" * 2000)
    with pytest.raises(BundleError, match="is no archive of an image"):
        inspect_layout(tmp_path / "text")
    export_archive(image, tmp_path / "image.tar", name=NAME, report=quiet)
    data = (tmp_path / "image.tar").read_bytes()
    (tmp_path / "image.tar").write_bytes(data[:3000])
    with pytest.raises(BundleError, match=r"lacks|no image layout|no archive"):
        inspect_layout(tmp_path / "image.tar")


def test_an_image_whose_configuration_is_broken_is_an_error(bench: Bench) -> None:
    image_of(bench.registry, "bad", [layer_of(BASE)], config={"config": {"Cmd": [1]}})
    with pytest.raises(BundleError, match=r"config\.Cmd\.0 is no string"):
        inspect_remote(bench.named("bad"), Platform("linux", "amd64"), bench.registries)
