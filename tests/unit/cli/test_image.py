import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.bundle import FakeBuild
from tests.fakes.command_line import CommandLine
from tests.fakes.images import BASE, Bundles, layer_of
from tests.fakes.projects import write_project
from tests.fakes.registry import Registry, image_of, serving

from preheat.bundle.cache import Cache
from preheat.bundle.model import Bundle, Target
from preheat.progress import Report
from preheat.project.model import Project

OPEN = 'python = "3.11"\n[triggers.http]\nauth = "none"\n'


class ImageBuild(FakeBuild):
    """A bundle with layers in the cache of the home."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._bundles = Bundles(Cache(home / "cache"))

    def __call__(self, project: Project, target: Target, *, report: Report, upgrade: bool = False) -> Bundle:
        super().__call__(project, target, report=report, upgrade=upgrade)
        code = {"preheat/__init__.py": "", "handler.py": (project.root / "handler.py").read_text()}
        return replace(self._bundles.make(code=code), target=target)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving(Registry()) as registry:
        image_of(registry, "base", [layer_of(BASE)])
        yield registry


@pytest.fixture
def cli(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.chdir(write_project(tmp_path / "demo", OPEN))
    return CommandLine(build=ImageBuild(home))


def test_a_build_says_what_the_image_is_and_pins_its_base(cli: CommandLine, registry: Registry) -> None:
    made = cli("image", "build", "--base", f"{registry.host}/base", "--json").document
    assert (made["platform"], made["interpreter"]) == ("linux/amd64", "/usr/bin/python3.11")
    assert [layer["name"] for layer in made["layers"]] == [
        "base",
        "dependencies",
        "weights",
        "preheat",
        "code",
    ]
    assert made["base"].startswith(f"{registry.host}/base:latest@sha256:")
    assert made["requires"] == made["written"] == []
    assert made["base"].partition("@")[2] in Path("preheat-image.lock").read_text()


def test_a_build_is_for_the_platform_that_is_asked_for(cli: CommandLine, registry: Registry) -> None:
    image_of(registry, "arm", [layer_of(BASE)], config={"architecture": "arm64"})
    cli("image", "build", "--base", f"{registry.host}/arm", "--platform", "linux/arm64")
    assert cli.build.targets[0].platform == "aarch64-manylinux_2_28"


def test_the_output_is_a_layout_or_an_archive_by_its_name(
    cli: CommandLine, registry: Registry, tmp_path: Path
) -> None:
    layout, archive = tmp_path / "layout", tmp_path / "image.tar"
    shown = {
        path: cli("image", "build", "--base", f"{registry.host}/base", "--output", str(path)).out
        for path in (layout, archive)
    }
    assert (layout / "oci-layout").is_file()
    assert archive.is_file()
    assert f"written to {layout}" in shown[layout]
    assert f"docker load -i {archive}" in shown[archive]
    asked = len(registry.seen)
    assert "digest" in cli("image", "inspect", str(layout)).out
    assert "digest" in cli("image", "inspect", str(archive)).out
    assert len(registry.seen) == asked


def test_a_push_says_what_moved(cli: CommandLine, registry: Registry) -> None:
    arguments = ("image", "push", f"{registry.host}/app:v1", "--base", f"{registry.host}/base")
    first, again = (cli(*arguments, "--json").document for _ in range(2))
    assert (first["sent"], first["mounted"]) == (5, 1)
    assert (again["sent_bytes"], again["skipped"]) == (0, 6)
    assert again["reference"] == f"{registry.host}/app:v1@{first['digest']}"
    assert "0 sent, 0 mounted, 6 there already" in cli(*arguments).out


def test_what_a_container_must_be_given_is_said(cli: CommandLine, registry: Registry) -> None:
    Path("preheat.toml").write_text(
        'name = "demo"\nhandler = "handler:Model"\npython = "3.11"\n[secrets]\nKEY = "env:KEY"\n'
    )
    outcome = cli("image", "build", "--base", f"{registry.host}/base")
    assert "needs KEY, PREHEAT_TOKEN" in outcome.out
    manifest = cli("image", "build", "--base", f"{registry.host}/base", "--json").document
    assert manifest["requires"] == ["KEY", "PREHEAT_TOKEN"]


def test_a_base_that_does_not_fit_is_refused_before_the_bundle_is_built(
    cli: CommandLine, registry: Registry
) -> None:
    image_of(registry, "bare", [layer_of({})])
    outcome = cli("image", "build", "--base", f"{registry.host}/bare")
    assert outcome.code == 1
    assert "has no Python" in outcome.err
    assert "--base python:3.11-slim" in outcome.err
    assert cli.build.targets == []


def test_inspect_shows_the_configuration_of_an_image_in_a_registry(
    cli: CommandLine, registry: Registry
) -> None:
    shown = cli("image", "inspect", f"{registry.host}/base", "--json").document
    assert shown["config"]["architecture"] == "amd64"
    assert json.dumps(shown).count("sha256:") > 2


def test_what_names_no_image_is_an_error_with_an_example(cli: CommandLine, registry: Registry) -> None:
    outcome = cli("image", "push", "Not An Image")
    assert outcome.code == 1
    assert "does not name an image" in outcome.err
    assert registry.seen == []
