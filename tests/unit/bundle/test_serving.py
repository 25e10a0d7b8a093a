import tomllib
from pathlib import Path

from preheat.bundle.serving import SCRIPT, server_target
from preheat.bundle.shipped import shipped_files

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_the_server_runs_with_the_versions_that_we_are_tested_with() -> None:
    ours = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    target = server_target(provider="p", platform="linux", python="3.11")
    assert set(target.requirements) <= set(ours)
    assert {"fastapi", "orjson", "uvicorn"} <= {line.partition(">")[0] for line in target.requirements}


def test_the_server_and_the_surface_ship_for_its_target() -> None:
    target = server_target(provider="p", platform="linux", python="3.11")
    shipped = shipped_files(target, "app:Model", "")
    assert SCRIPT in shipped
    for needed in ("server/http.py", "surface/app.py", "surface/pages/docs.html", "metrics.py"):
        assert f"preheat/runtime/{needed}" in shipped


def test_grpc_brings_the_packages_of_its_extra() -> None:
    extra = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]["grpc"]
    without = server_target(provider="p", platform="linux", python="3.11")
    target = server_target(provider="p", platform="linux", python="3.11", grpc=True)
    assert set(target.requirements) - set(without.requirements) == set(extra)
    assert "preheat/runtime/grpc/inference.binpb" in shipped_files(target, "app:Model", "")
