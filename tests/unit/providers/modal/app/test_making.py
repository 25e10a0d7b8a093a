"""From a project to its app: what preheat.toml says arrives, and nothing of this machine does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.modal_specs import bundle_of, project_of, spec_of

from preheat.bundle.lock import Pin
from preheat.errors import ProviderError
from preheat.interface.manifest import Limits
from preheat.project.model import HttpTrigger, ObjectCreated, Project, Resources, Scaling, Schedule
from preheat_providers.modal.app.making import app_spec, door_of, lay_out, pins_of, secrets_of
from preheat_providers.modal.app.spec import AppSpec, Tick, Volume
from preheat_providers.modal.options import Options
from preheat_providers.modal.target import target_of

HASH = "sha256:" + "a" * 64
PINS = (Pin("numpy==2.4.6", (HASH,)),)


def spec(options: Options | None = None, *, weights: int = 0, **changes: Any) -> AppSpec:
    project = project_of(**changes)
    bundle = bundle_of(project, weights=weights)
    return app_spec(project, options or Options(), bundle, release="3", token_sha256="f" * 64)


def test_an_app_is_named_by_its_project_and_stage() -> None:
    app = spec()
    assert (app.app, app.label, app.jobs) == ("preheat-demo-dev", "demo-dev", "preheat-demo-dev-jobs")
    assert app.settings.release == "3"


def test_resources_and_limits_arrive() -> None:
    app = spec(resources=Resources(memory_mb=2048, cpu=2.5, timeout_s=20.5), limits=Limits(setup_s=99.5))
    assert (app.cpu, app.memory_mb, app.startup_timeout_s) == (2.5, 2048, 100)
    assert app.timeout_s >= 3 * 20.5 + 3
    assert spec(Options(startup_timeout_s=7)).startup_timeout_s == 7
    stubborn = ObjectCreated(name="scans", bucket="in", output="out/", attempts=5)
    app = spec(resources=Resources(timeout_s=20.5), triggers=(HttpTrigger(), stubborn))
    assert app.timeout_s == 103 + 3 * 60


def test_libraries_start_as_many_threads_as_there_are_processors() -> None:
    assert spec(resources=Resources(cpu=4.0)).env["OMP_NUM_THREADS"] == "4"
    assert spec(resources=Resources(cpu=4.0), env={"OMP_NUM_THREADS": "1"}).env["OMP_NUM_THREADS"] == "1"


def test_gpus_are_asked_for_in_order() -> None:
    app = spec(Options(gpu_fallback=("l40s", "a100-80gb:1")), resources=Resources(gpu="h100:2"))
    assert app.gpu == ("H100:2", "L40S", "A100-80GB")
    assert spec().gpu == ()


@pytest.mark.parametrize(
    ("auth", "options", "door"),
    [
        ("token", Options(), "token"),
        ("token", Options(auth="proxy"), "proxy"),
        ("none", Options(), "open"),
        ("none", Options(auth="proxy"), "open"),
    ],
)
def test_who_may_call(auth: Any, options: Options, door: str) -> None:
    triggers = (HttpTrigger(auth=auth),)
    assert door_of(project_of(triggers=triggers), options) == door
    app = spec(options, triggers=triggers)
    assert ("PREHEAT_TOKEN_SHA256" in app.env) == (door == "token")
    assert app.settings.door == ("token" if door == "token" else "open")


def test_weights_lie_in_a_folder_of_their_digest() -> None:
    app = spec(weights=5)
    assert isinstance(app.weights, Volume)
    assert app.weights.folder == app.settings.weights == "w" * 64
    assert spec(Options(weights="image"), weights=5).weights == "image"
    assert spec(weights=0).weights is None
    assert spec(Options(weights="image"), weights=0).weights is None


def test_secrets_are_modals_own_or_in_one_that_the_deploy_makes() -> None:
    project = project_of(
        secrets={"HF_TOKEN": "modal:huggingface", "KEY": "env:KEY", "B": "file:b", "X": "modal:huggingface"}
    )
    assert secrets_of(project, "0123456789abcdef") == {
        "huggingface": ("HF_TOKEN", "X"),
        "preheat-demo-dev-env-01234567": ("B", "KEY"),
    }


@pytest.mark.parametrize(
    ("more", "scaling"), [(Options(), Scaling(concurrency=3)), (Options(concurrency=3), None)]
)
def test_how_much_a_container_takes_is_no_guess(more: Options, scaling: Scaling | None) -> None:
    """One machine has Python 3.13 and ran the handler, another has not: they must not deploy two apps."""
    project = project_of(scaling=Scaling())
    unknown = replace(bundle_of(project), contract=None)
    with pytest.raises(ProviderError, match=r"no Python 3\.13 here") as caught:
        app_spec(project, Options(), unknown, release="3")
    assert caught.value.hint == "uv python install 3.13"
    said = replace(project, scaling=scaling or Scaling())
    assert app_spec(said, more, unknown, release="3").target_inputs == 3


def test_a_machine_that_runs_no_such_bundle_is_told_what_to_say() -> None:
    project = project_of()
    target = replace(target_of(project), platform="aarch64-manylinux_2_34")
    unknown = replace(bundle_of(project), contract=None, target=target)
    with pytest.raises(ProviderError, match="cannot run what is built for aarch64") as caught:
        app_spec(project, Options(), unknown, release="3")
    assert str(caught.value.hint).startswith("concurrency = ")


def test_schedules_bring_their_inputs() -> None:
    schedule = Schedule(name="nightly", cron="0 3 * * *", timezone="Europe/Berlin", input={"a": 1})
    app = spec(triggers=(HttpTrigger(), schedule))
    assert app.ticks == (Tick(name="nightly", cron="0 3 * * *", timezone="Europe/Berlin", input={"a": 1}),)
    assert app.settings.ticks == {"nightly": {"a": 1}}


def test_what_is_sent_lies_beside_the_file(tmp_path: Path) -> None:
    project = project_of()
    bundle = bundle_of(project, root=tmp_path / "cache")
    folder = tmp_path / "app"
    folder.mkdir()
    file = lay_out(folder, spec_of(), bundle, PINS)
    assert file.name == "modal_app.py"
    assert (folder / "requirements.txt").read_text() == f"numpy==2.4.6 --hash={HASH}\n"
    assert {path.name for path in (folder / "preheat-bundle").iterdir()} == {"code"}
    assert (folder / "preheat-bundle" / "code").readlink() == tmp_path / "cache" / "code"


def test_layers_that_are_uploaded_lie_there_too(tmp_path: Path) -> None:
    bundle = bundle_of(project_of(), root=tmp_path / "cache")
    folder = tmp_path / "app"
    folder.mkdir()
    lay_out(folder, spec_of(packages="upload", weights="image"), bundle, [Pin("./mine.whl", (HASH,))])
    assert {path.name for path in (folder / "preheat-bundle").iterdir()} == {
        "code",
        "dependencies",
        "weights",
    }
    assert not (folder / "requirements.txt").exists()


def test_a_lock_without_the_target_is_an_error(tmp_path: Path) -> None:
    project: Project = project_of(root=tmp_path)
    with pytest.raises(ProviderError, match=r"x86_64-manylinux_2_34 and Python 3\.13") as caught:
        pins_of(project, bundle_of(project))
    assert caught.value.hint == "preheat build --provider modal"
