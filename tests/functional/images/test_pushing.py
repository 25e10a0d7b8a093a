"""What is pushed, as the tools of others see it, and how little a change of code moves."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.asking import Asked, ask_endpoint
from tests.fakes.containers import Podman
from tests.functional.images.conftest import Preheat


def pulled(podman: Podman, pushed: dict[str, Any]) -> str:
    """Return the pushed image's name in podman's store."""
    name: str = pushed["reference"].replace(":v1@", "@")
    podman.run("pull", "--quiet", "--tls-verify=false", name)
    return name


def skopeo(*arguments: str) -> str:
    done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_skopeo_reads_what_was_pushed_and_checks_every_digest(
    pushed: dict[str, Any], host: str, tmp_path: Path
) -> None:
    read = json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{host}/demo:v1"))
    assert read["Digest"] == pushed["digest"]
    assert read["Layers"] == [layer["digest"] for layer in pushed["layers"]]
    assert read["Architecture"] == "amd64"
    skopeo("copy", "--quiet", "--src-tls-verify=false", f"docker://{host}/demo:v1", f"oci:{tmp_path}/copy:v1")
    copied = json.loads((tmp_path / "copy/index.json").read_text())
    assert [entry["digest"] for entry in copied["manifests"]] == [pushed["digest"]]


def test_the_base_was_mounted_and_not_sent(pushed: dict[str, Any]) -> None:
    assert pushed["mounted"] == 1
    assert pushed["sent_bytes"] < sum(layer["bytes"] for layer in pushed["layers"][1:]) + 10_000


def test_a_change_of_code_sends_kilobytes_and_no_change_sends_nothing(
    pushed: dict[str, Any], preheat: Preheat, project: Path, host: str, base: str, tmp_path: Path
) -> None:
    edited = tmp_path / "demo"
    shutil.copytree(project, edited)
    same = preheat("image", "push", f"{host}/demo:v1", str(edited), "--base", base)
    assert (same["digest"], same["sent"], same["sent_bytes"]) == (pushed["digest"], 0, 0)
    with (edited / "handler.py").open("a") as source:
        source.write("\nEDITED = True\n")
    changed = preheat("image", "push", f"{host}/demo:v2", str(edited), "--base", base)
    assert changed["digest"] != pushed["digest"]
    assert changed["sent"] == 2
    assert changed["sent_bytes"] < 200_000


def test_two_builds_on_two_machines_and_days_are_the_same_image(
    pushed: dict[str, Any], preheat: Preheat, project: Path, base: str, tmp_path: Path
) -> None:
    """Another home, another folder, another day, other times of files and another umask."""
    elsewhere = tmp_path / "elsewhere"
    umask = os.umask(0o027)
    try:
        shutil.copytree(project, elsewhere, copy_function=shutil.copyfile)
        for path in elsewhere.rglob("*"):
            os.utime(path, (1_600_000_000, 1_600_000_000))
        again = preheat("image", "build", str(elsewhere), "--base", base, home=tmp_path / "home", later="+3d")
    finally:
        os.umask(umask)
    assert again["digest"] == pushed["digest"]


def test_the_pinned_base_stays_when_its_tag_moves(pushed: dict[str, Any], project: Path, base: str) -> None:
    lock = (project / "preheat-image.lock").read_text()
    assert f'image = "{base}"' in lock
    assert pushed["base"].partition("@")[2] in lock


@pytest.mark.parametrize("dialect", ["oci", "docker"])
def test_both_dialects_are_taken_by_the_registry_and_by_podman(
    preheat: Preheat, project: Path, host: str, base: str, podman: Podman, dialect: str
) -> None:
    name = f"{host}/dialect:{dialect}"
    made = preheat("image", "push", name, str(project), "--base", base, "--format", dialect)
    raw = json.loads(skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{name}"))
    assert raw["mediaType"] == made["media_type"]
    podman.run("pull", "--quiet", "--tls-verify=false", name)


def test_a_layout_is_taken_by_skopeo_and_an_archive_by_podman(
    pushed: dict[str, Any], preheat: Preheat, project: Path, base: str, podman: Podman, tmp_path: Path
) -> None:
    folder, archive = str(tmp_path / "layout"), str(tmp_path / "image.tar")
    preheat("image", "build", str(project), "--base", base, "--output", folder)
    read = json.loads(skopeo("inspect", f"oci:{folder}"))
    assert read["Digest"] == pushed["digest"]
    shown = preheat("image", "inspect", folder)
    assert shown["digest"] == pushed["digest"]
    preheat(
        "image", "build", str(project), "--base", base, "--output", archive, "--tag", "localhost/demo:kept"
    )
    assert "localhost/demo:kept" in podman.run("load", "--quiet", "--input", archive)
    assert json.loads(skopeo("inspect", f"docker-archive:{archive}"))["Layers"]
    assert preheat("image", "inspect", archive)["digest"] == pushed["digest"]


def test_the_dockerfile_builds_an_image_that_starts_the_same(
    pushed: dict[str, Any], preheat: Preheat, project: Path, base: str, podman: Podman, tmp_path: Path
) -> None:
    context = str(tmp_path / "context")
    preheat("image", "build", str(project), "--base", base, "--dockerfile", context)
    flags = ("--quiet", "--isolation", "chroot", "--tls-verify=false", "--tag", "localhost/elsewhere")
    podman.run("build", *flags, context)
    container = podman.start("localhost/elsewhere")
    body = b'{"vector": [1, 2, 3, 4]}'
    assert ask_endpoint(container.endpoint, Asked(body))[0] == 200
    built, ours = (
        json.loads(podman.run("image", "inspect", name))[0]["Config"]
        for name in ("localhost/elsewhere", pulled(podman, pushed))
    )
    assert all(built[key] == ours[key] for key in ("Entrypoint", "User", "WorkingDir", "StopSignal"))
    assert sorted(built["Env"]) == sorted(ours["Env"])


def test_a_base_for_another_machine_is_refused_before_anything_is_built(
    preheat: Preheat, project: Path, base: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    arguments = ("--base", base, "--platform", "linux/arm64")
    error = preheat("image", "build", str(project), *arguments, home=home, code=1)["error"]
    assert "is for linux/amd64, and the bundle is for linux/arm64" in error["message"]
    assert not (home / "cache" / "packages").exists()
