from pathlib import Path

import pytest

from preheat.bundle.weights.source import (
    FORMS,
    S3,
    Https,
    Hub,
    LocalFile,
    Source,
    Wheel,
    file_name,
    local_path,
    parse_source,
)
from preheat.errors import BundleError
from preheat.project.model import Weights


def weights(source: str) -> Weights:
    return Weights(name="model", source=source, sha256=None)


@pytest.mark.parametrize(
    ("text", "source", "name"),
    [
        ("file:./models/x.onnx", LocalFile("models/x.onnx"), "x.onnx"),
        ("file:models/", LocalFile("models"), "models"),
        ("https://example.org/a/x%20y.onnx?v=1", Https("https://example.org/a/x%20y.onnx?v=1"), "x y.onnx"),
        ("s3://bucket/a/x.onnx", S3("bucket", "a/x.onnx"), "x.onnx"),
        ("hf:org/repo@main/onnx/x.onnx", Hub("org/repo", "main", "onnx/x.onnx"), "x.onnx"),
        ("pypi:a-b==1.0/a_b/x.onnx", Wheel("a-b==1.0", "a_b/x.onnx"), "x.onnx"),
    ],
)
def test_every_kind_of_source_is_read(text: str, source: Source, name: str) -> None:
    assert parse_source(weights(text)) == source
    assert file_name(source) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "models/x.onnx",
        "file:",
        "http://example.org/x",
        "https:///x",
        "s3://bucket",
        "s3://Bucket/x",
        "hf:repo@main/x",
        "hf:org/repo/x",
        "pypi:a/x",
        "pypi:a>=1/x",
        "ftp://example.org/x",
    ],
)
def test_what_is_no_source_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(BundleError, match=r"weights\.model: .* is no source of weights") as caught:
        parse_source(weights(text))
    assert all(form in str(caught.value.hint) for form in FORMS)


@pytest.mark.parametrize(
    "text", ["file:../x", "file:/etc/passwd", "file:a/../../x", "hf:o/r@main/../x", "pypi:a==1/../x"]
)
def test_a_path_that_leaves_its_folder_is_refused(text: str) -> None:
    with pytest.raises(BundleError, match="refused"):
        parse_source(weights(text))


@pytest.mark.parametrize(
    "text",
    ["https://example.org/", "https://example.org/a/..", "https://e.org/%2e%2e", "https://e.org/a%5Cb"],
)
def test_a_name_that_is_no_file_is_refused(text: str) -> None:
    with pytest.raises(BundleError):
        file_name(parse_source(weights(text)))


def test_only_local_weights_have_a_place_in_the_project(tmp_path: Path) -> None:
    assert local_path(tmp_path, weights("file:m/x")) == tmp_path.resolve() / "m" / "x"
    assert local_path(tmp_path, weights("s3://bucket/x")) is None
