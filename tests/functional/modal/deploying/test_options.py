"""What each option of `[provider.modal]` comes to in what the real client sends."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from modal_proto import api_pb2
from tests.fakes.functions import Function, Functions
from tests.fakes.modal.account import SETTINGS
from tests.fakes.modal.plane import ControlPlane
from tests.functional.modal.deploying.conftest import PROJECTS

from preheat_providers.modal.options import SCHEMA
from preheat_providers.modal.provider import ModalProvider

ROLE = "arn:aws:iam::111122223333:role/reader"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/111122223333/uploads"
ELSEWHERE = frozenset({"environment", "aws_region", "permissions_boundary", "strategy"})
"""Sent to AWS or with every request: test_deploying, test_uploads and the template's own tests have them."""

PROJECT = """
[scaling]
min = 0
max = 9

[env]
PLAIN = "as it is"

[triggers.nightly]
type = "schedule"
cron = "0 3 * * *"
timezone = "Europe/Berlin"
input = "abcd"

[weights]
grams = { source = "file:grams" }
"""
SCANS = """
[triggers.scans]
type = "object-created"
bucket = "scans"
output = "results"
"""
FULL: Mapping[str, Any] = {
    "gpu_fallback": ["A100-80GB:2"],
    "region": ["us-east", "eu"],
    "nonpreemptible": True,
    "min_containers": 1,
    "max_containers": 4,
    "buffer_containers": 2,
    "scaledown_window": 77,
    "concurrency": 6,
    "startup_timeout_s": 99,
    "retries": 3,
    "snapshot": "cpu",
    "weights": "image",
    "packages": "image",
    "auth": "proxy",
    "upload_queue": QUEUE,
    "upload_role": ROLE,
}


@dataclass(frozen=True)
class Sent:
    """The requests of one deploy."""

    functions: Mapping[str, api_pb2.FunctionCreateRequest]
    paths: frozenset[str]
    """Where the uploaded files lie, in containers or in images."""
    recipe: tuple[str, ...]
    """The lines of all images."""

    @property
    def gpus(self) -> list[tuple[str, int]]:
        """Those of the class, in order."""
        ranked = self.functions["Model.*"].function_data.ranked_functions
        asked = [each.function.resources.gpu_config for each in ranked] or [self.first.resources.gpu_config]
        return [(each.gpu_type, each.count) for each in asked]

    @property
    def model(self) -> Any:
        """What is the same for each GPU of the class: another message where there are several."""
        request = self.functions["Model.*"]
        return request.function_data if request.HasField("function_data") else request.function

    @property
    def first(self) -> api_pb2.Function:
        """The class with its first GPU."""
        request = self.functions["Model.*"]
        ranked = request.function_data.ranked_functions
        return ranked[0].function if ranked else request.function


@pytest.fixture(scope="module")
def ship(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sent]]:
    def deploy(gpu: str, triggers: str, **options: Any) -> Sent:
        folder = tmp_path_factory.mktemp("options")
        functions = Functions(ModalProvider(), folder, projects=PROJECTS, settings=SETTINGS, options=options)
        function = functions.fresh("letters")
        write(function, gpu, triggers)
        before = len(plane.journal.entries)
        function.deploy()
        asked = [entry.request for entry in plane.journal.entries[before:]]
        made = [each for each in asked if isinstance(each, api_pb2.FunctionCreateRequest)]
        names = {each.function.function_name or each.function_data.function_name: each for each in made}
        mounts = [each.files for each in asked if isinstance(each, api_pb2.MountGetOrCreateRequest)]
        images = [each.image for each in asked if isinstance(each, api_pb2.ImageGetOrCreateRequest)]
        recipe = tuple(line for image in images for line in image.dockerfile_commands)
        return Sent(names, frozenset(file.filename for files in mounts for file in files), recipe)

    before, plane.autostart = plane.autostart, False  # nobody asks these for anything
    yield deploy
    plane.autostart = before


def write(function: Function, gpu: str, triggers: str) -> None:
    (function.root / "grams").mkdir()
    (function.root / "grams" / "one.bin").write_bytes(b"gram")
    function.edit("preheat.toml", "memory_mb = 512", f'memory_mb = 2048\ncpu = 2.5\ngpu = "{gpu}"')
    with (function.root / "preheat.toml").open("a") as file:
        file.write(PROJECT + triggers)


@pytest.fixture(scope="module")
def full(ship: Callable[..., Sent]) -> Sent:
    return ship("H100:2", SCANS, **FULL)


@pytest.fixture(scope="module")
def plain(ship: Callable[..., Sent]) -> Sent:
    return ship("L4", "", packages="upload", snapshot="gpu")


def test_every_option_is_looked_at_here() -> None:
    assert {*FULL, *ELSEWHERE} == SCHEMA["properties"].keys()


def test_it_is_sent_as_a_file_and_never_pickled(full: Sent) -> None:
    every = [request.function for name, request in full.functions.items() if name != "Model.*"]
    for each in (full.first, *every):
        assert each.definition_type == api_pb2.Function.DEFINITION_TYPE_FILE
        assert not each.function_serialized + each.class_serialized


def test_where_it_runs(full: Sent, plain: Sent) -> None:
    assert full.gpus == [("H100", 2), ("A100-80GB", 2)]
    assert plain.gpus == [("L4", 1)]
    resources, placement = full.first.resources, full.first.scheduler_placement
    assert (resources.milli_cpu, resources.memory_mb) == (2500, 2048)
    assert (list(placement.regions), placement.nonpreemptible) == (["us-east", "eu"], True)
    assert (
        list(plain.first.scheduler_placement.regions),
        plain.first.scheduler_placement.nonpreemptible,
    ) == (
        [],
        False,
    )


def test_how_much_of_it_runs(full: Sent, plain: Sent) -> None:
    scale = full.model.autoscaler_settings
    assert (scale.min_containers, scale.max_containers, scale.buffer_containers) == (1, 4, 2)
    assert scale.scaledown_window == 77
    scale = plain.model.autoscaler_settings
    assert (scale.min_containers, scale.max_containers, scale.buffer_containers) == (0, 9, 0)


def test_how_long_and_how_often_it_runs(full: Sent, plain: Sent) -> None:
    assert (full.model.startup_timeout_secs, plain.model.startup_timeout_secs) == (99, 120)
    assert full.model.timeout_secs == plain.model.timeout_secs == 3 * 10 + 60
    assert (full.first.retry_policy.retries, plain.first.retry_policy.retries) == (3, 2)


def test_how_many_requests_it_takes(full: Sent, plain: Sent) -> None:
    assert (full.first.max_concurrent_inputs, full.first.target_concurrent_inputs) == (7, 6)
    assert (plain.first.max_concurrent_inputs, plain.first.target_concurrent_inputs) == (2, 1)


def test_what_is_in_its_snapshot(full: Sent, plain: Sent) -> None:
    assert full.first.checkpointing_enabled
    assert dict(full.model.experimental_options) == {}
    assert plain.first.checkpointing_enabled
    assert dict(plain.model.experimental_options) == {"enable_gpu_snapshot": "True"}


def test_who_may_call(full: Sent, plain: Sent) -> None:
    doors = [each.model.method_definitions["web"].webhook_config for each in (full, plain)]
    assert [door.requires_proxy_auth for door in doors] == [True, False]
    assert all(door.type == api_pb2.WEBHOOK_TYPE_ASGI_APP for door in doors)


def test_where_weights_lie(full: Sent, plain: Sent) -> None:
    assert list(full.first.volume_mounts) == []
    [mount] = plain.first.volume_mounts
    assert (mount.mount_path, mount.read_only) == ("/root/preheat-bundle/weights", True)
    weights = [path for path in full.paths if path.endswith(".bin")]
    assert weights == ["/root/preheat-bundle/weights/grams/grams/one.bin"]
    assert not [path for path in plain.paths if path.endswith(".bin")]


def test_where_packages_come_from(full: Sent, plain: Sent) -> None:
    uploaded = [any("/dependencies/" in path for path in each.paths) for each in (full, plain)]
    assert uploaded == [False, True]
    assert any("--require-hashes" in line for line in full.recipe)
    assert not any("--require-hashes" in line for line in plain.recipe)


def test_small_functions_run_on_small_machines(full: Sent) -> None:
    tick, poll = full.functions["tick_nightly"].function, full.functions["poll_uploads"].function
    assert (tick.schedule.cron.cron_string, tick.schedule.cron.timezone) == ("0 3 * * *", "Europe/Berlin")
    assert poll.schedule.cron.cron_string == "* * * * *"
    assert (poll.resources.milli_cpu, poll.resources.memory_mb) == (125, 256)
    assert (poll.autoscaler_settings.max_containers, poll.autoscaler_settings.scaledown_window) == (1, 2)
    for each in (tick, poll):
        assert not each.resources.gpu_config.gpu_type
        assert list(each.volume_mounts) == []


@pytest.mark.usefixtures("full")
def test_what_containers_are_told_is_in_their_file(plane: ControlPlane) -> None:
    files = [
        each.data.decode() for each in plane.journal.requests("MountPutFile") if ROLE.encode() in each.data
    ]
    [told] = [text for text in files if "SETTINGS = {" in text]
    assert f'"upload_queue": "{QUEUE}"' in told
    assert '"upload_region": "eu-central-1"' in told
