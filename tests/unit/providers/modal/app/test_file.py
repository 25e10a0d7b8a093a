"""The generated app: the same text for the same spec, and nothing in it but what Modal must know."""

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.modal_specs import spec_of

from preheat.runtime.objects.uploads import Upload
from preheat_providers.modal.app.file import app_text
from preheat_providers.modal.app.spec import AppSpec, Scale, Tick, Volume
from preheat_providers.modal.app.words import literal

GOLDEN = Path(__file__).parent / "golden"
FULL = spec_of(
    cpu=4.0,
    memory_mb=16384,
    gpu=("H100:2", "A100-80GB:2"),
    regions=("us-east", "eu"),
    nonpreemptible=True,
    retries=2,
    scale=Scale(min_containers=1, max_containers=8, buffer_containers=2, scaledown_window=300),
    max_inputs=65,
    target_inputs=64,
    snapshot="cpu",
    door="proxy",
    weights=Volume(name="preheat-demo-dev-data", folder="ab12"),
    env={"MODEL_NAME": "a \\\\ name", "A": "1"},
    secrets={"huggingface": ("HF_TOKEN",), "preheat-demo-dev-env": ("KEY", "B")},
    ticks=(Tick(name="nightly-run", cron="0 3 * * *", timezone="Europe/Berlin", input={"days": [1, None]}),),
)
TOLD = spec_of(
    uploads=(Upload(name="scans", bucket="in", prefix="a/", suffix=".png", output="out/x"),),
    uploads_sha256="c" * 64,
    upload_role="arn:aws:iam::111122223333:role/reader",
    upload_region="eu-central-1",
    env={"A": "1"},
    secrets={"preheat-demo-dev-env": ("KEY",)},
)
ASKING = replace(TOLD, upload_queue="https://sqs.eu-central-1.amazonaws.com/111122223333/uploads")
SPECS: dict[str, AppSpec] = {"small": spec_of(), "full": FULL, "told": TOLD, "asking": ASKING}
VARIANTS: dict[str, dict[str, Any]] = {
    "uploaded packages": {"packages": "upload"},
    "baked weights": {"weights": "image"},
    "a gpu snapshot": {"snapshot": "gpu", "gpu": ("H100",)},
    "an open door": {"door": "open"},
    "text of everywhere": {"env": {"A": "ü\u2028\U0001f642{}\n'''\"\"\""}},
}


@pytest.mark.parametrize("name", SPECS)
def test_the_text_is_the_one_that_was_looked_at(name: str) -> None:
    """After a change that is meant: write the new text to the golden file, and read it."""
    assert app_text(SPECS[name]) == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", SPECS)
def test_the_text_is_in_the_house_style(name: str) -> None:
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "110", "--check", "--diff", "-"]
    done = subprocess.run(command, input=app_text(SPECS[name]), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_same_spec_in_another_order_is_the_same_text() -> None:
    other = replace(
        FULL,
        env=dict(sorted(FULL.env.items(), reverse=True)),
        secrets=dict(sorted(FULL.secrets.items(), reverse=True)),
    )
    assert app_text(other) == app_text(FULL)


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_it_is_python_that_imports_the_standard_library_and_modal(changes: dict[str, Any]) -> None:
    tree = ast.parse(app_text(spec_of(**changes)))
    modules = {name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names}
    modules |= {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert modules <= {"modal", *sys.stdlib_module_names}


def test_it_says_no_path_of_this_machine() -> None:
    text = app_text(FULL)
    assert str(Path.home()) not in text.replace("/root/preheat-bundle", "")
    assert "/work" not in text


def test_without_a_snapshot_there_is_one_hook_and_with_one_there_are_two() -> None:
    assert app_text(spec_of()).count("@modal.enter") == 1
    assert "enable_memory_snapshot" not in app_text(spec_of())
    text = app_text(spec_of(snapshot="cpu"))
    assert text.index("@modal.enter(snap=True)") < text.index("@modal.enter(snap=False)")
    assert "enable_memory_snapshot=True" in text


def test_code_comes_last_so_that_a_change_of_it_builds_nothing() -> None:
    for changes in VARIANTS.values():
        image = app_text(spec_of(**changes)).partition("image = (")[2].partition("\n)\n")[0]
        *_, last = image.strip().splitlines()
        assert last.strip() == '.add_local_dir(BUNDLE / "code", "/root/preheat-bundle/code")'


def test_the_small_machines_have_nothing_that_they_do_not_need() -> None:
    _, _, told = app_text(TOLD).partition("async def stop")
    assert "secrets=" not in told
    assert told.count('{"PREHEAT_UPLOADS_SHA256": "' + "c" * 64) == 1
    _, _, asking = app_text(ASKING).partition("async def stop")
    assert "PREHEAT_UPLOADS_SHA256" not in asking
    assert "gpu=" not in asking


def test_packages_that_are_uploaded_are_built_nowhere() -> None:
    text = app_text(spec_of(packages="upload"))
    assert "uv_pip_install" not in text
    image = text.partition("image = (")[2].partition("\n)\n")[0]
    assert '.add_local_dir(BUNDLE / "dependencies", "/root/preheat-bundle/dependencies")' in image
    assert "/preheat.pth" in image


def test_packages_of_the_image_are_those_of_the_lock_and_no_others() -> None:
    text = app_text(spec_of())
    assert 'extra_options="--no-deps --require-hashes --only-binary :all:"' in text
    assert 'uv_version="0.13.8"' in text


def test_only_a_proxy_token_is_for_modal_to_check() -> None:
    assert "requires_proxy_auth=True" in app_text(spec_of(door="proxy"))
    for door in ("token", "open"):
        assert "requires_proxy_auth" not in app_text(spec_of(door=door))


VALUES: tuple[Any, ...] = ("ü\"'\\\n\u2028{}", 1, 1.5, True, None, [], {"b": [None], "a": {}}, "\x7f\x00")


@pytest.mark.parametrize("value", VALUES)
def test_a_literal_is_the_value(value: Any) -> None:
    assert ast.literal_eval(literal(value)) == value
