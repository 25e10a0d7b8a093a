from pathlib import Path
from typing import get_args

import pytest

from preheat.errors import ProviderError
from preheat.interface.manifest import MANIFEST, Manifest
from preheat.runtime.server.config import Config
from preheat.runtime.server.host import GRACE_S
from preheat_providers.sagemaker.shipped.settings import Mode, Settings
from preheat_providers.sagemaker.shipped.starting import config_of

KILLED_AFTER_S = 30.0


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """The code layer of a bundle that wants one weight, beside which the others lie."""
    layer = tmp_path / "code"
    layer.mkdir()
    manifest = Manifest(name="demo", handler="app:Model", weights={"model": "model/data.bin"})
    (layer / MANIFEST).write_text(manifest.to_json())
    (tmp_path / "weights" / "model").mkdir(parents=True)
    (tmp_path / "weights" / "model" / "data.bin").touch()
    return layer


def test_serve_is_the_server_of_the_runtime_as_sagemaker_wants_it(code: Path) -> None:
    settings = Settings(stage="prod", release="7", mode="async", workers=3)
    assert config_of(code, ["serve"], settings.environment()) == Config(
        code=code,
        dependencies=code.parent / "dependencies",
        weights=code.parent / "weights",
        host="0.0.0.0",
        port=8080,
        workers=3,
        queue=1000,
        drain_s=22,
        token_env=None,
        ping_decides=True,
        whole=True,
        circuit=False,
        access_log=True,
        stage="prod",
        provider="sagemaker",
        release="7",
    )


def test_without_anything_set_it_is_what_is_safe_everywhere(code: Path) -> None:
    config = config_of(code, [], {"PATH": "/bin", "SAGEMAKER_UNKNOWN": "x"})
    assert (config.port, config.workers, config.stage, config.whole) == (8080, 1, "dev", True)


@pytest.mark.parametrize(
    ("mode", "whole", "circuit", "queue"),
    [("async", True, False, 1000), ("serverless", True, True, 0), ("realtime", False, True, 0)],
)
def test_only_a_real_time_endpoint_hands_on_streams_and_from_a_queue_nothing_is_refused(
    code: Path, mode: str, whole: bool, circuit: bool, queue: int
) -> None:
    config = config_of(code, ["serve"], {"PREHEAT_SAGEMAKER_MODE": mode})
    assert (config.whole, config.circuit, config.queue) == (whole, circuit, queue)


def test_it_ends_before_it_is_killed_also_with_several_workers(code: Path) -> None:
    assert config_of(code, ["serve"], {}).drain_s + GRACE_S < KILLED_AFTER_S - 2


def test_what_the_server_tells_its_own_processes_comes_behind_serve(code: Path) -> None:
    config = config_of(code, ["serve", "--listener", "5", "--fresh", "why"], {})
    assert (config.listener, config.fresh) == (5, "why")
    assert config_of(code, ["--line", "6"], {}).line == 6


def test_the_port_is_the_one_that_a_pipeline_gives(code: Path) -> None:
    assert config_of(code, ["serve"], {"SAGEMAKER_BIND_TO_PORT": "8123"}).port == 8123


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("SAGEMAKER_BIND_TO_PORT", value) for value in ("", "x", "-1", "65536")),
        *(("SAGEMAKER_MODEL_SERVER_WORKERS", value) for value in ("0", "-2", "two", "")),
        ("PREHEAT_SAGEMAKER_MODE", "batch"),
    ],
)
def test_a_variable_that_is_wrong_is_named_with_what_to_set(code: Path, name: str, value: str) -> None:
    with pytest.raises(ProviderError) as caught:
        config_of(code, ["serve"], {name: value})
    assert name in caught.value.message
    assert repr(value) in caught.value.message
    assert (caught.value.hint or "").startswith(f"{name}=")


def test_another_argument_is_refused(code: Path) -> None:
    with pytest.raises(ProviderError, match="'train'"):
        config_of(code, ["train"], {})


def test_weights_that_are_not_in_the_image_are_where_sagemaker_puts_them(code: Path, tmp_path: Path) -> None:
    (tmp_path / "weights" / "model" / "data.bin").unlink()
    base = {"SAGEMAKER_BASE_DIR": str(tmp_path / "ml")}
    with pytest.raises(ProviderError) as caught:
        config_of(code, ["serve"], base)
    assert caught.value.message == (
        f"The weights model are neither in the image nor below {tmp_path}/ml/model."
    )
    (tmp_path / "ml" / "model" / "model").mkdir(parents=True)
    (tmp_path / "ml" / "model" / "model" / "data.bin").touch()
    assert config_of(code, ["serve"], base).weights == tmp_path / "ml" / "model"


def test_what_the_image_has_comes_before_what_was_downloaded(code: Path, tmp_path: Path) -> None:
    (tmp_path / "ml" / "model" / "model").mkdir(parents=True)
    (tmp_path / "ml" / "model" / "model" / "data.bin").touch()
    config = config_of(code, ["serve"], {"SAGEMAKER_BASE_DIR": str(tmp_path / "ml")})
    assert config.weights == tmp_path / "weights"


def test_a_handler_without_weights_needs_no_folder(code: Path) -> None:
    (code / MANIFEST).write_text(Manifest(name="demo", handler="app:Model").to_json())
    config_of(code, ["serve"], {"SAGEMAKER_BASE_DIR": "/nowhere"})


@pytest.mark.parametrize("mode", get_args(Mode))
def test_settings_are_read_as_they_were_written(mode: Mode) -> None:
    settings = Settings(stage="s", release="3", mode=mode, workers=2)
    assert Settings.read(settings.environment()) == settings
