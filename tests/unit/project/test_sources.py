from collections.abc import Callable
from pathlib import Path

import pytest

from preheat.errors import Located
from preheat.project.model import Project

Load = Callable[..., Project]
Mistakes = Callable[..., tuple[Located, ...]]
DIGEST = f'sha256 = "{"0" * 64}"\n'


def weights(source: str, digest: str = "") -> str:
    return f'[weights.model]\nsource = "{source}"\n{digest}'


@pytest.mark.parametrize(
    "source",
    [
        "https://models.example/a/b.onnx?v=1",
        "s3://my-bucket/deep/key.onnx",
        "hf:org/repo@main/model.onnx",
        "hf:org/repo@refs%2Fpr%2F1/sub/model.onnx",
        "pypi:rapidocr-onnxruntime==1.4.4/rapidocr_onnxruntime/models/det.onnx",
    ],
)
def test_a_remote_source_with_its_digest_is_accepted(load: Load, source: str) -> None:
    assert load(weights(source, DIGEST)).weights[0].source == source


def test_a_remote_source_without_a_digest_shows_the_line_to_paste(mistakes: Mistakes) -> None:
    (finding,) = mistakes(weights("hf:org/repo@main/model.onnx"))
    assert (finding.key, finding.line) == ("weights.model.sha256", 3)
    assert str(finding.fix).startswith('sha256 = "64 HEX DIGITS"')


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("https://", "file:PATH"),
        ("https:///path", "https://HOST/PATH"),
        ("https://user:pw@host/x", "https://HOST/PATH"),
        ("https://host/folder/", "https://HOST/PATH"),
        ("s3://bucket/folder/", "s3://BUCKET/KEY"),
        ("s3://bucket", "s3://BUCKET/KEY"),
        ("s3://UPPER/key", "s3://BUCKET/KEY"),
        ("hf:org/repo/model.onnx", "hf:ORG/REPO@REVISION/PATH"),
        ("hf:repo@main/model.onnx", "hf:ORG/REPO@REVISION/PATH"),
        ("pypi:package/model.onnx", "pypi:PACKAGE==VERSION/PATH"),
        ("pypi:package>=1.0/model.onnx", "pypi:PACKAGE==VERSION/PATH"),
        ("pypi:package==1.0/../../model.onnx", "'..' segment"),
        ("s3://bucket/a/../b", "'..' segment"),
    ],
)
def test_a_malformed_remote_source_says_its_form(mistakes: Mistakes, source: str, said: str) -> None:
    (finding,) = mistakes(weights(source, DIGEST))
    assert (finding.key, finding.line) == ("weights.model.source", 4)
    assert said in finding.message


def test_a_file_in_the_project_needs_no_digest(load: Load) -> None:
    assert load(weights("file:handler.py")).weights[0].sha256 is None


def test_a_folder_of_the_project_may_be_weights_but_has_no_digest(
    load: Load, mistakes: Mistakes, root: Path
) -> None:
    (root / "models").mkdir()
    assert load(weights("file:models")).weights
    (finding,) = mistakes(weights("file:models", DIGEST))
    assert (finding.key, finding.line) == ("weights.model.sha256", 5)


@pytest.mark.parametrize(
    "path", ["../secret.onnx", "models/../../x", "models/../handler.py", "/etc/passwd", "~/x.onnx"]
)
def test_a_file_outside_the_project_is_refused(mistakes: Mistakes, path: str) -> None:
    (finding,) = mistakes(weights(f"file:{path}"))
    assert finding.key == "weights.model.source"
    assert "copy the file into it" in finding.message


@pytest.mark.parametrize("path", [".", "./", "./."])
def test_the_projects_own_folder_is_no_weights(mistakes: Mistakes, path: str) -> None:
    (finding,) = mistakes(weights(f"file:{path}"))
    assert (finding.key, finding.line) == ("weights.model.source", 4)
    assert "the project's own folder" in finding.message
    assert finding.fix == 'source = "file:models"'


@pytest.mark.parametrize("path", ["models//x", "models/./x", "././models/x", r"models\\x"])
def test_a_path_that_the_build_would_refuse_is_told_with_the_plain_one(
    mistakes: Mistakes, root: Path, path: str
) -> None:
    (root / "models").mkdir()
    (root / "models" / "x").touch()
    (finding,) = mistakes(weights(f"file:{path}"))
    assert (finding.line, finding.fix) == (4, 'source = "file:models/x"')


@pytest.mark.parametrize("path", ["./handler.py", "models", "models/", "./models/"])
def test_a_file_or_a_folder_may_be_written_as_a_shell_completes_it(load: Load, root: Path, path: str) -> None:
    (root / "models").mkdir()
    assert load(weights(f"file:{path}")).weights


def test_a_file_that_nothing_is_like_is_to_be_put_there(mistakes: Mistakes) -> None:
    (finding,) = mistakes(weights("file:models/it's.onnx"))
    assert finding.fix == """cp PATH/OF/it's.onnx 'models/it'"'"'s.onnx'"""


def test_a_link_that_leaves_the_project_is_refused(mistakes: Mistakes, root: Path) -> None:
    (root / "model.onnx").symlink_to("/etc/passwd")
    (finding,) = mistakes(weights("file:model.onnx"))
    assert "through a link" in finding.message


def test_a_loop_of_links_is_a_mistake(mistakes: Mistakes, root: Path) -> None:
    (root / "a").symlink_to(root / "b")
    (root / "b").symlink_to(root / "a")
    (finding,) = mistakes(weights("file:a"))
    assert finding.key == "weights.model.source"


@pytest.mark.parametrize(("written", "kept"), [("model.onnx", "models"), ("models/modle.onnx", "models")])
def test_a_file_that_is_not_there_names_the_nearest(
    mistakes: Mistakes, root: Path, written: str, kept: str
) -> None:
    (root / kept).mkdir()
    (root / kept / "model.onnx").touch()
    (finding,) = mistakes(weights(f"file:{written}"))
    assert "no such file" in finding.message
    assert finding.fix == 'source = "file:models/model.onnx"'


def test_a_name_too_long_for_the_file_system_is_a_mistake(mistakes: Mistakes) -> None:
    (finding,) = mistakes(weights(f"file:{'x' * 300}"))
    assert "no usable path" in finding.message
