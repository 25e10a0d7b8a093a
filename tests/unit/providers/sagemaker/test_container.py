from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.projects import write_project

from preheat.bundle.image.container import CODE
from preheat.bundle.serving import ENTRY as SERVER
from preheat.bundle.shipped import shipped_files
from preheat.project.config import load_project
from preheat.project.model import Project
from preheat_providers.sagemaker.container import SCRIPT, container_of, container_target


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load_project(write_project(tmp_path, '[env]\nMODE = "quick"\n'), "dev", provider_schemas={})


def test_the_image_starts_the_entry_to_which_sagemaker_adds_serve(project: Project) -> None:
    container = container_of(project)
    assert container.command[-1] == f"/{CODE}/{SCRIPT}"
    assert "-I" in container.command, "nothing of the image's own environment decides what is imported"
    assert container.env == {"MODE": "quick"}
    assert container.ports == (8080,)
    assert container.stop_signal == "SIGTERM"


def test_where_there_is_a_gpu_nvidias_runtime_finds_what_it_looks_for(project: Project) -> None:
    on_gpu = replace(project, resources=replace(project.resources, gpu="L4"))
    assert container_of(on_gpu).env == {
        "NVIDIA_VISIBLE_DEVICES": "all",
        "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
        "MODE": "quick",
    }
    own = replace(on_gpu, env={"NVIDIA_DRIVER_CAPABILITIES": "all"})
    assert container_of(own).env["NVIDIA_DRIVER_CAPABILITIES"] == "all"


def test_it_runs_as_root_without_a_token_and_may_be_given_a_port(project: Project) -> None:
    container = container_of(project)
    assert container.user == "0"
    assert not [part for part in container.command if "token" in part]
    assert container.labels["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"


def test_what_starts_ships_and_the_server_with_it() -> None:
    target = container_target(platform="x86_64-manylinux_2_28", python="3.12")
    shipped = shipped_files(target, "app:Model", "")
    assert SCRIPT in shipped
    assert SERVER.replace(".", "/") + ".py" in shipped
    ours = {name for name in shipped if name.startswith("preheat_providers/sagemaker/")}
    assert {Path(name).stem for name in ours} == {"__init__", "entry", "starting", "settings"}
