"""Deploying to the control plane: what the real client sends, gets back and says."""

import re
import subprocess
from pathlib import Path

import modal
import pytest
from grpclib import Status
from modal_proto import api_pb2
from tests.fakes.modal.plane import TOKEN_SECRET, ControlPlane
from tests.fakes.modal.recipe import PYTHON
from tests.fakes.modal.versions import ClientProgram
from tests.fakes.patience import PATIENCE_S

TINY = """
import modal
app = modal.App("tiny", include_source=False)
image = modal.Image.debian_slim(python_version="%(python)s")%(image)s

@app.cls(image=image, gpu=%(gpu)s, cpu=(1, 2), memory=512, min_containers=0, buffer_containers=1,
         max_containers=4, scaledown_window=30, timeout=200, startup_timeout=90, region="eu",
         retries=modal.Retries(max_retries=1, initial_delay=0.0), enable_memory_snapshot=True)
@modal.concurrent(max_inputs=8, target_inputs=6)
class Model:
    @modal.enter(snap=True)
    def load(self): pass

    @modal.asgi_app(label="tiny-model", requires_proxy_auth=True)
    def web(self): return lambda scope: None

    @modal.method()
    def job(self, number): return number
"""
UPLOAD = """
import json, sys, modal
volume = modal.Volume.from_name("weights", create_if_missing=True)
with volume.batch_upload(force=True) as batch:
    batch.put_file("model.bin", "/models/model.bin")
found = {entry.path: entry.size for entry in volume.listdir("/", recursive=True)}
same = b"".join(volume.read_file("/models/model.bin")) == open("model.bin", "rb").read()
print(json.dumps([found, same]))
"""
DEPLOY = ("-m", "modal", "deploy", "app.py")


def tiny(gpu: str, *, image: str = "") -> str:
    """Return the text of an app whose image has `image` appended to it."""
    return TINY % {"gpu": gpu, "image": image, "python": PYTHON}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(tiny("'h100:2'"))
    return folder


def test_a_class_arrives_with_every_setting(
    control_plane: ControlPlane, client_program: ClientProgram, project: Path
) -> None:
    client_program.run(*DEPLOY, folder=project)
    sent = control_plane.journal.last("FunctionCreate").function
    assert (sent.function_name, sent.definition_type) == ("Model.*", api_pb2.Function.DEFINITION_TYPE_FILE)
    assert (sent.resources.gpu_config.gpu_type, sent.resources.gpu_config.count) == ("H100", 2)
    resources = sent.resources
    assert (resources.milli_cpu, resources.milli_cpu_max, resources.memory_mb) == (1000, 2000, 512)
    scaling = sent.autoscaler_settings
    assert (scaling.min_containers, scaling.buffer_containers, scaling.max_containers) == (0, 1, 4)
    assert (scaling.scaledown_window, sent.timeout_secs, sent.startup_timeout_secs) == (30, 200, 90)
    assert (sent.max_concurrent_inputs, sent.target_concurrent_inputs) == (8, 6)
    assert sent.checkpointing_enabled
    assert list(sent.scheduler_placement.regions) == ["eu"]
    web = sent.method_definitions["web"].webhook_config
    assert (web.type, web.requested_suffix) == (api_pb2.WEBHOOK_TYPE_ASGI_APP, "tiny-model")
    assert web.requires_proxy_auth
    assert control_plane.journal.unimplemented == []


def test_a_list_of_gpus_arrives_as_ranked_functions(
    control_plane: ControlPlane, client_program: ClientProgram, project: Path
) -> None:
    (project / "app.py").write_text(tiny("['H100', 'L40S:2']"))
    client_program.run(*DEPLOY, folder=project)
    ranked = control_plane.journal.last("FunctionCreate").function_data.ranked_functions
    wanted = [one.function.resources.gpu_config for one in ranked]
    assert [(gpu.gpu_type, gpu.count) for gpu in wanted] == [("H100", 1), ("L40S", 2)]


def test_a_second_deploy_keeps_ids_and_addresses_and_adds_a_version(
    control_plane: ControlPlane, client_program: ClientProgram, project: Path
) -> None:
    client_program.run(*DEPLOY, folder=project)
    first = control_plane.app("tiny")
    before = control_plane.function("tiny", "Model.*")
    address, definition = control_plane.url("tiny", "Model.*", "web"), before.live
    control_plane.journal.clear()
    client_program.run(*DEPLOY, "--tag", "second", folder=project)
    names = control_plane.journal.names()
    assert "AppGetLayout" in names
    assert "AppCreate" not in names
    assert control_plane.app("tiny") is first
    assert control_plane.function("tiny", "Model.*") is before
    assert control_plane.url("tiny", "Model.*", "web") == address
    assert before.live != definition
    assert [version.request.deployment_tag for version in first.versions] == ["", "second"]


def test_history_rollback_and_stop_by_the_command_line(
    control_plane: ControlPlane, client_program: ClientProgram, project: Path
) -> None:
    client_program.run(*DEPLOY, folder=project)
    first = control_plane.function("tiny", "Model.*").live
    client_program.run(*DEPLOY, folder=project)
    client_program.run("-m", "modal", "app", "rollback", "tiny", folder=project)
    app = control_plane.app("tiny")
    assert [(one.number, one.rollback_of) for one in app.versions] == [(1, 0), (2, 0), (3, 1)]
    assert control_plane.function("tiny", "Model.*").live == first
    history = client_program.run("-m", "modal", "app", "history", "tiny", "--json", folder=project)
    assert re.findall(r'"v\d', history) == ['"v3', '"v2', '"v1']
    client_program.run("-m", "modal", "app", "stop", "tiny", "--yes", folder=project)
    assert app.state == api_pb2.APP_STATE_STOPPED


def test_a_failing_line_of_the_image_fails_the_deploy_with_its_output(
    control_plane: ControlPlane, client_program: ClientProgram, project: Path
) -> None:
    broken = '.run_commands("echo nothing works; exit 7")'
    text = tiny("None", image=broken)
    (project / "app.py").write_text(text)
    said = client_program.run(*DEPLOY, folder=project, code=1)
    assert "nothing works" in said
    assert "exit code 7" in said
    assert "failed" in said


def test_only_changed_files_are_uploaded_again(
    control_plane: ControlPlane, client_program: ClientProgram, project: Path
) -> None:
    text = tiny("None", image='.add_local_dir("code", "/root/code")')
    (project / "app.py").write_text(text)
    (project / "code").mkdir()
    (project / "code" / "same.py").write_text("x = 1\n")
    (project / "code" / "handler.py").write_text("x = 1\ny = 1\n")
    client_program.run(*DEPLOY, folder=project)
    control_plane.journal.clear()
    (project / "code" / "handler.py").write_text("x = 2\n")
    client_program.run(*DEPLOY, folder=project)
    sent = [put.data for put in control_plane.journal.requests("MountPutFile")]
    assert [data for data in sent if data] == [b"x = 2\n"]  # some clients ask first, with a file of no data


def test_the_environment_must_exist(
    control_plane: ControlPlane, client_program: ClientProgram, project: Path
) -> None:
    said = client_program.run(*DEPLOY, "--env", "staging", folder=project, code=1)
    assert "staging" in said
    client_program.run("-m", "modal", "environment", "create", "staging", folder=project)
    client_program.run(*DEPLOY, "--env", "staging", folder=project)
    assert control_plane.app("tiny", environment="staging").environment == "staging"


def test_a_wrong_token_is_refused_and_the_right_one_stays_in_the_headers(
    control_plane: ControlPlane, client_program: ClientProgram, project: Path
) -> None:
    client_program.run(*DEPLOY, folder=project)
    assert not any(TOKEN_SECRET in str(entry.request) for entry in control_plane.journal)
    wrong = ClientProgram(client_program.python, {**client_program.env, "MODAL_TOKEN_SECRET": "as-other"})
    assert "Token" in wrong.run(*DEPLOY, folder=project, code=1)


def test_an_error_of_the_plane_that_passes_is_retried_and_one_that_stays_fails(
    control_plane: ControlPlane, client_program: ClientProgram, project: Path
) -> None:
    control_plane.fail("AppPublish", Status.UNAVAILABLE, times=2)
    client_program.run(*DEPLOY, folder=project)
    assert len(control_plane.journal.requests("AppPublish")) == 3
    control_plane.fail("FunctionCreate", Status.PERMISSION_DENIED, message="not in your plan")
    assert "not in your plan" in client_program.run(*DEPLOY, folder=project, code=1)


def test_what_nothing_here_answers_is_refused_by_its_name(control_plane: ControlPlane) -> None:
    with control_plane.client() as client, pytest.raises(modal.exception.Error, match="QueueGetOrCreate"):
        modal.Queue.objects.create("q", client=client)
    assert control_plane.journal.unimplemented == ["QueueGetOrCreate"]


def test_a_volume_takes_files_lists_them_and_gives_them_back(
    control_plane: ControlPlane, client_program: ClientProgram, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 40_000
    (tmp_path / "model.bin").write_bytes(content)
    control_plane.drop_uploads(1)
    found, same = client_program.evaluate(UPLOAD, folder=tmp_path)
    assert found == {"models": found["models"], "models/model.bin": len(content)}
    assert same
    assert control_plane.volume("weights").files()["models/model.bin"].read_bytes() == content


def test_an_upload_that_was_interrupted_goes_on_with_what_is_missing(
    control_plane: ControlPlane, client_program: ClientProgram, tmp_path: Path
) -> None:
    (tmp_path / "model.bin").write_bytes(b"".join(bytes([n]) * (8 << 20) for n in range(1, 4)))
    control_plane.hold_uploads(after=2)
    with subprocess.Popen(
        [client_program.python, "-c", UPLOAD],
        cwd=tmp_path,
        env=client_program.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        control_plane.until(lambda: control_plane.uploads_held)
        process.kill()  # the client may wait for ever after a SIGINT
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode != 0
    assert control_plane.volume("weights").files() == {}
    control_plane.release_uploads()
    _, same = client_program.evaluate(UPLOAD, folder=tmp_path)
    assert same
    assert control_plane.blocks_received == 3
