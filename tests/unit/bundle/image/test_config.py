import json
from pathlib import Path
from typing import Any

from preheat.bundle.image.config import EPOCH, merge_config
from preheat.bundle.image.container import Container, server_container
from preheat.bundle.image.document import to_bytes
from preheat.project.model import HttpTrigger, Project

BASE: dict[str, Any] = {
    "architecture": "arm64",
    "variant": "v8",
    "os": "linux",
    "created": "2026-01-02T03:04:05Z",
    "docker_version": "20",
    "config": {
        "Env": ["PATH=/usr/bin", "LANG=C", "MODE=slow"],
        "Cmd": ["bash"],
        "Entrypoint": ["init"],
        "Healthcheck": {"Test": ["NONE"]},
        "User": "www",
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"vendor": "them", "title": "base"},
    },
    "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]},
    "history": [{"created_by": "them"}, {"created_by": "ENV", "empty_layer": True}],
}
CONTAINER = Container(command=("entry.py",), env={"MODE": "quick", "A": "b=c"}, labels={"title": "demo"})


def merged(base: dict[str, Any] = BASE, container: Container = CONTAINER) -> dict[str, Any]:
    return merge_config(
        base, container, interpreter="/usr/bin/python3", layers=[("code", "sha256:2")], labels={"bundle": "x"}
    )


def test_ours_is_laid_over_the_base() -> None:
    process = merged()["config"]
    assert process["Env"] == ["PATH=/usr/bin", "LANG=C", "MODE=quick", "A=b=c"]
    assert process["Labels"] == {"vendor": "them", "title": "demo", "bundle": "x"}
    assert process["ExposedPorts"] == {"80/tcp": {}, "8080/tcp": {}}
    assert process["Entrypoint"] == ["/usr/bin/python3", "entry.py"]
    assert (process["User"], process["StopSignal"]) == ("65532", "SIGTERM")


def test_what_the_base_says_of_its_own_process_goes() -> None:
    made = merged()
    assert {"Cmd", "Healthcheck"} & made["config"].keys() == set()
    assert "docker_version" not in made


def test_a_container_without_a_user_is_roots_whatever_the_base_says() -> None:
    assert "User" not in merged(container=Container(command=(), user=None))["config"]


def test_layers_platform_and_history_are_the_bases_and_ours() -> None:
    made = merged()
    assert (made["architecture"], made["variant"], made["os"]) == ("arm64", "v8", "linux")
    assert made["rootfs"]["diff_ids"] == ["sha256:1", "sha256:2"]
    assert [line["created_by"] for line in made["history"]] == ["them", "ENV", "preheat: code"]


def test_a_history_that_does_not_fit_the_layers_is_made_to() -> None:
    made = merged({**BASE, "history": []})
    assert [line["created_by"] for line in made["history"]] == ["base", "preheat: code"]


def test_the_time_is_the_bases_and_never_now() -> None:
    assert merged()["created"] == "2026-01-02T03:04:05Z"
    assert {line["created"] for line in merged({**BASE, "created": None})["history"][-1:]} == {EPOCH}


def test_the_same_input_gives_the_same_bytes() -> None:
    assert to_bytes(merged()) == to_bytes(json.loads(json.dumps(merged(dict(reversed(BASE.items()))))))


def test_the_server_wants_a_token_where_the_project_has_one() -> None:
    def command(auth: HttpTrigger) -> tuple[str, ...]:
        project = Project(root=Path(), stage="prod", name="demo", handler="h:M", triggers=(auth,))
        return server_container(project).command

    assert "--token-env PREHEAT_TOKEN" in " ".join(command(HttpTrigger(auth="token")))
    assert "--token-env" not in command(HttpTrigger(auth="none"))
    assert "--host 0.0.0.0 --port 8080 --stage prod" in " ".join(command(HttpTrigger()))
